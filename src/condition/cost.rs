//! The worst case of a condition, foreseen when it is loaded (SPEC 7.2), and the kinds of its
//! parts as far as they are known before there is a request.
//!
//! A cost is a number plus, for each macro around the node, a factor on the weight of that
//! macro's element: the sum over all elements is then the factor times the weight of the whole
//! list, and a set in a set costs what both weigh, not the square of what one element might.

use crate::condition::Fault;
use crate::condition::meter::{
    ADDRESS_STEPS, COMPARE, COPY, PART_STEPS, PASS, SEARCH, STEP, TAG_STEPS, WRITTEN_MAX,
};
use crate::condition::program::{
    Attribute, Each, Function, Kind, Literal, Node, Operator, Quantifier, TextTest,
};
use crate::limits::{
    CONDITION_INPUT_BYTES_MAX, CONDITION_INPUT_VALUES_MAX, CONDITION_MACROS_DEEP_MAX,
    CONDITION_MAP_COMPARED_MAX, CONDITION_STEPS_MAX, MEMBER_BYTES_MAX,
};

/// What an element of the input weighs on average when there are as many as there may be;
/// decides between two bounds that both hold.
const TYPICAL: u64 = 128;

/// The bound of a condition's cost, in the unit of `meter`.
pub(super) fn bound(program: &Node) -> Result<u64, Fault> {
    let shape = shape(program)?;
    if let Some(kind) = shape.kind.filter(|kind| *kind != Kind::Bool) {
        return Err(Fault::NotAllowed(format!(
            "the result is of type {}, that of a condition is bool",
            kind.name()
        )));
    }
    let steps = shape.cost.fixed.div_ceil(STEP);
    if steps > CONDITION_STEPS_MAX {
        return Err(Fault::OverBound {
            what: "steps of the worst case",
            found: steps,
            allowed: CONDITION_STEPS_MAX,
        });
    }
    Ok(shape.cost.fixed)
}

/// A number plus factors on the weights of the elements of the macros around.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Linear {
    fixed: u64,
    of: [u64; CONDITION_MACROS_DEEP_MAX],
}

/// What is known of a node's value and of the way there.
#[derive(Debug, Clone, Copy)]
struct Shape {
    cost: Linear,
    /// Of the value, everything in it included: its bytes and a step for each value in it.
    weight: Linear,
    /// Most elements of the value or of anything in it.
    items: u64,
    /// `None`: not known.
    kind: Option<Kind>,
}

// === impl Linear ===

impl Linear {
    const fn fixed(fixed: u64) -> Self {
        Self {
            fixed,
            of: [0; CONDITION_MACROS_DEEP_MAX],
        }
    }

    fn element(slot: usize) -> Self {
        let mut linear = Self::default();
        if let Some(factor) = linear.of.get_mut(slot) {
            *factor = 1;
        }
        linear
    }

    fn merge(self, other: Self, merge: impl Fn(u64, u64) -> u64) -> Self {
        let mut of = self.of;
        for (mine, other) in of.iter_mut().zip(other.of) {
            *mine = merge(*mine, other);
        }
        Self {
            fixed: merge(self.fixed, other.fixed),
            of,
        }
    }

    fn plus(self, other: Self) -> Self {
        self.merge(other, u64::saturating_add)
    }

    fn plus_fixed(self, fixed: u64) -> Self {
        self.plus(Self::fixed(fixed))
    }

    fn times(self, factor: u64) -> Self {
        self.merge(self, |mine, _| mine.saturating_mul(factor))
    }

    fn max(self, other: Self) -> Self {
        self.merge(other, u64::max)
    }

    /// The better of two bounds that both hold. Of two elements, that of the inner macro: its
    /// sum is over fewer.
    fn or(self, other: Self) -> Self {
        let rank = |linear: Self| {
            let elements = linear.of.iter().fold(0_u64, |sum, factor| {
                sum.saturating_add(factor.saturating_mul(TYPICAL))
            });
            let outermost = linear.of.iter().position(|factor| *factor > 0);
            let outer = outermost.map_or(0, |slot| CONDITION_MACROS_DEEP_MAX - slot);
            (linear.fixed.saturating_add(elements), outer)
        };
        if rank(self) <= rank(other) {
            self
        } else {
            other
        }
    }

    /// The sum over `count` elements of a list that weighs `weight` together.
    fn summed(mut self, slot: usize, count: u64, weight: Self) -> Self {
        let factor = self.of.get_mut(slot).map_or(0, std::mem::take);
        self.times(count).plus(weight.times(factor))
    }
}

// === impl Shape ===

impl Shape {
    const fn scalar(cost: Linear, kind: Kind) -> Self {
        Self {
            cost,
            weight: Linear::fixed(STEP),
            items: 0,
            kind: Some(kind),
        }
    }

    /// Anything that the request may hold.
    fn given(cost: Linear, kind: Option<Kind>) -> Self {
        let (values, bytes) = (
            units(CONDITION_INPUT_VALUES_MAX),
            units(CONDITION_INPUT_BYTES_MAX),
        );
        Self {
            cost,
            weight: Linear::fixed((values + 1) * STEP + bytes),
            items: values,
            kind,
        }
    }

    /// Something out of a value: it is no larger than the whole.
    const fn within(self, cost: Linear) -> Self {
        Self {
            cost,
            kind: None,
            ..self
        }
    }

    /// May it be, or hold, a map?
    const fn may_hold_map(self) -> bool {
        matches!(self.kind, None | Some(Kind::Map | Kind::List))
    }

    fn look_up(self) -> Linear {
        Linear::fixed(STEP.saturating_add(self.items.saturating_mul(PASS)))
    }
}

fn units(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn shape(node: &Node) -> Result<Shape, Fault> {
    let step = Linear::fixed(STEP);
    Ok(match node {
        Node::Literal(literal) => of_literal(literal),
        Node::Constants(literals) => of_constants(literals),
        Node::Attribute(attribute) => of_attribute(*attribute),
        Node::HasAttribute(_) | Node::ContainsSourceIp(_) => Shape::scalar(step, Kind::Bool),
        Node::Variable(slot) => Shape {
            weight: Linear::element(*slot),
            ..Shape::given(step, None)
        },
        Node::Select(operand, _) => {
            let operand = holding(operand, &[Kind::Map])?;
            operand.within(operand.cost.plus(operand.look_up()))
        }
        Node::HasField(operand, _) => {
            let operand = holding(operand, &[Kind::Map])?;
            Shape::scalar(operand.cost.plus(operand.look_up()), Kind::Bool)
        }
        Node::Index(pair) => {
            let [operand, key] = &**pair;
            let (operand, key) = (holding(operand, &[Kind::Map, Kind::List])?, shape(key)?);
            operand.within(operand.cost.plus(key.cost).plus(operand.look_up()))
        }
        Node::List(nodes) => of_list(nodes)?,
        Node::Map(entries) => of_map(entries)?,
        Node::Not(operand) => Shape::scalar(bool_operand(operand)?.plus(step), Kind::Bool),
        Node::Negate(operand) => {
            let operand = shape(operand)?;
            Shape {
                cost: operand.cost.plus(step),
                ..operand
            }
        }
        Node::And(pair) | Node::Or(pair) => {
            let [left, right] = &**pair;
            let cost = bool_operand(left)?.plus(bool_operand(right)?);
            Shape::scalar(cost.plus(step), Kind::Bool)
        }
        Node::Conditional(parts) => of_conditional(parts)?,
        Node::Binary(operator, pair) => of_binary(*operator, pair)?,
        Node::Each(each) => of_each(each)?,
        Node::Call(function, operand) => of_call(*function, shape(operand)?),
        Node::TextTest(test, pair) => of_text_test(*test, pair)?,
        Node::Matches(operand, _) => {
            let text = text_operand(operand)?;
            let cost = text.cost.plus(text.weight.times(SEARCH)).plus(step);
            Shape::scalar(cost, Kind::Bool)
        }
        Node::Part(_, operand, _) => {
            let steps = STEP * (1 + units(PART_STEPS));
            Shape::scalar(shape(operand)?.cost.plus_fixed(steps), Kind::Int)
        }
        Node::MatchTag(pair) => {
            let [key, value] = &**pair;
            let cost = text_operand(key)?.cost.plus(text_operand(value)?.cost);
            Shape::scalar(cost.plus_fixed(STEP * (1 + units(TAG_STEPS))), Kind::Bool)
        }
        Node::ContainsIp(_, operand) => {
            let steps = STEP * (1 + units(ADDRESS_STEPS));
            Shape::scalar(text_operand(operand)?.cost.plus_fixed(steps), Kind::Bool)
        }
    })
}

impl Shape {
    /// Takes one more part into a list or map.
    fn hold(&mut self, node: &Node) -> Result<(), Fault> {
        let part = shape(node)?;
        self.cost = self.cost.plus(part.cost);
        self.weight = self.weight.plus(part.weight);
        self.items = self.items.max(part.items);
        Ok(())
    }
}

/// A part that must be a bool.
fn bool_operand(node: &Node) -> Result<Linear, Fault> {
    Ok(expect(node, Kind::Bool)?.cost)
}

fn text_operand(node: &Node) -> Result<Shape, Fault> {
    expect(node, Kind::Text)
}

/// A part that can only be of one kind: anything else is known to be wrong already.
fn expect(node: &Node, kind: Kind) -> Result<Shape, Fault> {
    holding(node, &[kind])
}

/// A part that must be one of `kinds`, as far as that is known.
fn holding(node: &Node, kinds: &[Kind]) -> Result<Shape, Fault> {
    let shape = shape(node)?;
    allow(shape.kind, kinds)?;
    Ok(shape)
}

fn allow(kind: Option<Kind>, kinds: &[Kind]) -> Result<(), Fault> {
    match kind {
        Some(kind) if !kinds.contains(&kind) => {
            let wanted: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
            Err(Fault::NotAllowed(format!(
                "a value of type {} stands where {} is needed",
                kind.name(),
                wanted.join(" or ")
            )))
        }
        _ => Ok(()),
    }
}

fn of_literal(literal: &Literal) -> Shape {
    Shape {
        weight: Linear::fixed(STEP + units(literal.bytes())),
        ..Shape::scalar(Linear::fixed(STEP), literal.kind())
    }
}

fn of_constants(literals: &[Literal]) -> Shape {
    let step = Linear::fixed(STEP);
    let weights = literals.iter().map(|literal| of_literal(literal).weight);
    Shape {
        cost: step,
        weight: weights.fold(step, Linear::plus),
        items: units(literals.len()),
        kind: Some(Kind::List),
    }
}

fn of_list(nodes: &[Node]) -> Result<Shape, Fault> {
    let step = Linear::fixed(STEP);
    let mut list = Shape {
        cost: step,
        weight: step,
        items: units(nodes.len()),
        kind: Some(Kind::List),
    };
    nodes.iter().try_for_each(|node| list.hold(node))?;
    Ok(list)
}

fn of_text_test(test: TextTest, pair: &[Node; 2]) -> Result<Shape, Fault> {
    let [text, part] = pair;
    let (text, part) = (text_operand(text)?, text_operand(part)?);
    let work = match test {
        TextTest::StartsWith | TextTest::EndsWith => text.weight.or(part.weight).times(COMPARE),
        TextTest::Contains => text.weight.plus(part.weight).times(SEARCH),
    };
    let cost = text.cost.plus(part.cost).plus(work).plus_fixed(STEP);
    Ok(Shape::scalar(cost, Kind::Bool))
}

fn of_attribute(attribute: Attribute) -> Shape {
    let step = Linear::fixed(STEP);
    match attribute {
        Attribute::RequestTime => Shape::scalar(step, Kind::Time),
        Attribute::RequestAttributes
        | Attribute::ResourceAttributes
        | Attribute::Assertion
        | Attribute::Mapped => Shape::given(step, Some(Kind::Map)),
        Attribute::ResourceName
        | Attribute::ResourceType
        | Attribute::SourceIp
        | Attribute::PrincipalSubject
        | Attribute::PrincipalType => Shape {
            weight: Linear::fixed(STEP + units(MEMBER_BYTES_MAX)),
            ..Shape::scalar(step, Kind::Text)
        },
    }
}

fn of_map(entries: &[(Node, Node)]) -> Result<Shape, Fault> {
    let step = Linear::fixed(STEP);
    let count = units(entries.len());
    // Each key is compared with those before it.
    let pairs = count.saturating_mul(count).saturating_mul(PASS);
    let mut map = Shape {
        cost: step.plus_fixed(pairs),
        weight: step,
        items: count,
        kind: Some(Kind::Map),
    };
    for (key, value) in entries {
        map.hold(key)?;
        map.hold(value)?;
    }
    Ok(map)
}

fn of_conditional(parts: &[Node; 3]) -> Result<Shape, Fault> {
    let [condition, then, otherwise] = parts;
    let condition = bool_operand(condition)?;
    let (then, otherwise) = (shape(then)?, shape(otherwise)?);
    Ok(Shape {
        cost: condition
            .plus(then.cost.max(otherwise.cost))
            .plus_fixed(STEP),
        weight: then.weight.max(otherwise.weight),
        items: then.items.max(otherwise.items),
        kind: then.kind.filter(|kind| otherwise.kind == Some(*kind)),
    })
}

fn of_binary(operator: Operator, pair: &[Node; 2]) -> Result<Shape, Fault> {
    let [left, right] = pair;
    let (left, right) = (shape(left)?, shape(right)?);
    let cost = left.cost.plus(right.cost).plus_fixed(STEP);
    match operator {
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual => {
            comparable(left.kind, right.kind)?;
            let work = comparison(left, right, left.weight.or(right.weight));
            Ok(Shape::scalar(cost.plus(work).plus_fixed(STEP), Kind::Bool))
        }
        Operator::In => {
            allow(right.kind, &[Kind::Map, Kind::List])?;
            let each = Linear::fixed(right.items.saturating_mul(STEP));
            let all = left.weight.times(right.items).or(right.weight);
            let work = each
                .plus(comparison(left, right, all))
                .plus(right.look_up());
            Ok(Shape::scalar(cost.plus(work), Kind::Bool))
        }
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Modulo => {
            let number = |shape: Shape| {
                shape.kind.is_some_and(|kind| {
                    kind.is_number() || matches!(kind, Kind::Time | Kind::Duration)
                })
            };
            let weight = left.weight.plus(right.weight);
            let copies = operator == Operator::Add && !number(left) && !number(right);
            let work = weight.times(if copies { COPY } else { 0 });
            Ok(Shape {
                cost: cost.plus(work),
                weight,
                items: left.items.saturating_add(right.items),
                kind: sum_kind(left.kind, right.kind),
            })
        }
    }
}

/// What comparing costs when both sides weigh no more than `weight`: keys of maps are looked
/// up, which costs more than what they weigh.
fn comparison(left: Shape, right: Shape, weight: Linear) -> Linear {
    let maps = left.may_hold_map() && right.may_hold_map();
    let look_ups = PASS * units(CONDITION_MAP_COMPARED_MAX) / STEP;
    weight.times(COMPARE + if maps { look_ups } else { 0 })
}

/// The kind of a sum or difference, where it is certain.
fn sum_kind(left: Option<Kind>, right: Option<Kind>) -> Option<Kind> {
    match (left?, right?) {
        (left, right) if left == right && left != Kind::Time => Some(left),
        _ => None,
    }
}

/// Two values whose kinds are known and differ are never equal and have no order: surely a
/// slip, such as a time compared with text.
fn comparable(left: Option<Kind>, right: Option<Kind>) -> Result<(), Fault> {
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(());
    };
    let null = left == Kind::Null || right == Kind::Null;
    if left == right || null || (left.is_number() && right.is_number()) {
        return Ok(());
    }
    Err(Fault::NotAllowed(format!(
        "values of type {} and {} are compared: they are never equal",
        left.name(),
        right.name()
    )))
}

fn of_each(each: &Each) -> Result<Shape, Fault> {
    let range = holding(&each.range, &[Kind::Map, Kind::List])?;
    let predicate = bool_operand(&each.predicate)?;
    let result = each.result.as_ref().map(shape).transpose()?;
    let sum = |linear: Linear| linear.summed(each.slot, range.items, range.weight);
    let turn = predicate
        .plus(result.map_or_else(Linear::default, |result| result.cost))
        .plus_fixed(STEP);
    let cost = range.cost.plus(sum(turn)).plus_fixed(STEP);
    Ok(match each.quantifier {
        Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne => {
            Shape::scalar(cost, Kind::Bool)
        }
        Quantifier::Collect => Shape {
            cost,
            weight: match result {
                Some(result) => sum(result.weight).plus_fixed(STEP),
                None => range.weight.plus_fixed(STEP),
            },
            items: range.items.max(result.map_or(0, |result| result.items)),
            kind: Some(Kind::List),
        },
    })
}

fn of_call(function: Function, operand: Shape) -> Shape {
    let step = Linear::fixed(STEP);
    let read = operand.cost.plus(operand.weight.times(SEARCH)).plus(step);
    let copied = read.plus(operand.weight.times(COPY));
    match function {
        Function::Size | Function::ToInt => Shape::scalar(read, Kind::Int),
        Function::ToUint => Shape::scalar(read, Kind::Uint),
        Function::ToDouble => Shape::scalar(read, Kind::Double),
        Function::ToBool => Shape::scalar(read, Kind::Bool),
        Function::ToDuration => Shape::scalar(read, Kind::Duration),
        Function::ToTime => Shape::scalar(read, Kind::Time),
        Function::TypeOf => Shape::scalar(operand.cost.plus(step), Kind::Type),
        Function::ToText | Function::ToBytes => Shape {
            weight: operand.weight.plus_fixed(STEP + WRITTEN_MAX),
            ..Shape::scalar(
                copied,
                if function == Function::ToText {
                    Kind::Text
                } else {
                    Kind::Bytes
                },
            )
        },
        Function::Dyn => operand.within(operand.cost.plus(step)),
    }
}
