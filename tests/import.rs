//! `postern import peribolos`: an invented organization in full, the real one in numbers.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "test code outside of test functions"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use postern::decide::authorize;
use postern::graph::document::{Document, Entity};
use postern::graph::issue::{Code, Issues};
use postern::graph::snapshot::Snapshot;
use postern::graph::{Options, build};
use postern::import::convert::{BOTS_DEFAULT, convert};
use postern::import::read::read;
use postern::import::report::{Kind, Report};
use postern::import::source::File;
use postern::model::outcome::{Answer, Effect};
use postern::model::query::{Query, Subject, UnixTime};
use postern::model::value::{Struct, Value};
use postern::wire::feed::decode_one;

/// Every YAML file below `folder`.
fn files(folder: &Path) -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.push(File {
                    path: name,
                    text: std::fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    found
}

fn import(files: &[File], bots: &[&str]) -> Result<(Document, Report), Issues> {
    let bots: BTreeSet<String> = bots.iter().map(|b| (*b).to_owned()).collect();
    let mut report = Report::default();
    let source = read(files, &mut report)?;
    let document = convert(&source, &bots, &mut report)?;
    let built = build(&document, None, &Options::default())?;
    assert_eq!(built.warnings, [], "an import gives no cause for warnings");
    Ok((document, report.sorted()))
}

fn small() -> Vec<File> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/small"))
}

/// One line an entity; what a person needs to review it.
fn lines(document: &Document) -> String {
    let mut out = String::new();
    for located in &document.entities {
        let line = match &located.entity {
            Entity::Organization(o) => format!("{} \"{}\"", o.name, o.display_name),
            Entity::Team(t) => format!("{} \"{}\"", t.name, t.display_name),
            Entity::Project(p) => {
                format!("{} {} \"{}\"", p.name, p.visibility.word(), p.display_name)
            }
            Entity::User(u) => format!("{} {} {}", u.name, u.email, u.username),
            Entity::Group(g) => format!("{} <{}> = {}", g.name, g.email, g.members.join(" ")),
            Entity::ServiceAccount(a) => {
                format!("{} {} default {}", a.name, a.email, a.default_team)
            }
            Entity::Role(r) => format!("{} {} +{}", r.name, r.inherits, r.permissions.len()),
            Entity::AllowPolicy(p) => {
                let mut line = format!("policy of {}", p.resource);
                for binding in &p.bindings {
                    line += &format!("\n  {}: {}", binding.role, binding.members.join(" "));
                }
                line
            }
            other => panic!("the importer made {other:?}"),
        };
        out += &line;
        out.push('\n');
    }
    out
}

#[test]
fn an_invented_organization_becomes_these_entities() {
    let (document, report) = import(&small(), &["example-bot"]).unwrap();
    golden(
        "tests/import/small.golden",
        &format!("{}\n{report}", lines(&document)),
    );
}

/// May this member do this in this project of the invented organization?
fn may(snapshot: &Snapshot, member: &str, permission: &str, resource: &str) -> bool {
    // what the creation of projects must say; the others do not read it
    let context = Struct(vec![(
        "visibility".to_owned(),
        Value::String("TEAM".to_owned()),
    )]);
    let query = Query {
        subject: Subject::Principal(member),
        permission,
        resource,
        context: &context,
        ..Query::EMPTY
    };
    match authorize(snapshot, &query, UnixTime(0)) {
        Answer::Decided(decision) => decision.effect == Effect::Allow,
        Answer::Invalid(violation) => panic!("{member} {permission} {resource}: {violation:?}"),
    }
}

/// Members of the snapshot that may, sorted.
fn who_may(document: &Document, permission: &str, resource: &str) -> Vec<String> {
    let snapshot = build(document, None, &Options::default()).unwrap().snapshot;
    let members = document
        .entities
        .iter()
        .filter_map(|located| match &located.entity {
            Entity::User(user) => Some(format!("user:{}", user.email)),
            Entity::ServiceAccount(account) => Some(format!("serviceAccount:{}", account.email)),
            _ => None,
        });
    let mut members: Vec<String> = members
        .filter(|member| may(&snapshot, member, permission, resource))
        .collect();
    members.sort();
    members
}

#[test]
fn access_on_the_repositories_is_what_the_teams_had() {
    let (document, _) = import(&small(), &["example-bot"]).unwrap();
    let lab = "organizations/example-org/projects/lab";
    let vault = "organizations/example-org/projects/Vault";
    let bot = "serviceAccount:example-bot@example-org.bots.github.invalid";
    let who = |permission, resource| {
        let who = who_may(&document, permission, resource);
        who.iter()
            .map(|m| m.replace("@users.github.invalid", ""))
            .collect::<Vec<_>>()
            .join(" ")
    };
    // write: the team, the team below it (which has its parent's access), and the admins
    let writers = format!("{bot} user:ann user:ben user:carla user:dora user:franz");
    assert_eq!(who("models.runs.create", lab), writers);
    // maintain: only the team below; admin: only the admins
    assert_eq!(
        who("resourcemanager.projects.update", lab),
        format!("{bot} user:ann user:dora user:franz")
    );
    assert_eq!(
        who("resourcemanager.projects.setIamPolicy", lab),
        "user:ann"
    );
    // base permission: everybody in the organization reads
    assert!(who("models.runs.get", vault).contains("user:emil"));
    // the bot of the other organization is another account
    assert!(!who("models.runs.get", vault).contains("example-retired"));
    // maintainers change who is in their team; members do not, and nobody creates projects
    let team = "organizations/example-org/teams/sig-lab";
    assert_eq!(
        who("resourcemanager.teams.inviteMembers", team),
        "user:ann user:carla"
    );
    assert_eq!(who("resourcemanager.projects.create", team), "");
    assert_eq!(
        who(
            "resourcemanager.projects.create",
            "organizations/example-org"
        ),
        ""
    );
}

#[test]
fn the_order_of_the_files_changes_nothing() {
    let (forward, report) = import(&small(), &["example-bot"]).unwrap();
    let mut backward = small();
    backward.reverse();
    assert_eq!(
        import(&backward, &["example-bot"]).unwrap(),
        (forward, report)
    );
}

#[test]
fn a_key_that_is_not_known_is_named_with_its_file_and_line() {
    for (key, file, wrong) in [
        (
            "example-org.colour",
            "example-org/org.yaml",
            "colour: red\n",
        ),
        (
            "example-org.teams.new.color",
            "example-org/more/teams.yaml",
            "teams:\n  new:\n    color: red\n",
        ),
        (
            "example-org.things",
            "example-org/more/teams.yaml",
            "things: []\n",
        ),
        ("limits", "restrictions.yaml", "limits: []\n"),
        (
            "example-org.repos.handbook.licence",
            "example-org/org.yaml",
            "repos: {handbook: {licence: free}}\n",
        ),
    ] {
        let mut files = small();
        files.retain(|f| f.path != file);
        files.push(File {
            path: file.to_owned(),
            text: wrong.to_owned(),
        });
        let issues = import(&files, &[]).unwrap_err();
        let found = issues.list().iter().find(|i| i.code == Code::UnknownField);
        let found = found.unwrap_or_else(|| panic!("{key}: {issues}"));
        assert_eq!((found.path.as_str(), &*found.place.file), (key, file));
        assert!(found.place.line > 0);
    }
}

#[test]
fn what_cannot_be_read_is_an_issue_and_nothing_is_made() {
    for (code, file, text) in [
        (Code::Syntax, "example-org/org.yaml", "admins: [a\n"),
        (
            Code::Syntax,
            "example-org/org.yaml",
            "admins: &a [b]\nmembers: *a\n",
        ),
        (Code::WrongType, "example-org/org.yaml", "admins: {a: b}\n"),
        (Code::WrongType, "example-org/org.yaml", "admins: [12]\n"),
        (Code::WrongType, "example-org/org.yaml", "teams: [a]\n"),
        (
            Code::InvalidName,
            "example-org/org.yaml",
            "admins: [\"a b\"]\n",
        ),
        (
            Code::InvalidValue,
            "example-org/org.yaml",
            "default_repository_permission: all\n",
        ),
        (
            Code::InvalidValue,
            "example-org/org.yaml",
            "teams: {a: {repos: {r: owner}}}\n",
        ),
        (
            Code::DuplicateField,
            "example-org/org.yaml",
            "name: a\nname: b\n",
        ),
        (
            Code::DuplicateName,
            "example-org/org.yaml",
            "teams: {a b: {}, a-b: {}}\n",
        ),
        (
            Code::DuplicateName,
            "example-org/org.yaml",
            "teams: {organization-members: {}}\n",
        ),
        (Code::UnknownKind, "example-org/people.yaml", "a: b\n"),
        (Code::MissingParent, "nobody/teams.yaml", "teams: {}\n"),
    ] {
        let mut files = small();
        files.retain(|f| f.path != file);
        files.push(File {
            path: file.to_owned(),
            text: text.to_owned(),
        });
        let issues = import(&files, &[]).unwrap_err();
        assert!(
            issues.list().iter().any(|i| i.code == code),
            "{text}: {issues}"
        );
    }
    assert!(import(&[], &[]).is_err(), "an empty folder");
}

#[test]
fn a_login_is_a_bot_only_when_the_list_says_so() {
    let (document, _) = import(&small(), &["EXAMPLE-BOT"]).unwrap();
    assert!(lines(&document).contains("organizations/example-org/serviceAccounts/example-bot"));
    let (document, _) = import(&small(), &[]).unwrap();
    assert!(lines(&document).contains("users/example-bot"));
    assert!(!lines(&document).contains("serviceAccounts"));
}

#[test]
fn the_kubernetes_organization_in_numbers() {
    let Some(folder) = kubernetes() else {
        eprintln!(
            "SKIPPED: the Kubernetes organization is not here; set POSTERN_KUBERNETES_ORG to a \
             checkout of kubernetes/org"
        );
        return;
    };
    let (document, report) = import(&files(&folder.join("config")), &BOTS_DEFAULT).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut top, mut repositories) = (0, BTreeSet::new());
    for located in &document.entities {
        let kind = match &located.entity {
            Entity::Organization(_) => "organizations",
            Entity::Team(team) => {
                top += usize::from(team.name.matches('/').count() == 3);
                "teams"
            }
            Entity::Project(project) => {
                repositories.insert(project.name[project.name.rfind('/').unwrap()..].to_owned());
                "projects"
            }
            Entity::User(_) => "users",
            Entity::Group(_) => "groups",
            Entity::ServiceAccount(_) => "service accounts",
            Entity::Role(_) => "roles",
            Entity::AllowPolicy(_) => "allow policies",
            other => panic!("the importer made {other:?}"),
        };
        *counts.entry(kind).or_default() += 1;
    }
    eprintln!(
        "{counts:?}, {top} teams at the top, {} names of repositories",
        repositories.len()
    );
    eprintln!("{}", report.summary());
    assert_eq!(counts["organizations"], 8);
    assert!(counts["teams"] >= 766, "{counts:?}");
    assert!(counts["users"] >= 1_400, "{counts:?}");
    assert!(repositories.len() >= 300, "{counts:?}");
    for repository in [
        "organizations/kubernetes/projects/kubernetes",
        "organizations/kubernetes-sigs/projects/kind",
        "organizations/etcd-io/projects/etcd",
    ] {
        let who = who_may(&document, "models.runs.create", repository);
        eprintln!(
            "{} may models.runs.create on {repository}: {}",
            who.len(),
            who.join(" ")
        );
        assert!(!who.is_empty() && who.len() < 100, "{}", who.len());
    }
    let bots = counts["service accounts"];
    assert_eq!(report.counts()[&Kind::BotScope], bots);
}

/// Where the operator says, or beside this repository.
fn kubernetes() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test that an operator may point somewhere"
    )]
    let said = std::env::var("POSTERN_KUBERNETES_ORG")
        .ok()
        .map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/kubernetes-org");
    said.or_else(|| beside.exists().then_some(beside))
}

/// Compares with a file; `UPDATE_GOLDEN=1` writes it, and the diff is the review.
fn golden(path: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that rewrites golden files"
    )]
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} differs; run with UPDATE_GOLDEN=1 and review the diff. Found:\n{found}",
        path.display()
    );
}

/// Runs the program itself: exit code and what it said.
fn postern(arguments: &[&str]) -> (Option<i32>, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(arguments)
        .output()
        .unwrap();
    let mut said = String::from_utf8(output.stdout).unwrap();
    said += std::str::from_utf8(&output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn the_command_writes_what_validate_accepts_in_every_form() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/import/small");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (document, report) = import(&small(), &["example-bot"]).unwrap();
    for form in ["yaml", "json", "ndjson", "pst"] {
        let (out, list) = (path(&format!("out.{form}")), path("report.txt"));
        let (code, said) = postern(&[
            "import",
            "peribolos",
            source,
            "--out",
            &out,
            "--report",
            &list,
            "--bot",
            "example-bot",
        ]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("2 organizations"), "{said}");
        assert!(said.contains("bot_owner"), "{said}");
        assert_eq!(std::fs::read_to_string(&list).unwrap(), report.to_string());
        let (code, said) = postern(&["validate", &out]);
        assert_eq!(code, Some(0), "{said}");
        let written = decode_one(&format!("out.{form}"), &std::fs::read(&out).unwrap()).unwrap();
        let entities = |document: &Document| {
            document
                .entities
                .iter()
                .map(|located| located.entity.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(entities(&written), entities(&document), "{form}");
    }
}

#[test]
fn the_command_writes_nothing_when_it_fails() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("bad")).unwrap();
    std::fs::write(path("bad/org.yaml"), "").unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/import/small");
    for (code, source, out) in [
        (64, source, path("out.txt")),
        (65, &*path("bad"), path("out.yaml")),
        (65, &*path("gone"), path("out.yaml")),
    ] {
        let (found, said) = postern(&["import", "peribolos", source, "--out", &out]);
        assert_eq!(found, Some(code), "{said}");
        assert!(!Path::new(&out).exists());
    }
}
