//! What the benches share: seeded graphs of any size with matching questions, and clocks.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each bench uses its part"
)]
#![allow(
    clippy::too_many_lines,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, prints, and reads the clock"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use postern::credential::api_key;
use postern::graph::document::{
    AllowPolicy, AnyOr, Authentication, Binding, Document, Entity, Group, Key, KeyMaterial,
    Located, Organization, Place, Project, ServiceAccount, Team, User, Visibility,
};
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options};

/// A small generator of numbers (xorshift*): seeded, the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Small numbers are likelier: the square of a uniform one.
    pub fn skewed(&mut self, bound: usize) -> usize {
        let uniform = self.below(1 << 20) as f64 / f64::from(1 << 20);
        ((uniform * uniform) * bound as f64) as usize
    }
}

/// Shape of a graph of about `entities` entities: one organization per 10,000, and per
/// organization 2 % teams, 18 % projects, 25 % users, 30 % service accounts, 1 % groups, the
/// rest policies; each user in one or two teams, 1 in 4 accounts with a binding of its own.
pub struct Graph {
    pub document: Document,
    pub users: Vec<String>,
    pub accounts: Vec<String>,
    pub projects: Vec<String>,
    pub account_names: Vec<String>,
}

pub fn graph(entities: usize, seed: u64) -> Graph {
    let mut random = Random(seed | 1);
    let mut made = Graph {
        document: Document::default(),
        users: Vec::new(),
        accounts: Vec::new(),
        projects: Vec::new(),
        account_names: Vec::new(),
    };
    let organizations = (entities / 10_000).max(1);
    let per = entities / organizations;
    for o in 0..organizations {
        organization(&mut made, &mut random, o, per);
    }
    made
}

fn push(made: &mut Graph, entity: Entity) {
    let place = Place::default();
    made.document.entities.push(Located { place, entity });
}

fn organization(made: &mut Graph, random: &mut Random, o: usize, per: usize) {
    let name = format!("organizations/org-{o}");
    let (teams, projects) = ((per / 50).max(2), (per * 18 / 100).max(4));
    let (users, accounts, groups) = ((per / 4).max(4), (per * 3 / 10).max(4), (per / 100).max(1));
    push(
        made,
        Entity::Organization(Organization {
            name: name.clone(),
            ..Default::default()
        }),
    );
    let mut team_names: Vec<String> = Vec::new();
    for t in 0..teams {
        // One team in three is nested in an earlier one.
        let parent = if t % 3 == 2 {
            team_names[random.skewed(t)].clone()
        } else {
            name.clone()
        };
        let depth = parent.matches('/').count();
        let parent = if depth > 9 { name.clone() } else { parent };
        let team = format!("{parent}/teams/team-{t}");
        push(
            made,
            Entity::Team(Team {
                name: team.clone(),
                ..Default::default()
            }),
        );
        team_names.push(team);
    }
    let first_project = made.projects.len();
    for p in 0..projects {
        let project = format!("{}/projects/project-{p}", team_names[random.skewed(teams)]);
        let visibility = match random.below(10) {
            0 => Visibility::Restricted,
            1 => Visibility::Public,
            2 => Visibility::Open,
            _ => Visibility::Team,
        };
        push(
            made,
            Entity::Project(Project {
                name: project.clone(),
                display_name: String::new(),
                tags: Default::default(),
                visibility,
                service_account_quota: None,
                services: AnyOr::Any,
            }),
        );
        made.projects.push(project);
    }
    let mut members: Vec<Vec<String>> = vec![Vec::new(); teams];
    let mut org_members: Vec<String> = Vec::new();
    let mut group_members: Vec<Vec<String>> = vec![Vec::new(); groups];
    for u in 0..users {
        let email = format!("user-{u}@org-{o}.example");
        push(
            made,
            Entity::User(User {
                name: format!("users/user-{o}-{u}"),
                uid: format!("u-{o}-{u}"),
                email: email.clone(),
                ..Default::default()
            }),
        );
        let member = format!("user:{email}");
        for _ in 0..=random.below(2) {
            members[random.skewed(teams)].push(member.clone());
        }
        group_members[random.skewed(groups)].push(member.clone());
        org_members.push(member.clone());
        made.users.push(member);
    }
    let mut grants: Vec<(String, String)> = Vec::new();
    for a in 0..accounts {
        let parent = match random.below(10) {
            0 => name.clone(),
            1..=4 => team_names[random.skewed(teams)].clone(),
            _ => made.projects[first_project + random.skewed(projects)].clone(),
        };
        let email = format!("sa-{a}@org-{o}.example");
        let account = format!("{parent}/serviceAccounts/sa-{a}");
        push(
            made,
            Entity::ServiceAccount(ServiceAccount {
                name: account.clone(),
                uid: format!("s-{o}-{a}"),
                email: email.clone(),
                display_name: String::new(),
                tags: Default::default(),
                kind: Default::default(),
                authentication: Authentication::BuiltIn,
                federated_subject: String::new(),
                default_team: if parent == name {
                    team_names[0].clone()
                } else {
                    String::new()
                },
                disabled: false,
                deleted_at: None,
                has_domain_wide_delegation: false,
            }),
        );
        let member = format!("serviceAccount:{email}");
        if random.below(4) == 0 {
            let project = first_project + random.below(projects);
            grants.push((made.projects[project].clone(), member.clone()));
        }
        made.accounts.push(member);
        made.account_names.push(account);
    }
    for (g, list) in group_members.into_iter().enumerate() {
        let email = format!("group-{g}@org-{o}.example");
        push(
            made,
            Entity::Group(Group {
                name: format!("{name}/groups/group-{g}"),
                uid: format!("g-{o}-{g}"),
                email: email.clone(),
                members: list,
            }),
        );
        let project = first_project + random.below(projects);
        grants.push((made.projects[project].clone(), format!("group:{email}")));
    }
    policies(made, &name, &team_names, members, org_members, grants);
}

fn policies(
    made: &mut Graph,
    organization: &str,
    teams: &[String],
    members: Vec<Vec<String>>,
    org_members: Vec<String>,
    mut grants: Vec<(String, String)>,
) {
    let binding = |role: &str, members| Binding {
        role: role.into(),
        members,
        condition: None,
    };
    let chunks = |role: &str, members: Vec<String>| -> Vec<Binding> {
        members
            .chunks(1_000)
            .map(|chunk| binding(role, chunk.to_vec()))
            .collect()
    };
    push(
        made,
        Entity::AllowPolicy(AllowPolicy {
            resource: organization.into(),
            bindings: chunks("roles/org.member", org_members),
        }),
    );
    for (team, list) in teams.iter().zip(members) {
        let bindings = chunks("roles/team.member", list);
        push(
            made,
            Entity::AllowPolicy(AllowPolicy {
                resource: team.clone(),
                bindings,
            }),
        );
    }
    grants.sort();
    for chunk in grants.chunk_by(|a, b| a.0 == b.0) {
        let list = chunk.iter().map(|(_, member)| member.clone()).collect();
        push(
            made,
            Entity::AllowPolicy(AllowPolicy {
                resource: chunk[0].0.clone(),
                bindings: vec![binding("roles/editor", list)],
            }),
        );
    }
}

/// Adds `count` keys to the accounts, in turn. The i-th key's text is `key_text(i)`.
pub fn add_keys(made: &mut Graph, count: usize) {
    for i in 0..count {
        let a = i % made.account_names.len();
        let name = format!("{}/keys/k{i}", made.account_names[a]);
        let owner_uid = {
            let (o, rest) = made.accounts[a].split_once("@org-").unwrap();
            let o = o.strip_prefix("serviceAccount:sa-").unwrap();
            format!("s-{}-{o}", rest.strip_suffix(".example").unwrap())
        };
        push(
            made,
            Entity::Key(Key {
                name,
                uid: String::new(),
                owner_uid,
                organization: String::new(),
                created_at: None,
                material: KeyMaterial::Sha256(api_key::sha256(&key_text(i))),
                not_before: None,
                not_after: None,
                disabled: false,
                exposed_at: None,
                restrictions: None,
                has_rate_limit: false,
            }),
        );
    }
}

/// A foreign key of 40 hexadecimal digits.
pub fn key_text(i: usize) -> String {
    let mut random = Random((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    format!(
        "{:016x}{:016x}{:08x}",
        random.next(),
        random.next(),
        random.next() as u32
    )
}

pub fn build(document: &Document) -> Snapshot {
    match graph::build(
        document,
        None,
        &Options {
            has_pepper: false,
            hash_seed: 7,
        },
    ) {
        Ok(built) => built.snapshot,
        Err(issues) => panic!("{issues}"),
    }
}

/// Percentiles of single calls, less what reading the clock twice costs.
pub fn percentiles(mut call: impl FnMut(usize), count: usize) -> Histogram<u64> {
    let overhead = clock_overhead();
    let mut histogram = Histogram::new_with_bounds(1, 1_000_000_000, 3).unwrap();
    for i in 0..count {
        let start = Instant::now();
        call(i);
        let took = start.elapsed().saturating_sub(overhead);
        histogram.record((took.as_nanos() as u64).max(1)).unwrap();
    }
    histogram
}

/// Mean of many calls between two readings of the clock.
pub fn mean(mut call: impl FnMut(usize), count: usize) -> f64 {
    let start = Instant::now();
    for i in 0..count {
        call(i);
    }
    start.elapsed().as_nanos() as f64 / count as f64
}

fn clock_overhead() -> Duration {
    let mut all: Vec<Duration> = (0..10_000)
        .map(|_| {
            let start = Instant::now();
            black_box(start.elapsed())
        })
        .collect();
    all.sort();
    all[all.len() / 2]
}

/// Resident bytes of this process.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .unwrap_or_default();
    let number: String = line.chars().filter(char::is_ascii_digit).collect();
    number.parse::<u64>().unwrap_or(0) * 1024
}

/// Sizes to run: those up to `POSTERN_BENCH_MAX` (default 1,000,000).
pub fn sizes(all: &[usize]) -> Vec<usize> {
    let max = std::env::var("POSTERN_BENCH_MAX").map_or(1_000_000, |m| m.parse().unwrap());
    all.iter().copied().filter(|size| *size <= max).collect()
}
