//! Look-ups against every single decision, on random graphs (SPEC 11.4).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "reference/engine.rs"]
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
mod engine;
#[path = "reference/random/lib.rs"]
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
mod random;
#[path = "reference/lib.rs"]
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
mod reference;

use std::collections::{BTreeMap, BTreeSet};

use postern::decide;
use postern::decide::lookup::{Ended, Lookup, Page};
use postern::graph::snapshot::Snapshot;
use postern::model::lookup::{IMPERSONATION, Item, Lookup as Asked, Verdict};
use postern::model::outcome::{Answer, Effect, Violation};
use postern::model::query::{KeyDigests, Query, Subject, UnixTime};
use postern::model::value::{Struct, Value};
use serde_json::{Value as Json, json};

use random::dice::Dice;
use random::stock::Stock;
use random::{asks, graph};
use reference::question::{Question, Subject as Asker};
use reference::world::World;

const GRAPHS: u64 = 60;
const QUESTIONS: usize = 12;
const PLAIN: &str = "plain@nowhere.invalid";

/// One snapshot, and what is in it.
struct Graph {
    snapshot: Snapshot,
    nodes: Vec<String>,
    /// Subject, the name it is found by, whether it is a service agent.
    principals: Vec<(Option<String>, String, bool)>,
    /// Living accounts: member and resource name.
    accounts: Vec<(String, String)>,
    conditional: bool,
}

/// What `Authorize` says, so far as look-ups tell it.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Allow,
    Deny,
    /// About the context.
    Context,
    Invalid,
}

fn said(snapshot: &Snapshot, query: &Query<'_>) -> Said {
    match decide::authorize(snapshot, query, UnixTime(asks::now())) {
        Answer::Decided(decision) if decision.effect == Effect::Allow => Said::Allow,
        Answer::Decided(_) => Said::Deny,
        Answer::Invalid(violation) if violation.field.starts_with("context.") => Said::Context,
        Answer::Invalid(_) => Said::Invalid,
    }
}

/// All pages of a look-up, each begun anew as a server does.
fn pages(
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    room: usize,
    steps: u64,
) -> Result<Vec<Item>, Violation> {
    let (mut items, mut at) = (Vec::new(), 0);
    loop {
        let mut lookup = Lookup::new(snapshot, asked, UnixTime(asks::now()))?;
        let mut page = Page {
            at,
            items: Vec::new(),
            room,
            steps: 0,
        };
        let ended = lookup.run(&mut page, steps);
        assert!(page.items.len() <= room);
        assert!(
            ended == Ended::Complete || page.at > at,
            "no page stands still"
        );
        items.extend(page.items);
        at = page.at;
        if ended == Ended::Complete {
            return Ok(items);
        }
    }
}

/// The same whatever the pages are; names that are allowed, and those that need a context.
fn found(snapshot: &Snapshot, asked: &Asked<'_>) -> Result<(Vec<Item>, Vec<Item>), Violation> {
    let whole = pages(snapshot, asked, usize::MAX, u64::MAX)?;
    for (room, steps) in [(1, u64::MAX), (2, 40), (7, u64::MAX), (1_000, 1)] {
        assert_eq!(
            pages(snapshot, asked, room, steps)?,
            whole,
            "{room} {steps}"
        );
    }
    let names: BTreeSet<_> = whole
        .iter()
        .map(|i| (&i.name, &i.through))
        .map(|n| format!("{n:?}"))
        .collect();
    assert_eq!(names.len(), whole.len(), "nothing is found twice");
    Ok(whole
        .into_iter()
        .partition(|item| matches!(item.verdict, Verdict::Allowed(_))))
}

/// Texts that begin with `principal://`, anywhere in a file.
fn federated(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::String(text) if text.starts_with("principal://") => drop(found.insert(text.clone())),
        Json::Array(list) => list.iter().for_each(|item| federated(item, found)),
        Json::Object(map) => map.values().for_each(|item| federated(item, found)),
        _ => {}
    }
}

fn without_conditions(json: &mut Json) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(without_conditions),
        Json::Object(map) => {
            map.remove("condition");
            map.values_mut().for_each(without_conditions);
        }
        _ => {}
    }
}

/// Living accounts, added to the principals.
fn accounts(
    stock: &Stock,
    file: &Json,
    principals: &mut Vec<(Option<String>, String, bool)>,
) -> Vec<(String, String)> {
    let mut accounts = Vec::new();
    for account in stock.accounts.iter().filter(|account| !account.deleted) {
        let member = format!("serviceAccount:{}", account.email.to_ascii_lowercase());
        let entities = file["entities"].as_array().unwrap().iter();
        let agent = entities.map(|e| &e["service_account"]).any(|a| {
            a["uid"] == account.uid
                && a["kind"]
                    .as_str()
                    .is_some_and(|k| k.ends_with("SERVICE_AGENT"))
        });
        let exactly = format!("{member}?uid={}", account.uid);
        principals.push((Some(exactly), member.clone(), agent));
        accounts.push((member, account.name.clone()));
    }
    accounts
}

fn draw(
    seed: u64,
    dice: &Dice,
    catalogue: &reference::catalogue::Catalogue,
) -> Option<(Graph, Vec<Question>, World)> {
    let mut stock = graph::snapshot(dice, catalogue);
    graph::add(
        &mut stock,
        "user",
        json!({ "name": "users/plain", "uid": "u-plain", "email": PLAIN, "username": "plain" }),
    );
    let mut file = stock.file();
    let conditional = seed.is_multiple_of(2);
    if !conditional {
        without_conditions(&mut file);
    }
    let snapshot = engine::build(&file).ok()?;
    let mut world = World::read(&file);
    world.pepper = graph::PEPPER.as_bytes().to_vec();
    let mut principals = vec![
        (None, "allUsers".to_owned(), false),
        (
            Some(format!("user:{PLAIN}")),
            "allAuthenticatedUsers".to_owned(),
            false,
        ),
        (
            Some(format!("user:{PLAIN}")),
            format!("user:{PLAIN}"),
            false,
        ),
    ];
    let pools: Vec<String> = file["entities"]
        .as_array()?
        .iter()
        .filter_map(|e| Some(e["identity_pool"]["name"].as_str()?.to_owned()))
        .collect();
    for pool in &pools {
        let subject = format!("principal://{pool}/subject/named-by-nobody");
        principals.push((Some(subject), format!("principalSet://{pool}/*"), false));
    }
    let mut texts = BTreeSet::new();
    federated(&file, &mut texts);
    texts.retain(|text| {
        pools
            .iter()
            .any(|pool| text.starts_with(&format!("principal://{pool}/subject/")))
    });
    principals.extend(
        texts
            .into_iter()
            .map(|text| (Some(text.clone()), text, false)),
    );
    principals.extend(stock.users.iter().map(|e| {
        let member = format!("user:{}", e.to_ascii_lowercase());
        (Some(member.clone()), member, false)
    }));
    let accounts = accounts(&stock, &file, &mut principals);
    let questions = (0..QUESTIONS)
        .map(|_| asks::question(dice, &stock))
        .collect();
    let graph = Graph {
        snapshot,
        nodes: stock.nodes(),
        principals,
        accounts,
        conditional,
    };
    Some((graph, questions, world))
}

fn subject(text: Option<&str>) -> Subject<'_> {
    text.map_or(Subject::Anonymous, Subject::Principal)
}

fn with(context: &Struct, more: &[(&str, Value)]) -> Struct {
    let mut context = context.clone();
    context
        .0
        .retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    context.0.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    context
}

/// A context that every gate can read, for a resource.
fn rich(graph: &Graph, resource: &str) -> Struct {
    let text = |text: &str| Value::String(text.to_owned());
    let parent = resource.rsplitn(3, '/').nth(2).unwrap_or(resource);
    let project = graph
        .nodes
        .iter()
        .find(|n| n.rsplit('/').nth(1) == Some("projects"));
    with(
        &Struct::EMPTY,
        &[
            ("visibility", text("TEAM")),
            ("attached_resource", text(parent)),
            ("lifetime", text("1h")),
            ("issuer", text("https://accounts.google.com")),
            ("workload_identity", Value::Bool(false)),
            (
                "destination",
                text(project.map_or("organizations/a/projects/p", |p| p)),
            ),
        ],
    )
}

/// What came of it, so that nothing is tested on nothing.
type Tally = BTreeMap<&'static str, usize>;

/// Compares a look-up with the decisions on all its candidates.
fn compare(
    graph: &Graph,
    asked: &Asked<'_>,
    candidates: &[(String, Query<'_>)],
    tally: &mut Tally,
) {
    let (allowed, undecided) = match found(&graph.snapshot, asked) {
        Ok(found) => found,
        Err(violation) => {
            for (_, query) in candidates {
                assert_ne!(
                    said(&graph.snapshot, query),
                    Said::Allow,
                    "{violation:?} {query:?}"
                );
            }
            *tally.entry("invalid").or_default() += 1;
            return;
        }
    };
    let allowed: BTreeSet<_> = allowed
        .into_iter()
        .filter(|i| i.through.is_none())
        .map(|i| i.name)
        .collect();
    let undecided: BTreeSet<_> = undecided.into_iter().map(|i| i.name).collect();
    for (name, query) in candidates {
        let said = said(&graph.snapshot, query);
        assert_eq!(
            allowed.contains(name),
            said == Said::Allow,
            "{name}: {said:?}, {query:?}"
        );
        if undecided.contains(name) {
            assert_eq!(said, Said::Context, "{name}: {query:?}");
        } else if said == Said::Context && !graph.conditional {
            let context = rich(graph, query.resource);
            let query = Query {
                context: &context,
                ..*query
            };
            assert_ne!(
                self::said(&graph.snapshot, &query),
                Said::Allow,
                "{name} {query:?}"
            );
        }
        *tally
            .entry(match said {
                Said::Allow => "allow",
                Said::Deny => "deny",
                Said::Context => "context",
                Said::Invalid => "kind",
            })
            .or_default() += 1;
    }
    let known: BTreeSet<&String> = candidates.iter().map(|(name, _)| name).collect();
    assert!(
        allowed
            .iter()
            .chain(&undecided)
            .all(|name| known.contains(name))
    );
    *tally.entry("undecided").or_default() += undecided.len();
}

fn impersonation(graph: &Graph, query: Query<'_>, tally: &mut Tally) {
    let asked = Asked::Principals {
        query,
        agents: true,
        impersonation: true,
    };
    let Ok((found, _)) = found(&graph.snapshot, &asked) else {
        return;
    };
    let found: BTreeSet<String> = found
        .iter()
        .filter_map(|i| Some((i, i.through.as_ref()?)))
        .map(|(i, through)| format!("{} {} {:?}", i.name, through.account, through.permissions))
        .collect();
    let mut expected = BTreeSet::new();
    for (member, resource) in &graph.accounts {
        let own = Query {
            subject: Subject::Principal(member),
            ..query
        };
        if said(&graph.snapshot, &own) != Said::Allow {
            continue;
        }
        let parent = resource.rsplitn(3, '/').nth(2).unwrap();
        let context = with(
            query.context,
            &[("attached_resource", Value::String(parent.to_owned()))],
        );
        for (principal, name, _) in &graph.principals {
            let permissions: Vec<&str> = IMPERSONATION
                .into_iter()
                .filter(|permission| {
                    let hop = Query {
                        subject: subject(principal.as_deref()),
                        permission,
                        resource,
                        context: &context,
                        resource_attributes: &Struct::EMPTY,
                        entity: None,
                        ..query
                    };
                    name != member && said(&graph.snapshot, &hop) == Said::Allow
                })
                .collect();
            if !permissions.is_empty() {
                expected.insert(format!("{name} {member} {permissions:?}"));
            }
        }
    }
    assert_eq!(found, expected, "{query:?}");
    *tally.entry("through").or_default() += expected.len();
}

fn ask(graph: &Graph, question: &Question, world: &World, tally: &mut Tally) {
    let digests = match &question.subject {
        Asker::Key(text) => engine::digest(text, world),
        Asker::Principal(_) | Asker::Anonymous => KeyDigests::Malformed,
    };
    let resource_attributes = engine::attributes(&question.resource_attributes);
    let context = engine::attributes(&question.context);
    let query = Query {
        subject: match &question.subject {
            Asker::Principal(text) => Subject::Principal(text),
            Asker::Key(_) => Subject::ApiKey(&digests),
            Asker::Anonymous => Subject::Anonymous,
        },
        permission: &question.permission,
        resource: &question.resource,
        resource_attributes: &resource_attributes,
        context: &context,
        entity: question.entity.as_deref(),
        source_ip: question.source_ip,
        ..Query::EMPTY
    };
    permissions(graph, query, tally);
    resources(graph, query, tally);
    principals(graph, query, tally);
}

fn permissions(graph: &Graph, query: Query<'_>, tally: &mut Tally) {
    let permissions = graph.snapshot.permissions();
    let candidates: Vec<_> = permissions
        .iter()
        .map(|(_, row)| {
            (
                row.name.to_string(),
                Query {
                    permission: &row.name,
                    ..query
                },
            )
        })
        .collect();
    compare(graph, &Asked::Permissions { query }, &candidates, tally);
}

fn resources(graph: &Graph, query: Query<'_>, tally: &mut Tally) {
    let parent = graph
        .nodes
        .iter()
        .find(|node| query.resource.starts_with(*node));
    for parent in [None, parent] {
        let below = |node: &&String| {
            parent.is_none_or(|p| *node == p || node.starts_with(&format!("{p}/")))
        };
        let query = Query {
            entity: None,
            ..query
        };
        let candidates: Vec<_> = graph
            .nodes
            .iter()
            .filter(below)
            .map(|node| {
                (
                    node.clone(),
                    Query {
                        resource: node,
                        ..query
                    },
                )
            })
            .collect();
        let asked = Asked::Resources {
            query,
            parent: parent.map(String::as_str),
            kinds: &[],
        };
        compare(graph, &asked, &candidates, tally);
    }
}

fn principals(graph: &Graph, query: Query<'_>, tally: &mut Tally) {
    let question = Query {
        subject: Subject::Anonymous,
        ..query
    };
    for agents in [false, true] {
        let candidates: Vec<_> = graph
            .principals
            .iter()
            .filter(|p| agents || !p.2)
            .map(|(principal, name, _)| {
                (
                    name.clone(),
                    Query {
                        subject: subject(principal.as_deref()),
                        ..question
                    },
                )
            })
            .collect();
        let asked = Asked::Principals {
            query: question,
            agents,
            impersonation: false,
        };
        // With `-` everybody's own team would answer; look-ups want it said.
        if !(query.resource.contains("/teams/-") && query.entity.is_none()) {
            compare(graph, &asked, &candidates, tally);
        }
    }
    impersonation(graph, question, tally);
}

// SPEC 11.4: exact.
#[test]
fn look_ups_find_what_every_single_decision_allows() {
    let catalogue = reference::catalogue::get();
    let mut tally = Tally::new();
    for seed in 1..=GRAPHS {
        let dice = Dice::new(seed);
        let Some((graph, questions, world)) = draw(seed, &dice, &catalogue) else {
            *tally.entry("refused").or_default() += 1;
            continue;
        };
        for question in &questions {
            ask(&graph, question, &world, &mut tally);
        }
    }
    let count = |what: &str| tally.get(what).copied().unwrap_or_default();
    for (what, least) in [
        ("allow", 10_000),
        ("deny", 10_000),
        ("context", 100),
        ("undecided", 50),
        ("kind", 100),
        ("invalid", 10),
        ("through", 100),
    ] {
        assert!(count(what) >= least, "{what}: {tally:?}");
    }
    assert!(count("refused") <= 5, "{tally:?}");
}
