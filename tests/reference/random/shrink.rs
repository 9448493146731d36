//! From a disagreement to the smallest snapshot that shows it.

use serde_json::Value;

use crate::engine;
use crate::random::graph;
use crate::reference::decide;
use crate::reference::question::{KeyQuestion, Question};
use crate::reference::world::World;

/// A question of either kind.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Authorize(Question),
    VerifyKey(KeyQuestion),
}

impl Ask {
    /// What the reference says, as text.
    pub(crate) fn answer(&self, world: &World) -> String {
        match self {
            Self::Authorize(q) => format!("{:?}", decide::authorize(world, q)),
            Self::VerifyKey(q) => format!("{:?}", decide::verify_key(world, q)),
        }
    }

    /// Both answers, if they differ.
    pub(crate) fn disagreement(
        &self,
        snapshot: &postern::graph::snapshot::Snapshot,
        world: &World,
    ) -> Option<(String, String)> {
        match self {
            Self::Authorize(q) => {
                let expected = decide::authorize(world, q);
                let got = engine::authorize(snapshot, world, q);
                let same = engine::agrees(&expected, &got);
                (!same).then(|| (format!("{expected:?}"), format!("{got:?}")))
            }
            Self::VerifyKey(q) => {
                let expected = decide::verify_key(world, q);
                let got = engine::verify_key(snapshot, world, q);
                let same = engine::key_agrees(&expected, &got);
                (!same).then(|| (format!("{expected:?}"), format!("{got:?}")))
            }
        }
    }
}

/// Effect and reason in the text of an answer.
pub(crate) fn reason(answer: &str) -> String {
    let words: Vec<&str> = answer.split(", ").take(2).collect();
    words.join(" ")
}

fn disagreement(file: &Value, ask: &Ask) -> Option<(String, String)> {
    let snapshot = engine::build(file).ok()?;
    let mut world = World::read(file);
    world.pepper = graph::PEPPER.as_bytes().to_vec();
    ask.disagreement(&snapshot, &world)
}

/// The smallest snapshot found, the question, and both answers, for a person to read.
pub(crate) fn reproduction(file: &Value, ask: &Ask) -> String {
    let mut small = file.clone();
    // Whatever remains after a round that took nothing away is needed.
    loop {
        let found = candidates(&small).find(|c| disagreement(c, ask).is_some());
        let Some(smaller) = found else { break };
        small = smaller;
    }
    let entities = small["entities"].as_array().unwrap();
    let lines: Vec<String> = entities.iter().map(|e| format!("  {e}")).collect();
    let (expected, got) = disagreement(&small, ask).unwrap();
    format!(
        "{ask:#?}\n{}\nreference: {expected}\nengine:    {got}",
        lines.join("\n")
    )
}

/// The file with one entity less, one element of a list less, or one field less.
fn candidates(file: &Value) -> impl Iterator<Item = Value> + '_ {
    let mut paths = Vec::new();
    removable(file, String::new(), &mut paths);
    paths.into_iter().map(|path| without(file, &path))
}

/// Paths of everything that could be taken away, the greatest first.
fn removable(value: &Value, path: String, paths: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(i, v)| (format!("{path}/{i}"), v))
            .collect(),
        Value::Object(map) => map
            .iter()
            .map(|(k, v)| (format!("{path}/{k}"), v))
            .collect(),
        _ => Vec::new(),
    };
    let kept = ["/entities", "/name", "/uid", "/email", "/resource", "/role"];
    for (path, _) in &inside {
        if !kept.iter().any(|end| path.ends_with(end)) {
            paths.push(path.clone());
        }
    }
    for (path, value) in inside {
        removable(value, path, paths);
    }
}

fn without(file: &Value, path: &str) -> Value {
    let mut smaller = file.clone();
    let (parent, last) = path.rsplit_once('/').unwrap();
    match smaller.pointer_mut(parent).unwrap() {
        Value::Array(list) => {
            list.remove(last.parse().unwrap());
        }
        Value::Object(map) => {
            map.remove(last);
        }
        _ => {}
    }
    smaller
}
