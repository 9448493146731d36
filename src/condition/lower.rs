//! From the syntax tree of the crate `cel` to a program: the place that says what a condition
//! may use. Everything it does not name is refused.

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr, operators,
};

use crate::condition::program::{Function, Kind, Literal, Node, Operator};
use crate::condition::{Fault, Site, calls, macros, names};
use crate::limits::{
    CONDITION_DEPTH_MAX, CONDITION_LIST_MAX, CONDITION_LOGICAL_MAX, CONDITION_MAP_MAX,
    CONDITION_NODES_MAX,
};

/// Walks a syntax tree and counts what it sees.
pub(super) struct Lowering<'t> {
    pub(super) site: Site,
    /// Variables of the macros around, outermost first.
    pub(super) variables: Vec<&'t str>,
    pub(super) patterns: usize,
    nodes: usize,
    depth: usize,
    logical: usize,
}

impl<'t> Lowering<'t> {
    pub(super) const fn new(site: Site) -> Self {
        Self {
            site,
            variables: Vec::new(),
            patterns: 0,
            nodes: 0,
            depth: 0,
            logical: 0,
        }
    }

    /// One node and all below it.
    pub(super) fn node(&mut self, expr: &'t IdedExpr) -> Result<Node, Fault> {
        self.nodes += 1;
        if self.nodes > CONDITION_NODES_MAX {
            return Err(Fault::over("nodes", self.nodes, CONDITION_NODES_MAX));
        }
        if self.depth >= CONDITION_DEPTH_MAX {
            return Err(Fault::over(
                "levels of nesting",
                self.depth + 1,
                CONDITION_DEPTH_MAX,
            ));
        }
        self.depth += 1;
        let node = match &expr.expr {
            Expr::Literal(value) => Ok(Node::Literal(literal(value))),
            Expr::Ident(name) => names::identifier(self, name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.list(list),
            Expr::Map(map) => self.map(map),
            Expr::Comprehension(each) => macros::each(self, each),
            Expr::Struct(message) => Err(Fault::NotAllowed(format!(
                "messages such as `{}{{..}}` cannot be made here",
                message.type_name
            ))),
            Expr::Unspecified => Err(Fault::Syntax("something is missing".to_owned())),
        };
        self.depth -= 1;
        node
    }

    /// Is this the plain name `name`, not hidden by a variable of a macro?
    pub(super) fn is_name(&self, expr: &IdedExpr, name: &str) -> bool {
        matches!(&expr.expr, Expr::Ident(found) if found == name) && !self.variables.contains(&name)
    }

    fn select(&mut self, select: &'t SelectExpr) -> Result<Node, Fault> {
        if let Some(node) = names::attribute(self, select)? {
            return Ok(node);
        }
        let operand = Box::new(self.node(&select.operand)?);
        let field = select.field.as_str().into();
        Ok(if select.test {
            Node::HasField(operand, field)
        } else {
            Node::Select(operand, field)
        })
    }

    fn list(&mut self, list: &'t ListExpr) -> Result<Node, Fault> {
        if list.elements.len() > CONDITION_LIST_MAX {
            return Err(Fault::over(
                "elements of a list",
                list.elements.len(),
                CONDITION_LIST_MAX,
            ));
        }
        if !list.optional_indices.is_empty() {
            return Err(no_optionals());
        }
        let nodes = list.elements.iter().map(|element| self.node(element));
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        let mut literals = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let Node::Literal(literal) = node else {
                return Ok(Node::List(nodes));
            };
            literals.push(literal.clone());
        }
        Ok(Node::Constants(literals))
    }

    fn map(&mut self, map: &'t MapExpr) -> Result<Node, Fault> {
        if map.entries.len() > CONDITION_MAP_MAX {
            return Err(Fault::over(
                "entries of a map",
                map.entries.len(),
                CONDITION_MAP_MAX,
            ));
        }
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            match &entry.expr {
                EntryExpr::MapEntry(entry) if !entry.optional => {
                    entries.push((self.node(&entry.key)?, self.node(&entry.value)?));
                }
                EntryExpr::MapEntry(_) | EntryExpr::StructField(_) => return Err(no_optionals()),
            }
        }
        Ok(Node::Map(entries))
    }

    fn call(&mut self, call: &'t CallExpr) -> Result<Node, Fault> {
        let name = call.func_name.as_str();
        if let Some(target) = &call.target {
            return calls::method(self, target, name, &call.args);
        }
        match (name, call.args.as_slice()) {
            (operators::LOGICAL_NOT, [operand]) => {
                self.count_logical()?;
                Ok(Node::Not(Box::new(self.node(operand)?)))
            }
            (operators::NEGATE, [operand]) => Ok(Node::Negate(Box::new(self.node(operand)?))),
            (operators::LOGICAL_AND, [left, right]) => {
                self.count_logical()?;
                self.pair(left, right).map(Node::And)
            }
            (operators::LOGICAL_OR, [left, right]) => {
                self.count_logical()?;
                self.pair(left, right).map(Node::Or)
            }
            (operators::INDEX, [operand, key]) => self.pair(operand, key).map(Node::Index),
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                let parts = [
                    self.node(condition)?,
                    self.node(then)?,
                    self.node(otherwise)?,
                ];
                Ok(Node::Conditional(Box::new(parts)))
            }
            (operator, [left, right]) if binary(operator).is_some() => {
                let pair = self.pair(left, right)?;
                let operator = binary(operator).ok_or_else(no_optionals)?;
                Ok(Node::Binary(operator, pair))
            }
            _ => calls::function(self, name, &call.args),
        }
    }

    pub(super) fn pair(
        &mut self,
        left: &'t IdedExpr,
        right: &'t IdedExpr,
    ) -> Result<Box<[Node; 2]>, Fault> {
        Ok(Box::new([self.node(left)?, self.node(right)?]))
    }

    fn count_logical(&mut self) -> Result<(), Fault> {
        self.logical += 1;
        if self.logical > CONDITION_LOGICAL_MAX {
            return Err(Fault::over(
                "logical operators",
                self.logical,
                CONDITION_LOGICAL_MAX,
            ));
        }
        Ok(())
    }
}

fn no_optionals() -> Fault {
    Fault::NotAllowed("optional values cannot be used here".to_owned())
}

fn literal(value: &LiteralValue) -> Literal {
    match value {
        LiteralValue::Boolean(value) => Literal::Bool(*value.inner()),
        LiteralValue::Bytes(value) => Literal::Bytes(value.inner().into()),
        LiteralValue::Double(value) => Literal::Double(*value.inner()),
        LiteralValue::Int(value) => Literal::Int(*value.inner()),
        LiteralValue::Null => Literal::Null,
        LiteralValue::String(value) => Literal::Text(value.inner().into()),
        LiteralValue::UInt(value) => Literal::Uint(*value.inner()),
    }
}

fn binary(name: &str) -> Option<Operator> {
    Some(match name {
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::NotEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterEqual,
        operators::IN => Operator::In,
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Modulo,
        _ => return None,
    })
}

/// Conversions and other functions of one value, by name.
pub(super) fn conversion(name: &str) -> Option<Function> {
    Some(match name {
        "size" => Function::Size,
        "type" => Function::TypeOf,
        "dyn" => Function::Dyn,
        "duration" => Function::ToDuration,
        "timestamp" => Function::ToTime,
        _ => match Kind::of_word(name)? {
            Kind::Int => Function::ToInt,
            Kind::Uint => Function::ToUint,
            Kind::Double => Function::ToDouble,
            Kind::Text => Function::ToText,
            Kind::Bool => Function::ToBool,
            Kind::Bytes => Function::ToBytes,
            _ => return None,
        },
    })
}
