//! The evaluator. Total: it ends in a value or a `Failure`, whatever the program and the
//! request are, within the cost that was foreseen.

use std::cell::Cell;
use std::cmp::Ordering;
use std::net::IpAddr;
use std::rc::Rc;

use ipnet::IpNet;

use crate::condition::Failure;
use crate::condition::functions::{arithmetic, call, negate};
use crate::condition::meter::{ADDRESS_STEPS, Meter, PART_STEPS, TAG_STEPS};
use crate::condition::program::{Attribute, Each, Node, Operator, Quantifier, TextTest};
use crate::condition::time::{Part, Zone};
use crate::condition::value::{List, Map, Text, Val, equal, index, order, same_key};
use crate::limits::{
    CONDITION_INPUT_BYTES_MAX, CONDITION_INPUT_DEPTH_MAX, CONDITION_INPUT_VALUES_MAX,
    CONDITION_MACROS_DEEP_MAX, MEMBER_BYTES_MAX,
};
use crate::model::value::{Struct, Value};

/// Where the attributes of an evaluation come from.
pub(super) trait Source<'e> {
    /// `None`: it is absent.
    fn attribute(&self, attribute: Attribute) -> Option<Val<'e>>;
    fn tag(&self, key: &str) -> Option<&'e str>;
    fn source_ip(&self) -> Option<IpAddr>;
}

/// One evaluation.
pub(super) struct Machine<'e, 's> {
    source: &'s dyn Source<'e>,
    pub(super) meter: Meter,
    variables: [Val<'e>; CONDITION_MACROS_DEEP_MAX],
    /// The last two maps of the input that were found to fit the bounds.
    fitting: [Cell<Option<&'e Struct>>; 2],
}

type Result<T> = std::result::Result<T, Failure>;

impl<'e, 's> Machine<'e, 's> {
    pub(super) fn new(source: &'s dyn Source<'e>, bound: u64) -> Self {
        Self {
            source,
            meter: Meter::new(bound),
            variables: [const { Val::Null }; CONDITION_MACROS_DEEP_MAX],
            fitting: [const { Cell::new(None) }; 2],
        }
    }

    pub(super) fn value(&mut self, node: &'e Node) -> Result<Val<'e>> {
        self.meter.step()?;
        match node {
            Node::Literal(literal) => Ok(Val::of_literal(literal)),
            Node::Constants(literals) => Ok(Val::List(List::Written(literals))),
            Node::Attribute(attribute) => self.attribute(*attribute),
            Node::HasAttribute(attribute) => Ok(Val::Bool(self.has(*attribute))),
            Node::Variable(slot) => self.variables.get(*slot).cloned().ok_or(Failure::Missing),
            Node::Select(operand, field) => {
                let found = self.field(operand, field)?;
                found.ok_or(Failure::Missing)
            }
            Node::HasField(operand, field) => {
                let found = self.field(operand, field)?;
                Ok(Val::Bool(found.is_some()))
            }
            Node::Index(pair) => self.index(pair),
            Node::List(nodes) => {
                let values: Result<Vec<_>> = nodes.iter().map(|node| self.value(node)).collect();
                Ok(Val::List(List::Built(values?.into())))
            }
            Node::Map(entries) => self.map(entries),
            Node::Not(operand) => Ok(Val::Bool(!self.truth(operand)?)),
            Node::Negate(operand) => negate(&self.value(operand)?),
            Node::And(pair) => self.logic(pair, false).map(Val::Bool),
            Node::Or(pair) => self.logic(pair, true).map(Val::Bool),
            Node::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                let chosen = if self.truth(condition)? {
                    then
                } else {
                    otherwise
                };
                self.value(chosen)
            }
            Node::Binary(operator, pair) => self.binary(*operator, pair),
            Node::Each(each) => self.each(each),
            Node::Call(function, operand) => {
                let operand = self.value(operand)?;
                call(*function, operand, &self.meter)
            }
            Node::TextTest(test, pair) => self.text_test(*test, pair).map(Val::Bool),
            Node::Matches(operand, pattern) => {
                let text = self.text(operand)?;
                self.meter.searched(text.as_str().len())?;
                let matches = pattern.is_match(text.as_str()).ok_or(Failure::NoOverload)?;
                Ok(Val::Bool(matches))
            }
            Node::Part(part, operand, zone) => self.part(*part, operand, zone),
            Node::MatchTag(pair) => self.match_tag(pair).map(Val::Bool),
            Node::ContainsSourceIp(network) => {
                let address = self.source.source_ip().ok_or(Failure::Missing)?;
                Ok(Val::Bool(contains(network, address)))
            }
            Node::ContainsIp(network, operand) => {
                let text = self.text(operand)?;
                self.meter.steps(ADDRESS_STEPS)?;
                let address = text.as_str().parse().map_err(|_| Failure::Malformed)?;
                Ok(Val::Bool(contains(network, address)))
            }
        }
    }

    /// The value of a node that must be a bool.
    pub(super) fn truth(&mut self, node: &'e Node) -> Result<bool> {
        match self.value(node)? {
            Val::Bool(truth) => Ok(truth),
            _ => Err(Failure::NoOverload),
        }
    }

    fn text(&mut self, node: &'e Node) -> Result<Text<'e>> {
        match self.value(node)? {
            Val::Text(text) => Ok(text),
            _ => Err(Failure::NoOverload),
        }
    }

    // --- attributes ---

    fn attribute(&self, attribute: Attribute) -> Result<Val<'e>> {
        let value = self.source.attribute(attribute).ok_or(Failure::Missing)?;
        match &value {
            Val::Map(Map::Given(fields)) => self.fits(fields)?,
            Val::Text(text) if text.as_str().len() > MEMBER_BYTES_MAX => {
                return Err(Failure::TooLarge);
            }
            _ => {}
        }
        Ok(value)
    }

    fn has(&self, attribute: Attribute) -> bool {
        match attribute {
            Attribute::SourceIp => self.source.source_ip().is_some(),
            _ => self.source.attribute(attribute).is_some(),
        }
    }

    /// Does a map of the input keep to the bounds that the cost was foreseen with?
    fn fits(&self, fields: &'e Struct) -> Result<()> {
        let known = |cell: &Cell<Option<&'e Struct>>| {
            cell.get()
                .is_some_and(|fitting| std::ptr::eq(fitting, fields))
        };
        if self.fitting.iter().any(known) {
            return Ok(());
        }
        let mut room = Room {
            values: CONDITION_INPUT_VALUES_MAX,
            bytes: CONDITION_INPUT_BYTES_MAX,
        };
        room.take_fields(fields, CONDITION_INPUT_DEPTH_MAX)
            .ok_or(Failure::TooLarge)?;
        let [first, second] = &self.fitting;
        second.set(first.replace(Some(fields)));
        Ok(())
    }

    fn match_tag(&mut self, pair: &'e [Node; 2]) -> Result<bool> {
        let [key, value] = pair;
        let (key, value) = (self.text(key)?, self.text(value)?);
        self.meter.steps(TAG_STEPS)?;
        Ok(self.source.tag(key.as_str()) == Some(value.as_str()))
    }

    // --- look-ups ---

    fn field(&mut self, operand: &'e Node, field: &str) -> Result<Option<Val<'e>>> {
        match self.value(operand)? {
            Val::Map(map) => map.field(field, &self.meter),
            _ => Err(Failure::NoOverload),
        }
    }

    fn index(&mut self, pair: &'e [Node; 2]) -> Result<Val<'e>> {
        let [operand, key] = pair;
        let operand = self.value(operand)?;
        let key = self.value(key)?;
        match operand {
            Val::List(list) => index(&key)
                .and_then(|index| list.get(index))
                .ok_or(Failure::Missing),
            Val::Map(map) => map.value(&key, &self.meter)?.ok_or(Failure::Missing),
            _ => Err(Failure::NoOverload),
        }
    }

    fn map(&mut self, entries: &'e [(Node, Node)]) -> Result<Val<'e>> {
        let mut built: Vec<(Val<'e>, Val<'e>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let (key, value) = (self.value(key)?, self.value(value)?);
            if !key.is_key() {
                return Err(Failure::NoOverload);
            }
            self.meter.look_up(built.len())?;
            if built.iter().any(|(other, _)| same_key(other, &key)) {
                return Err(Failure::RepeatedKey);
            }
            built.push((key, value));
        }
        Ok(Val::Map(Map::Built(built.into())))
    }

    // --- operators ---

    /// `&&` (`absorbing` false) and `||` (true): one absorbing operand decides, whatever the
    /// other one is, a failure included, on either side.
    fn logic(&mut self, pair: &'e [Node; 2], absorbing: bool) -> Result<bool> {
        let [left, right] = pair;
        let left = self.truth(left);
        if left == Ok(absorbing) {
            return Ok(absorbing);
        }
        let right = self.truth(right)?;
        if right == absorbing { Ok(right) } else { left }
    }

    fn binary(&mut self, operator: Operator, pair: &'e [Node; 2]) -> Result<Val<'e>> {
        let [left, right] = pair;
        let (left, right) = (self.value(left)?, self.value(right)?);
        let ordered = |holds: fn(Ordering) -> bool, meter: &Meter| {
            order(&left, &right, meter).map(|ordering| Val::Bool(ordering.is_some_and(holds)))
        };
        match operator {
            Operator::Equal => equal(&left, &right, &self.meter).map(Val::Bool),
            Operator::NotEqual => equal(&left, &right, &self.meter).map(|same| Val::Bool(!same)),
            Operator::Less => ordered(Ordering::is_lt, &self.meter),
            Operator::LessEqual => ordered(Ordering::is_le, &self.meter),
            Operator::Greater => ordered(Ordering::is_gt, &self.meter),
            Operator::GreaterEqual => ordered(Ordering::is_ge, &self.meter),
            Operator::In => self.contained(&left, &right).map(Val::Bool),
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Modulo => arithmetic(operator, &left, &right, &self.meter),
        }
    }

    fn contained(&self, element: &Val<'e>, container: &Val<'e>) -> Result<bool> {
        match container {
            Val::List(list) => {
                for index in 0..list.len() {
                    let Some(candidate) = list.get(index) else {
                        break;
                    };
                    if equal(element, &candidate, &self.meter)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Val::Map(map) => Ok(map.value(element, &self.meter)?.is_some()),
            _ => Err(Failure::NoOverload),
        }
    }

    fn text_test(&mut self, test: TextTest, pair: &'e [Node; 2]) -> Result<bool> {
        let [text, part] = pair;
        let (text, part) = (self.text(text)?, self.text(part)?);
        let (text, part) = (text.as_str(), part.as_str());
        match test {
            TextTest::StartsWith => {
                self.meter.compared(text.len(), part.len())?;
                Ok(text.starts_with(part))
            }
            TextTest::EndsWith => {
                self.meter.compared(text.len(), part.len())?;
                Ok(text.ends_with(part))
            }
            TextTest::Contains => {
                self.meter.searched(text.len())?;
                self.meter.searched(part.len())?;
                Ok(text.contains(part))
            }
        }
    }

    fn part(&mut self, part: Part, operand: &'e Node, zone: &Zone) -> Result<Val<'e>> {
        let value = self.value(operand)?;
        self.meter.steps(PART_STEPS)?;
        let found = match (value, zone) {
            (Val::Time(time), _) => part.of_time(time, zone),
            (Val::Duration(nanos), Zone::Unsaid) => part.of_duration(nanos),
            _ => None,
        };
        found.map(Val::Int).ok_or(Failure::NoOverload)
    }

    // --- macros ---

    fn each(&mut self, each: &'e Each) -> Result<Val<'e>> {
        let range = self.value(&each.range)?;
        let length = match &range {
            Val::List(list) => list.len(),
            Val::Map(map) => map.len(),
            _ => return Err(Failure::NoOverload),
        };
        let mut run = Run::default();
        for index in 0..length {
            self.meter.step()?;
            let element = match &range {
                Val::List(list) => list.get(index),
                Val::Map(map) => map.key(index),
                _ => None,
            };
            let element = element.ok_or(Failure::Missing)?;
            if let Some(variable) = self.variables.get_mut(each.slot) {
                *variable = element.clone();
            }
            if self.turn(each, element, &mut run)? {
                break;
            }
        }
        run.end(each.quantifier)
    }

    /// One element. True: the rest need not be looked at.
    fn turn(&mut self, each: &'e Each, element: Val<'e>, run: &mut Run<'e>) -> Result<bool> {
        let truth = self.truth(&each.predicate);
        match each.quantifier {
            // Like `&&` and `||`: an element that decides outweighs a failure.
            Quantifier::All | Quantifier::Exists => {
                let deciding = each.quantifier == Quantifier::Exists;
                match truth {
                    Ok(truth) => run.decided = truth == deciding,
                    Err(failure) => run.failed = Some(failure),
                }
                return Ok(run.decided);
            }
            Quantifier::ExistsOne => run.count += usize::from(truth?),
            Quantifier::Collect => {
                if truth? {
                    let value = match &each.result {
                        Some(result) => self.value(result)?,
                        None => element,
                    };
                    run.collected.push(value);
                }
            }
        }
        Ok(false)
    }
}

/// What a macro has found so far.
#[derive(Default)]
struct Run<'e> {
    decided: bool,
    failed: Option<Failure>,
    count: usize,
    collected: Vec<Val<'e>>,
}

impl<'e> Run<'e> {
    fn end(self, quantifier: Quantifier) -> Result<Val<'e>> {
        match quantifier {
            Quantifier::All | Quantifier::Exists => {
                let deciding = quantifier == Quantifier::Exists;
                match self.failed {
                    _ if self.decided => Ok(Val::Bool(deciding)),
                    Some(failure) => Err(failure),
                    None => Ok(Val::Bool(!deciding)),
                }
            }
            Quantifier::ExistsOne => Ok(Val::Bool(self.count == 1)),
            Quantifier::Collect => Ok(Val::List(List::Built(Rc::from(self.collected)))),
        }
    }
}

/// An IPv4-mapped IPv6 address is the IPv4 address.
fn contains(network: &IpNet, address: IpAddr) -> bool {
    network.contains(&address.to_canonical())
}

/// What a map of the input may still hold.
struct Room {
    values: usize,
    bytes: usize,
}

impl Room {
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(())
    }

    fn take_fields(&mut self, fields: &Struct, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        fields.0.iter().try_for_each(|(name, value)| {
            self.take(name.len())?;
            self.take_value(value, depth)
        })
    }

    fn take_value(&mut self, value: &Value, depth: usize) -> Option<()> {
        self.values = self.values.checked_sub(1)?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Some(()),
            Value::String(text) => self.take(text.len()),
            Value::List(values) => {
                let depth = depth.checked_sub(1)?;
                values
                    .iter()
                    .try_for_each(|value| self.take_value(value, depth))
            }
            Value::Struct(fields) => self.take_fields(fields, depth),
        }
    }
}
