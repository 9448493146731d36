//! Files of cases: text in, every issue out; nothing is skipped.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cases::{Asker, Case, Expected, File, Target};
use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue, Issues};
use crate::limits::{ATTRIBUTES_MAX, CASES_BYTES_MAX, CASES_MAX, DELEGATES_MAX, TEXT_BYTES_MAX};
use crate::lint::tree::{self, Form, Node, Value};
use crate::model::member;
use crate::model::outcome::Effect;
use crate::model::value;
use crate::wire::feed;
use crate::wire::proto::postern::v1;

const FILE_FIELDS: &[&str] = &["snapshot", "now", "cases"];
const ROUTE_FIELDS: &[&str] = &["host", "method", "path"];
const CASE_FIELDS: &[&str] = &[
    "name",
    "principal",
    "key",
    "anonymous",
    "permission",
    "resource",
    "route",
    "context",
    "resource_attributes",
    "entity",
    "delegates",
    "source_ip",
    "now",
    "expect",
    "reason",
    "expect_invalid",
];
const MOMENT: &str = "a moment such as \"2026-03-01T12:00:00Z\" (RFC 3339)";
const SUBJECT: &str = "user:EMAIL, serviceAccount:EMAIL[?uid=UID] or principal://...";

/// Reads a file; `name` says the form and stands in issues.
///
/// # Errors
/// Every issue; those of the text alone, if it is no YAML or JSON.
pub fn read(name: &str, text: &str) -> Result<File, Issues> {
    let mut reader = Reader {
        file: name.into(),
        index: Place::WHOLE_FILE,
        issues: Issues::default(),
        names: BTreeSet::new(),
    };
    let root = match root(name, text) {
        Ok(root) => root,
        Err((line, found)) => {
            let allowed = "YAML or JSON";
            reader.issue((line, "file"), Code::Syntax, found, allowed);
            return reader.issues.or(File {
                snapshot: String::new(),
                cases: Vec::new(),
            });
        }
    };
    let file = reader.file(&root);
    reader.issues.or(file)
}

fn root(name: &str, text: &str) -> Result<Node, (u32, String)> {
    if text.len() > CASES_BYTES_MAX {
        let found = format!("{} bytes, over {CASES_BYTES_MAX}: cut the file", text.len());
        return Err((0, found));
    }
    let form = Form::of(name, text);
    // The reader is Envoy's, to whom this word means to leave out what follows.
    let dropping = text
        .lines()
        .zip(1_u32..)
        .find(|(l, _)| l.contains("!ignore"));
    if let Some((_, line)) = dropping.filter(|_| form == Form::Yaml) {
        return Err((line, "`!ignore`, which would drop what follows".to_owned()));
    }
    tree::read(text, form).map_err(|unreadable| (unreadable.line, unreadable.found))
}

/// Where something stands: its line, and the way to it.
type Here<'p> = (u32, &'p str);

struct Reader {
    file: Arc<str>,
    index: u32,
    issues: Issues,
    /// Names of cases so far.
    names: BTreeSet<String>,
}

impl Reader {
    fn issue(
        &mut self,
        (line, path): Here<'_>,
        code: Code,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        self.issues.push(Issue {
            place: Place {
                file: Arc::clone(&self.file),
                line,
                index: self.index,
            },
            path: path.to_owned(),
            code,
            found: found.into(),
            allowed: allowed.into(),
        });
    }

    fn file(&mut self, root: &Node) -> File {
        let mut file = File {
            snapshot: String::new(),
            cases: Vec::new(),
        };
        let Some(fields) = self.fields(root, "file", FILE_FIELDS) else {
            return file;
        };
        match get(fields, "snapshot") {
            Some(node) => file.snapshot = self.text(node, "snapshot").unwrap_or_default(),
            None => self.missing((root.line, "snapshot"), "the path of a snapshot"),
        }
        let now = get(fields, "now").and_then(|node| self.moment(node, "now"));
        let Some(cases) = get(fields, "cases") else {
            self.missing((root.line, "cases"), "a list of cases");
            return file;
        };
        let nodes = self.list(cases, "cases", CASES_MAX);
        if nodes.is_empty() {
            self.missing((cases.line, "cases"), "one case at least");
        }
        for (node, index) in nodes.iter().zip(0_u32..) {
            self.index = index;
            let path = format!("cases[{index}]");
            let Some(mut case) = self.case(node, &path) else {
                continue;
            };
            case.now = case.now.or(now);
            file.cases.push(case);
        }
        self.index = Place::WHOLE_FILE;
        file
    }

    fn case(&mut self, node: &Node, path: &str) -> Option<Case> {
        let fields = self.fields(node, path, CASE_FIELDS)?;
        let at = |field: &str| format!("{path}.{field}");
        let here = (node.line, path);
        let name = self.required(fields, here, "name")?;
        if !self.names.insert(name.clone()) {
            let found = format!("{} again", quoted(&name));
            let allowed = "a name of its own";
            self.issue(
                (node.line, &at("name")),
                Code::DuplicateName,
                found,
                allowed,
            );
        }
        let subject = self.subject(fields, here);
        let target = self.target(fields, here);
        let expected = self.expected(fields, here);
        let mut said = |field: &str| {
            let node = get(fields, field)?;
            self.text(node, &at(field)).map(|text| (node.line, text))
        };
        let entity = said("entity").map(|(_, text)| text);
        let source_ip = said("source_ip");
        let source_ip = source_ip.and_then(|(line, text)| {
            let address = text.parse();
            if address.is_err() {
                let allowed = "an address such as 192.0.2.7";
                self.issue(
                    (line, &at("source_ip")),
                    Code::InvalidValue,
                    quoted(&text),
                    allowed,
                );
            }
            address.ok()
        });
        let now = get(fields, "now").and_then(|node| self.moment(node, &at("now")));
        let delegates = get(fields, "delegates");
        let delegates = delegates.map_or_else(Vec::new, |node| {
            let path = at("delegates");
            let nodes = self.list(node, &path, DELEGATES_MAX);
            let texts = nodes.iter().zip(0..).map(|(node, ix)| {
                self.text(node, &format!("{path}[{ix}]"))
                    .unwrap_or_default()
            });
            texts.collect()
        });
        let context = self.attributes(fields, path, "context");
        let attributes = self.attributes(fields, path, "resource_attributes");
        Some(Case {
            name,
            line: node.line,
            subject: subject?,
            target: target?,
            context,
            attributes,
            entity,
            delegates,
            source_ip,
            now,
            expected: expected?,
        })
    }

    fn subject(&mut self, fields: Fields<'_>, (line, path): Here<'_>) -> Option<Asker> {
        let principal = get(fields, "principal");
        let key = get(fields, "key");
        let anonymous = get(fields, "anonymous");
        match (principal, key, anonymous) {
            (Some(node), None, None) => {
                let path = format!("{path}.principal");
                let text = self.text(node, &path)?;
                if member::parse_subject(&text).is_none() {
                    self.issue(
                        (node.line, &path),
                        Code::InvalidValue,
                        quoted(&text),
                        SUBJECT,
                    );
                    return None;
                }
                Some(Asker::Principal(text))
            }
            (None, Some(node), None) => {
                let path = format!("{path}.key");
                let text = self.text(node, &path)?;
                // What stands here may be the key itself: it is not repeated.
                if !text.contains("/keys/") {
                    let found = format!("a text of {} characters", text.chars().count());
                    let allowed = "the name of a key, OWNER/keys/ID; never the key itself";
                    self.issue((node.line, &path), Code::InvalidName, found, allowed);
                    return None;
                }
                Some(Asker::Key(text))
            }
            (None, None, Some(node)) => {
                let path = format!("{path}.anonymous");
                if !matches!(scalar(node), Some(value::Value::Bool(true))) {
                    let found = shown(node);
                    self.issue((node.line, &path), Code::WrongType, found, "true");
                    return None;
                }
                Some(Asker::Anonymous)
            }
            (None, None, None) => {
                self.missing((line, path), "one of principal, key and anonymous");
                None
            }
            _ => {
                let found = "more than one of principal, key and anonymous";
                self.issue((line, path), Code::InvalidValue, found, "one of them");
                None
            }
        }
    }

    fn target(&mut self, fields: Fields<'_>, here: Here<'_>) -> Option<Target> {
        let (line, path) = here;
        let Some(route) = get(fields, "route") else {
            let permission = self.required(fields, here, "permission");
            let resource = self.required(fields, here, "resource");
            return Some(Target::Named {
                permission: permission?,
                resource: resource?,
            });
        };
        for field in ["permission", "resource", "entity", "delegates", "context"] {
            if let Some(node) = get(fields, field) {
                let path = format!("{path}.{field}");
                let found = format!("{field} beside route");
                let allowed = "one of them: no call can say it";
                self.issue((node.line, &path), Code::InvalidValue, found, allowed);
            }
        }
        if get(fields, "expect_invalid").is_some() {
            let found = "expect_invalid beside route";
            let allowed = "a decision: a call has no other answer";
            self.issue((line, path), Code::InvalidValue, found, allowed);
        }
        let path = format!("{path}.route");
        let call = self.fields(route, &path, ROUTE_FIELDS)?;
        let here = (route.line, path.as_str());
        let host = self.required(call, here, "host");
        let method = self.required(call, here, "method");
        let target = self.required(call, here, "path");
        Some(Target::Call {
            host: host?,
            method: method?,
            path: target?,
        })
    }

    fn expected(&mut self, fields: Fields<'_>, (line, path): Here<'_>) -> Option<Expected> {
        let (decision, invalid) = (get(fields, "expect"), get(fields, "expect_invalid"));
        let reason = get(fields, "reason");
        let decision = match (decision, invalid) {
            (Some(node), None) => node,
            (None, Some(node)) => {
                if reason.is_some() {
                    let found = "reason beside expect_invalid";
                    let allowed = "no reason: what is invalid is not decided";
                    self.issue((line, path), Code::InvalidValue, found, allowed);
                }
                let path = format!("{path}.expect_invalid");
                return self.text(node, &path).map(Expected::Invalid);
            }
            (None, None) => {
                self.missing((line, path), "expect (ALLOW or DENY), or expect_invalid");
                return None;
            }
            (Some(_), Some(_)) => {
                let found = "both expect and expect_invalid";
                self.issue((line, path), Code::InvalidValue, found, "one of them");
                return None;
            }
        };
        let at = format!("{path}.expect");
        let word = self.text(decision, &at)?;
        let effect = match word.as_str() {
            "ALLOW" => Effect::Allow,
            "DENY" => Effect::Deny,
            _ => {
                let here = (decision.line, at.as_str());
                self.issue(here, Code::InvalidValue, quoted(&word), "ALLOW or DENY");
                return None;
            }
        };
        let reason = match reason {
            Some(node) => Some(self.reason(node, &format!("{path}.reason"), effect)?),
            None => None,
        };
        Some(Expected::Decision { effect, reason })
    }

    fn reason(&mut self, node: &Node, path: &str, effect: Effect) -> Option<&'static str> {
        let word = self.text(node, path)?;
        let known = v1::Reason::from_str_name(&format!("REASON_{word}"));
        let known = known.filter(|reason| *reason != v1::Reason::Unspecified);
        let Some(reason) = known else {
            let allowed = "a reason of docs/REASONS.md, such as NO_GRANT";
            self.issue(
                (node.line, path),
                Code::InvalidValue,
                quoted(&word),
                allowed,
            );
            return None;
        };
        let long = reason.as_str_name();
        let short = long.strip_prefix("REASON_").unwrap_or(long);
        if short.starts_with("GRANTED_") != (effect == Effect::Allow) {
            let allowed = match effect {
                Effect::Allow => "a reason of an allow: they begin with GRANTED_",
                Effect::Deny => "a reason of a deny",
            };
            self.issue(
                (node.line, path),
                Code::InvalidValue,
                quoted(&word),
                allowed,
            );
            return None;
        }
        Some(short)
    }

    // === values ===

    fn missing(&mut self, here: Here<'_>, allowed: &str) {
        self.issue(here, Code::Missing, "nothing", allowed);
    }

    /// The fields of an object, all of them known.
    fn fields<'t>(&mut self, node: &'t Node, path: &str, known: &[&str]) -> Option<Fields<'t>> {
        let Value::Map(entries) = &node.value else {
            let allowed = format!("an object with {}", known.join(", "));
            self.issue((node.line, path), Code::WrongType, shown(node), allowed);
            return None;
        };
        for (key, value) in entries {
            if !known.contains(&key.as_str()) {
                let found = format!("the field {}", quoted(key));
                let allowed = known.join(", ");
                self.issue((value.line, path), Code::UnknownField, found, allowed);
            }
        }
        Some(entries)
    }

    fn required(&mut self, fields: Fields<'_>, here: Here<'_>, field: &str) -> Option<String> {
        let (line, path) = here;
        let path = format!("{path}.{field}");
        match get(fields, field) {
            Some(node) => self.text(node, &path),
            None => {
                self.missing((line, &path), "a string");
                None
            }
        }
    }

    /// A string that says something.
    fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        let here = (node.line, path);
        let text = match scalar(node) {
            Some(value::Value::String(text)) => text,
            _ => {
                let found = shown(node);
                self.issue(here, Code::WrongType, found, "a string; quote it");
                return None;
            }
        };
        let bytes = text.len();
        if bytes == 0 {
            self.issue(
                here,
                Code::Missing,
                "an empty string",
                "one that says something",
            );
        } else if bytes > TEXT_BYTES_MAX.saturating_mul(4) {
            let allowed = format!("at most {} bytes", TEXT_BYTES_MAX.saturating_mul(4));
            self.issue(here, Code::OutOfBounds, format!("{bytes} bytes"), allowed);
        } else {
            return Some(text);
        }
        None
    }

    fn moment(&mut self, node: &Node, path: &str) -> Option<i64> {
        let text = self.text(node, path)?;
        let moment = feed::moment(&text);
        if moment.is_none() {
            self.issue((node.line, path), Code::InvalidValue, quoted(&text), MOMENT);
        }
        moment
    }

    fn list<'t>(&mut self, node: &'t Node, path: &str, most: usize) -> &'t [Node] {
        match &node.value {
            Value::List(nodes) if nodes.len() <= most => nodes,
            Value::List(nodes) => {
                let found = format!("{} elements", nodes.len());
                let allowed = format!("at most {most}");
                self.issue((node.line, path), Code::OutOfBounds, found, allowed);
                &[]
            }
            _ => {
                self.issue((node.line, path), Code::WrongType, shown(node), "a list");
                &[]
            }
        }
    }

    fn attributes(&mut self, fields: Fields<'_>, path: &str, field: &str) -> value::Struct {
        let Some(node) = get(fields, field) else {
            return value::Struct::EMPTY;
        };
        let path = format!("{path}.{field}");
        let mut count = 0_usize;
        let plain = plain(node, &mut count);
        if count > ATTRIBUTES_MAX {
            let found = format!("more than {ATTRIBUTES_MAX} values");
            self.issue((node.line, &path), Code::OutOfBounds, found, "fewer");
            return value::Struct::EMPTY;
        }
        match plain {
            Ok(value::Value::Struct(fields)) => fields,
            Ok(_) => {
                self.issue(
                    (node.line, &path),
                    Code::WrongType,
                    shown(node),
                    "an object",
                );
                value::Struct::EMPTY
            }
            Err(wrong) => {
                let allowed = "a number in decimal, or a string in quotes";
                self.issue(
                    (wrong.line, &path),
                    Code::InvalidValue,
                    shown(wrong),
                    allowed,
                );
                value::Struct::EMPTY
            }
        }
    }
}

type Fields<'t> = &'t [(String, Node)];

fn get<'t>(fields: Fields<'t>, field: &str) -> Option<&'t Node> {
    let found = fields.iter().find(|(key, _)| key == field);
    found.map(|(_, node)| node)
}

/// A value of `context`; an error for what could be read in two ways.
fn plain<'t>(node: &'t Node, count: &mut usize) -> Result<value::Value, &'t Node> {
    *count = count.saturating_add(1);
    if *count > ATTRIBUTES_MAX.saturating_add(1) {
        return Ok(value::Value::Null);
    }
    match &node.value {
        Value::List(nodes) => {
            let values: Result<_, _> = nodes.iter().map(|node| plain(node, count)).collect();
            values.map(value::Value::List)
        }
        Value::Map(entries) => {
            let values: Result<_, _> = entries
                .iter()
                .map(|(key, node)| Ok((key.clone(), plain(node, count)?)))
                .collect();
            values.map(|fields| value::Value::Struct(value::Struct(fields)))
        }
        Value::Null | Value::Plain(_) | Value::Text(_) => scalar(node).ok_or(node),
    }
}

/// A scalar by the core schema of YAML, its numbers in decimal; `None` for what is none.
fn scalar(node: &Node) -> Option<value::Value> {
    let text = match &node.value {
        Value::Null => return Some(value::Value::Null),
        Value::Text(text) => return Some(value::Value::String(text.clone())),
        Value::Plain(text) => text,
        Value::List(_) | Value::Map(_) => return None,
    };
    match text.as_str() {
        "true" | "True" | "TRUE" => return Some(value::Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(value::Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if lower.starts_with("0x") || lower.starts_with("0o") || lower == ".inf" || lower == ".nan" {
        return None;
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Some(value::Value::String(text.clone()));
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Some(value::Value::Number(number)),
        Ok(_) => None,
        Err(_) => Some(value::Value::String(text.clone())),
    }
}

/// What stands there, for messages.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Plain(text) => format!("`{}`", short(text)),
        Value::Text(text) => format!("the string {}", quoted(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "an object".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("{:?}", short(text))
}

/// The beginning of a text: messages stay a line.
fn short(text: &str) -> String {
    const CHARS: usize = 80;
    let mut head: String = text.chars().take(CHARS).collect();
    if head.len() < text.len() {
        head.push('\u{2026}');
    }
    head
}
