//! Random conditions, as text (SPEC 7.1).

use crate::random::dice::Dice;
use crate::random::stock::Stock;

/// What a condition may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Of an allow binding or a deny rule.
    Rule,
    /// Of a boundary binding: the principal only.
    Boundary,
}

pub(crate) fn condition(dice: &Dice, stock: &Stock, place: Place) -> String {
    match dice.below(10) {
        0..=4 => atom(dice, stock, place),
        5..=8 => joined(dice, stock, place),
        _ => format!(
            "{} ? {} : {}",
            atom(dice, stock, place),
            joined(dice, stock, place),
            atom(dice, stock, place)
        ),
    }
}

fn joined(dice: &Dice, stock: &Stock, place: Place) -> String {
    let part = || {
        let inner = atom(dice, stock, place);
        match dice.below(5) {
            0 => format!("!({inner})"),
            1 => format!(
                "({inner} {} {})",
                dice.pick(&["&&", "||"]),
                atom(dice, stock, place)
            ),
            _ => inner,
        }
    };
    format!("{} {} {}", part(), dice.pick(&["&&", "||"]), part())
}

fn atom(dice: &Dice, stock: &Stock, place: Place) -> String {
    if place == Place::Boundary {
        return of_principal(dice, stock);
    }
    match dice.below(12) {
        0..=1 => of_time(dice),
        2..=3 => of_name(dice, stock),
        4 => of_type(dice),
        5..=6 => format!(
            "resource.matchTag(\"{}\", \"{}\")",
            dice.pick(&["env", "tier"]),
            dice.pick(&["prod", "dev", "1"])
        ),
        7..=8 => of_context(dice),
        9 => of_attributes(dice),
        10 => {
            let range = dice.pick(&["10.0.0.0/8", "192.0.2.0/25", "2001:db8::/32"]);
            format!("cidr(\"{range}\").containsIP(source.ip)")
        }
        _ => of_principal(dice, stock),
    }
}

/// The questions are asked at 2026-06-01T00:00:00Z, a Monday.
fn of_time(dice: &Dice) -> String {
    let sign = dice.pick(&["<", "<=", ">", ">=", "==", "!="]);
    let moments = [
        "2026-05-31T23:59:59Z",
        "2026-06-01T00:00:00Z",
        "2026-06-01T00:00:01Z",
    ];
    match dice.below(6) {
        0 => format!("request.time.getFullYear() {sign} 2026"),
        1 => format!("request.time.getHours() {sign} {}", dice.below(3)),
        2 => format!("request.time.getDayOfWeek() {sign} {}", dice.below(3)),
        3 => {
            format!("request.time - duration(\"3600s\") {sign} timestamp(\"2026-05-31T23:00:00Z\")")
        }
        _ => format!("request.time {sign} timestamp(\"{}\")", dice.pick(&moments)),
    }
}

fn of_name(dice: &Dice, stock: &Stock) -> String {
    let nodes = if stock.projects.is_empty() || dice.percent(30) {
        &stock.teams
    } else {
        &stock.projects
    };
    let node = dice.pick(nodes);
    match dice.below(5) {
        0 => format!("resource.name == \"{node}\""),
        1 => format!(
            "resource.name.endsWith(\"/{}\")",
            dice.pick(&["p", "q", "runs/1"])
        ),
        2 => format!(
            "resource.name.contains(\"{}\")",
            dice.pick(&["/teams/t", "/projects/", "/runs/"])
        ),
        _ => format!("resource.name.startsWith(\"{node}\")"),
    }
}

fn of_type(dice: &Dice) -> String {
    match dice.below(3) {
        0 => "resource.type in [\"projects\", \"runs\"]".to_owned(),
        1 => "resource.type != \"serviceAccounts\"".to_owned(),
        _ => format!(
            "resource.type == \"{}\"",
            dice.pick(&[
                "projects",
                "serviceAccounts",
                "teams",
                "runs",
                "organizations"
            ])
        ),
    }
}

/// What is said in the context may be missing, or of another type.
fn of_context(dice: &Dice) -> String {
    let sign = dice.pick(&["<", "<=", ">", ">=", "==", "!="]);
    match dice.below(8) {
        0 => format!("request.attributes.level {sign} {}", dice.range(1, 5)),
        1 => format!("request.attributes.level {sign} {}.5", dice.range(1, 4)),
        2 => "request.attributes.mode == \"fast\"".to_owned(),
        3 => "request.attributes.mode.startsWith(\"s\")".to_owned(),
        4 => "has(request.attributes.mode)".to_owned(),
        5 => "request.attributes.flag".to_owned(),
        6 => "\"a\" in request.attributes.labels".to_owned(),
        _ => "request.attributes.mode in [\"fast\", \"slow\"]".to_owned(),
    }
}

fn of_attributes(dice: &Dice) -> String {
    match dice.below(4) {
        0 => "resource.attributes.size >= 2".to_owned(),
        1 => "has(resource.attributes.color)".to_owned(),
        2 => "resource.attributes.color.deep == \"x\"".to_owned(),
        _ => "resource.attributes.color == \"red\"".to_owned(),
    }
}

fn of_principal(dice: &Dice, stock: &Stock) -> String {
    let kind = dice.pick(&["user", "serviceAccount", "principal", "anonymous"]);
    let one = if dice.percent(70) {
        dice.pick(&stock.users).clone()
    } else {
        dice.pick(&stock.accounts).email.clone()
    };
    match dice.below(6) {
        0..=1 => format!("principal.type == \"{kind}\""),
        2 => format!("principal.type != \"{kind}\""),
        3 => format!(
            "principal.subject.endsWith(\"{}\")",
            dice.pick(&["@x.example", "@y.example", "@svc.example", "/subject/s"])
        ),
        4 => format!("principal.subject in [\"{one}\", \"nobody@x.example\"]"),
        _ => format!("principal.subject == \"{one}\""),
    }
}
