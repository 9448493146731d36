//! The example, ready to be asked.

use std::cell::Cell;
use std::marker::PhantomData;

use postern::graph::snapshot::Snapshot;
use postern::wire::feed;
use serde_json::{Value, json};

use crate::engine;
use crate::reference::decide;
use crate::reference::question::{Answer, KeyAnswer, KeyQuestion, Question, Subject};
use crate::reference::time;
use crate::reference::world::World;

pub(crate) struct Company {
    pub(crate) world: World,
    snapshot: Snapshot,
    /// Member syntax, in the order of the file; last an unknown one and `anonymous`.
    pub(crate) principals: Vec<String>,
    /// Names of nodes with what they are, in order of names.
    pub(crate) resources: Vec<(String, String)>,
    /// Name and text.
    pub(crate) keys: Vec<(String, String)>,
}

pub(crate) fn read() -> Company {
    let directory = format!("{}/examples/acme", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(format!("{directory}/acme.yaml")).unwrap();
    let value = feed::yaml_value(&text, &Cell::new(0), PhantomData::<Value>);
    let file = value.unwrap().unwrap();
    let world = World::read(&file);
    let snapshot = engine::build(&file).unwrap();
    let mut principals: Vec<String> = world
        .users
        .iter()
        .map(|u| format!("user:{}", u.email))
        .collect();
    for account in &world.accounts {
        let shared = world
            .accounts
            .iter()
            .filter(|a| a.email == account.email)
            .count()
            > 1;
        let uid = if shared {
            format!("?uid={}", account.uid)
        } else {
            String::new()
        };
        principals.push(format!("serviceAccount:{}{uid}", account.email));
    }
    principals.push("user:stranger@elsewhere.example".to_owned());
    principals.push("anonymous".to_owned());
    let resources = resources(&world);
    let keys = keys(&std::fs::read_to_string(format!("{directory}/keys.txt")).unwrap());
    Company {
        world,
        snapshot,
        principals,
        resources,
        keys,
    }
}

fn resources(world: &World) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    all.extend(
        world
            .organizations
            .keys()
            .map(|n| (n.clone(), "organization".to_owned())),
    );
    all.extend(world.teams.keys().map(|n| (n.clone(), "team".to_owned())));
    all.extend(
        world
            .projects
            .iter()
            .map(|(n, p)| (n.clone(), format!("{} project", p.visibility))),
    );
    all.extend(
        world
            .accounts
            .iter()
            .map(|a| (a.name.clone(), "service account".to_owned())),
    );
    all.sort();
    all.dedup();
    all
}

/// `keys.txt`: a name on a line of its own, then the key's text.
fn keys(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_name = |line: &str| line.contains("/keys/") && !line.starts_with([' ', '#']);
    let pairs = lines.windows(2).filter(|pair| is_name(pair[0]));
    pairs
        .map(|pair| (pair[0].to_owned(), pair[1].trim().to_owned()))
        .collect()
}

impl Company {
    /// The engine's answer, in the place where gates let it through if they ever do. Of one
    /// answer in eight the reference must think the same.
    pub(crate) fn ask(
        &self,
        who: &str,
        permission: &str,
        resource: &str,
        own: bool,
        check: bool,
    ) -> Answer {
        let account_parent = resource.split("/serviceAccounts/").next().unwrap();
        let q = Question {
            subject: match who {
                "anonymous" => Subject::Anonymous,
                _ => Subject::Principal(who.to_owned()),
            },
            permission: permission.to_owned(),
            resource: resource.to_owned(),
            resource_attributes: if own {
                json!({ "created_by": who })
            } else {
                json!({})
            },
            context: json!({
                "visibility": "TEAM", "destination": resource, "count": 1,
                "attached_resource": account_parent,
            }),
            entity: None,
            attribution: None,
            delegates: Vec::new(),
            source_ip: None,
            now: now(),
        };
        let answer = engine::authorize(&self.snapshot, &self.world, &q);
        if check {
            let expected = decide::authorize(&self.world, &q);
            assert!(
                engine::agrees(&expected, &answer),
                "{q:?}: {expected:?}, not {answer:?}"
            );
        }
        answer
    }

    pub(crate) fn verify(&self, key: &str, resource: Option<&str>) -> String {
        let q = KeyQuestion {
            key: key.to_owned(),
            permission: None,
            resource: resource.map(str::to_owned),
            source_ip: None,
            now: now(),
        };
        let answer = engine::verify_key(&self.snapshot, &self.world, &q);
        assert!(
            engine::key_agrees(&decide::verify_key(&self.world, &q), &answer),
            "{q:?}"
        );
        match answer {
            KeyAnswer::Code(code, _) => code,
            KeyAnswer::Invalid(fields) => format!("INVALID {fields:?}"),
        }
    }
}

fn now() -> i64 {
    time::seconds("2026-06-01T00:00:00Z")
}
