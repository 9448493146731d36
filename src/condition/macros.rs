//! Macros. The parser has already turned each into a loop with an accumulator; here the loop
//! is recognized again, because "all" and "exists" can be evaluated and priced far better
//! than a loop that might be anything. A loop of another form is refused.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, operators};

use crate::condition::Fault;
use crate::condition::lower::Lowering;
use crate::condition::program::{Each, Literal, Node, Quantifier};
use crate::limits::CONDITION_MACROS_DEEP_MAX;

/// The parts of a loop that the author wrote.
struct Written<'t> {
    quantifier: Quantifier,
    predicate: Option<&'t IdedExpr>,
    result: Option<&'t IdedExpr>,
}

pub(super) fn each<'t>(
    lowering: &mut Lowering<'t>,
    each: &'t ComprehensionExpr,
) -> Result<Node, Fault> {
    let unknown = || Fault::NotAllowed("this macro cannot be used here".to_owned());
    let written = written(each)
        .filter(|_| each.iter_var2.is_none())
        .ok_or_else(unknown)?;
    // The range is evaluated outside of the macro: its own macros do not nest in this one.
    let range = lowering.node(&each.iter_range)?;
    let slot = lowering.variables.len();
    if slot >= CONDITION_MACROS_DEEP_MAX {
        return Err(Fault::over(
            "macros in each other",
            slot + 1,
            CONDITION_MACROS_DEEP_MAX,
        ));
    }
    lowering.variables.push(&each.iter_var);
    let predicate = match written.predicate {
        Some(predicate) => lowering.node(predicate)?,
        None => Node::Literal(Literal::Bool(true)),
    };
    let result = match written.result {
        Some(result) => Some(lowering.node(result)?),
        None => None,
    };
    lowering.variables.pop();
    Ok(Node::Each(Box::new(Each {
        quantifier: written.quantifier,
        range,
        slot,
        predicate,
        result,
    })))
}

fn written(each: &ComprehensionExpr) -> Option<Written<'_>> {
    let accumulator = each.accu_var.as_str();
    let step = call_of(&each.loop_step)?;
    match (step.func_name.as_str(), step.args.as_slice()) {
        (operators::LOGICAL_AND, [first, predicate]) if is(first, accumulator) => Some(Written {
            quantifier: Quantifier::All,
            predicate: Some(predicate),
            result: None,
        }),
        (operators::LOGICAL_OR, [first, predicate]) if is(first, accumulator) => Some(Written {
            quantifier: Quantifier::Exists,
            predicate: Some(predicate),
            result: None,
        }),
        (operators::CONDITIONAL, [predicate, then, otherwise]) if is(otherwise, accumulator) => {
            chosen(each, predicate, then)
        }
        (operators::ADD, _) => Some(Written {
            quantifier: Quantifier::Collect,
            predicate: None,
            result: Some(appended(each, step)?),
        }),
        _ => None,
    }
}

/// `exists_one`, `filter`, and `map` with a predicate.
fn chosen<'t>(
    each: &ComprehensionExpr,
    predicate: &'t IdedExpr,
    then: &'t IdedExpr,
) -> Option<Written<'t>> {
    let add = call_of(then)?;
    let predicate = Some(predicate);
    if let Some(result) = appended(each, add) {
        let itself = is(result, &each.iter_var);
        return Some(Written {
            quantifier: Quantifier::Collect,
            predicate,
            result: (!itself).then_some(result),
        });
    }
    let counts = add.func_name == operators::ADD
        && matches!(add.args.as_slice(), [first, _] if is(first, &each.accu_var))
        && matches!(&each.result.expr, Expr::Call(end) if end.func_name == operators::EQUALS);
    counts.then_some(Written {
        quantifier: Quantifier::ExistsOne,
        predicate,
        result: None,
    })
}

/// The `x` of `accumulator + [x]`.
fn appended<'t>(each: &ComprehensionExpr, add: &'t CallExpr) -> Option<&'t IdedExpr> {
    let [first, second] = add.args.as_slice() else {
        return None;
    };
    let Expr::List(list) = &second.expr else {
        return None;
    };
    let appends = add.func_name == operators::ADD && is(first, &each.accu_var);
    match list.elements.as_slice() {
        [element] if appends => Some(element),
        _ => None,
    }
}

fn call_of(expr: &IdedExpr) -> Option<&CallExpr> {
    match &expr.expr {
        Expr::Call(call) if call.target.is_none() => Some(call),
        _ => None,
    }
}

fn is(expr: &IdedExpr, name: &str) -> bool {
    matches!(&expr.expr, Expr::Ident(found) if found == name)
}
