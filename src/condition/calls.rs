//! Functions and methods: the whole list of what may be called.

use std::net::IpAddr;

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};
use ipnet::IpNet;

use crate::condition::Fault;
use crate::condition::lower::{Lowering, conversion};
use crate::condition::names::sees_request;
use crate::condition::pattern::Pattern;
use crate::condition::program::{Function, Literal, Node, TextTest};
use crate::condition::time::{Part, Zone, parse_duration, parse_time};
use crate::limits::CONDITION_PATTERNS_MAX;

type Args<'t> = &'t [IdedExpr];

/// `name(args)`.
pub(super) fn function<'t>(
    lowering: &mut Lowering<'t>,
    name: &str,
    args: Args<'t>,
) -> Result<Node, Fault> {
    match (name, args) {
        ("matches", [text, pattern]) => matches(lowering, text, pattern),
        ("cidr", _) => Err(Fault::NotAllowed(
            "a network can only be asked: cidr('10.0.0.0/8').containsIP(source.ip)".to_owned(),
        )),
        (_, [operand]) => match conversion(name) {
            Some(function) => convert(lowering, name, function, operand),
            None => Err(unknown(name)),
        },
        _ => Err(unknown(name)),
    }
}

/// `target.name(args)`.
pub(super) fn method<'t>(
    lowering: &mut Lowering<'t>,
    target: &'t IdedExpr,
    name: &str,
    args: Args<'t>,
) -> Result<Node, Fault> {
    if let Some(part) = Part::of_method(name) {
        sees_request(lowering.site, name)?;
        let zone = zone(args)?;
        return Ok(Node::Part(part, Box::new(lowering.node(target)?), zone));
    }
    match (name, args) {
        ("matchTag", [key, value]) => {
            sees_request(lowering.site, "resource.matchTag")?;
            if !lowering.is_name(target, "resource") {
                return Err(unknown(name));
            }
            lowering.pair(key, value).map(Node::MatchTag)
        }
        ("containsIP", [address]) => contains_ip(lowering, target, address),
        ("matches", [pattern]) => matches(lowering, target, pattern),
        ("size", []) => Ok(Node::Call(Function::Size, Box::new(lowering.node(target)?))),
        ("startsWith", [part]) => text_test(lowering, TextTest::StartsWith, target, part),
        ("endsWith", [part]) => text_test(lowering, TextTest::EndsWith, target, part),
        ("contains", [part]) => text_test(lowering, TextTest::Contains, target, part),
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Fault {
    Fault::NotAllowed(format!("there is no function `{name}` for these arguments"))
}

/// The text that a node is, if it is written out.
fn written(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn text_test<'t>(
    lowering: &mut Lowering<'t>,
    test: TextTest,
    text: &'t IdedExpr,
    part: &'t IdedExpr,
) -> Result<Node, Fault> {
    Ok(Node::TextTest(test, lowering.pair(text, part)?))
}

fn matches<'t>(
    lowering: &mut Lowering<'t>,
    text: &'t IdedExpr,
    pattern: &IdedExpr,
) -> Result<Node, Fault> {
    let Some(pattern) = written(pattern) else {
        return Err(Fault::NotAllowed(
            "the regular expression of `matches` must be written out".to_owned(),
        ));
    };
    lowering.patterns += 1;
    if lowering.patterns > CONDITION_PATTERNS_MAX {
        return Err(Fault::over(
            "regular expressions",
            lowering.patterns,
            CONDITION_PATTERNS_MAX,
        ));
    }
    let pattern = Box::new(Pattern::compile(pattern)?);
    Ok(Node::Matches(Box::new(lowering.node(text)?), pattern))
}

/// Conversions; times and durations that are written out are read now.
fn convert<'t>(
    lowering: &mut Lowering<'t>,
    name: &str,
    function: Function,
    operand: &'t IdedExpr,
) -> Result<Node, Fault> {
    if matches!(function, Function::ToTime | Function::ToDuration) {
        sees_request(lowering.site, name)?;
    }
    let bad = |text: &str, form: &str| {
        Fault::Syntax(format!("`{name}('{text}')` cannot be read: {form}"))
    };
    match (function, written(operand)) {
        (Function::ToTime, Some(text)) => {
            let form = "expected a time such as 2026-01-31T08:00:00Z, years 1 to 9999";
            let time = parse_time(text).ok_or_else(|| bad(text, form))?;
            Ok(Node::Literal(Literal::Time(time)))
        }
        (Function::ToDuration, Some(text)) => {
            let form = "expected a duration such as 90s or 1h30m, up to 292 years";
            let nanos = parse_duration(text).ok_or_else(|| bad(text, form))?;
            Ok(Node::Literal(Literal::Duration(nanos)))
        }
        _ => Ok(Node::Call(function, Box::new(lowering.node(operand)?))),
    }
}

fn zone(args: Args<'_>) -> Result<Zone, Fault> {
    let [zone] = args else {
        return match args {
            [] => Ok(Zone::Unsaid),
            _ => Err(Fault::NotAllowed(
                "a part of a time takes a time zone and no more".to_owned(),
            )),
        };
    };
    let Some(text) = written(zone) else {
        return Err(Fault::NotAllowed(
            "a time zone must be written out, such as 'Europe/Berlin'".to_owned(),
        ));
    };
    Zone::parse(text).ok_or_else(|| {
        Fault::Syntax(format!(
            "there is no time zone `{text}`: expected UTC, a name such as Europe/Berlin, or an \
             offset such as +01:00"
        ))
    })
}

/// `cidr('10.0.0.0/8').containsIP(address)`.
fn contains_ip<'t>(
    lowering: &mut Lowering<'t>,
    target: &'t IdedExpr,
    address: &'t IdedExpr,
) -> Result<Node, Fault> {
    sees_request(lowering.site, "cidr")?;
    let network = match &target.expr {
        Expr::Call(call) if call.target.is_none() && call.func_name == "cidr" => {
            match call.args.as_slice() {
                [network] => written(network),
                _ => None,
            }
        }
        _ => return Err(unknown("containsIP")),
    };
    let Some(network) = network else {
        return Err(Fault::NotAllowed(
            "the network of `cidr` must be written out".to_owned(),
        ));
    };
    let network = read_network(network)?;
    if let Expr::Select(select) = &address.expr
        && !select.test
        && select.field == "ip"
        && lowering.is_name(&select.operand, "source")
    {
        return Ok(Node::ContainsSourceIp(network));
    }
    if let Some(text) = written(address)
        && text.parse::<IpAddr>().is_err()
    {
        return Err(Fault::Syntax(format!("`{text}` is no address")));
    }
    Ok(Node::ContainsIp(network, Box::new(lowering.node(address)?)))
}

/// A network without host bits. An IPv4-mapped one is the IPv4 network.
fn read_network(text: &str) -> Result<IpNet, Fault> {
    const MAPPED_BITS: u8 = 96;
    let wrong = || {
        Fault::Syntax(format!(
            "`{text}` is no network: expected one such as 10.0.0.0/8 or 2001:db8::/32, \
             without host bits"
        ))
    };
    let network: IpNet = text.parse().map_err(|_| wrong())?;
    if network.trunc() != network {
        return Err(wrong());
    }
    match (network.addr().to_canonical(), network.prefix_len()) {
        (IpAddr::V4(address), bits) if network.addr().is_ipv6() => {
            let bits = bits.checked_sub(MAPPED_BITS).ok_or_else(wrong)?;
            IpNet::new(address.into(), bits).map_err(|_| wrong())
        }
        _ => Ok(network),
    }
}
