//! What `postern explain` prints, and whom a server explains to (SPEC 11.3, 11.5, 16).
//!
//! `UPDATE_GOLDEN=1` writes the page anew; its difference is what to review.

#![expect(clippy::expect_used, reason = "a test names what it found")]

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "shared"
)]
mod support;

use std::path::Path;

use support::{GET, PROJECT, Server, in_directory, replace, run, snapshot, until};

const TEAMS: &str = "organizations/acme/teams";
const PAGE: &str = "tests/explain/acme.golden";

/// What is shown, and the question.
const CASES: &[(&str, &str)] = &[
    (
        "allowed through a chain of groups",
        "user:dan@acme.example resourcemanager.organizations.get organizations/acme",
    ),
    (
        "the barrier of a restricted project",
        "user:dan@acme.example models.runs.get T/vision/projects/recall",
    ),
    (
        "a service account that was not added to it",
        "serviceAccount:trainer@acme-iam.example models.runs.create T/vision/projects/recall",
    ),
    (
        "a seat",
        "user:hugo@acme.example models.runs.create T/vision/projects/benchmark",
    ),
    (
        "a deny policy",
        "user:olga@acme.example models.runs.delete T/vision/teams/edge/projects/firmware",
    ),
    (
        "an exception from it",
        "user:dan@acme.example models.runs.delete T/vision/projects/inspector",
    ),
    (
        "a boundary",
        "user:victor@acme.example models.runs.create T/speech/projects/wakeword",
    ),
    (
        "a condition that is false",
        "user:yusuf@contractor.example models.runs.get T/vision/teams/edge/projects/firmware \
         --context ticket=T-2",
    ),
    (
        "a condition that cannot be evaluated",
        "user:yusuf@contractor.example models.runs.get T/vision/teams/edge/projects/firmware",
    ),
    (
        "a constraint",
        "serviceAccount:deployer@acme-iam.example iam.serviceAccountKeys.create \
         T/platform/serviceAccounts/builder",
    ),
    (
        "a chain that is broken at its second hop",
        "user:olga@acme.example iam.serviceAccounts.getAccessToken \
         organizations/acme/serviceAccounts/auditor \
         --delegate T/vision/teams/edge/serviceAccounts/flasher \
         --delegate organizations/acme/serviceAccounts/pipeline",
    ),
    (
        "somebody that the snapshot does not know",
        "user:eve@acme.example models.runs.get T/vision/projects/inspector",
    ),
    (
        "somebody disabled",
        "user:xander@acme.example models.runs.get T/vision/projects/inspector",
    ),
    (
        "a service that is not in use",
        "user:olga@acme.example weave.traces.list T/vision/teams/edge/projects/firmware",
    ),
    (
        "a role that a project-level one replaces",
        "user:erin@acme.example models.runs.create T/vision/projects/inspector",
    ),
    (
        "the scope of an account",
        "serviceAccount:pipeline@acme-iam.example models.runs.create T/speech/projects/wakeword",
    ),
];

fn company() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for file in ["examples/acme/acme.yaml", "tests/explain/extra.yaml"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let name = from.file_name().expect("a name");
        std::fs::copy(&from, directory.path().join(name)).expect("a copy");
    }
    directory
}

fn ask(snapshot: &str, question: &str, more: &[&str]) -> (i32, String, String) {
    let question = question.replace("T/", &format!("{TEAMS}/"));
    let mut arguments = vec!["explain", "--snapshot", snapshot];
    arguments.extend(question.split_whitespace());
    arguments.extend(more);
    run(&arguments)
}

// SPEC 16: a tree a person can follow.
#[test]
fn the_tree_of_each_telling_case_is_on_the_page() {
    let directory = company();
    let path = directory.path().display().to_string();
    let mut page = String::new();
    for (title, question) in CASES {
        let (code, text, errors) = ask(&path, question, &[]);
        assert!(code == 0 || code == 1, "{title}: {errors}");
        assert_eq!(code == 0, text.starts_with("ALLOW"), "{title}");
        assert!(
            !text.contains('\u{1b}'),
            "{title}: colours without a terminal"
        );
        let question = question.split_whitespace().collect::<Vec<_>>().join(" ");
        page.push_str(&format!("# {title}: {question}\n\n{text}\n"));
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &page).expect("the page is written");
    }
    let expected = std::fs::read_to_string(&golden).expect("the page");
    assert!(
        page == expected,
        "{PAGE} says otherwise; UPDATE_GOLDEN=1 writes:\n{page}"
    );
}

#[test]
fn the_decision_is_that_of_check_and_json_has_the_words_of_the_api() {
    let directory = company();
    let path = directory.path().display().to_string();
    for (title, question) in CASES
        .iter()
        .filter(|(_, question)| !question.contains("--"))
    {
        let question_said = question.replace("T/", &format!("{TEAMS}/"));
        let mut arguments = vec!["check", "--snapshot", &path, "--format", "json"];
        arguments.extend(question_said.split_whitespace());
        let (code, checked, _) = run(&arguments);
        let checked: serde_json::Value = serde_json::from_str(&checked).expect("JSON");
        let (explained_code, explained, _) = ask(&path, question, &["--format", "json"]);
        let explained: serde_json::Value = serde_json::from_str(&explained).expect("JSON");
        assert_eq!(code, explained_code, "{title}");
        let word = |name: &str| checked[name].as_str().expect("a word").to_owned();
        let response = &explained["response"];
        assert_eq!(
            response["decision"],
            format!("DECISION_{}", word("decision")),
            "{title}"
        );
        assert_eq!(
            response["reason"],
            format!("REASON_{}", word("reason")),
            "{title}"
        );
        // proto3 JSON: 64-bit numbers are strings, durations have their unit.
        assert_eq!(response["revision"], "1", "{title}");
        assert_eq!(response["snapshotAge"], "0s", "{title}");
        assert!(
            explained["step"]
                .as_str()
                .is_some_and(|s| s.starts_with("STEP_")),
            "{title}"
        );
    }
    let (code, _, errors) = ask(&path, "user:ann models.runs.get T/vision", &[]);
    assert_eq!(code, 64, "{errors}");
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

// SPEC 11.3, 11.5
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_explains_to_who_is_named_at_a_revision_that_it_keeps() {
    let (directory, path) = in_directory(&snapshot(1, &["ann"]));
    let socket = format!("unix:{}", directory.path().join("s").display());
    let me = uid().to_string();
    let server = Server::serving(
        &path,
        &[
            "--listen",
            &socket,
            "--listen",
            "127.0.0.1:0",
            "--allow-admin-uid",
            &me,
            "--keep-revisions",
            "1",
        ],
    );
    let tcp = server.addresses.iter().find(|a| !a.starts_with("unix:"));
    let tcp = tcp.expect("an address").clone();
    let ann = "user:ann@acme.example";
    let explain = |server: &str, more: &[&str]| {
        let mut arguments = vec!["explain", "--server", server, ann, GET, PROJECT];
        arguments.extend(more);
        run(&arguments)
    };
    let (code, text, errors) = explain(&socket, &[]);
    assert_eq!(code, 0, "{errors}");
    assert!(text.contains("decided on revision 1"), "{text}");
    assert!(text.contains("what would take it away"), "{text}");
    let (code, text, errors) = explain(&tcp, &[]);
    assert_eq!((code, text.as_str()), (65, ""), "{errors}");
    assert!(
        errors.contains("PermissionDenied") && !errors.contains("binding"),
        "{errors}"
    );
    for revision in [2, 3] {
        replace(&path, &snapshot(revision, &["bob"]));
        let word = format!("decided on revision {revision}");
        until(
            &word,
            async || explain(&socket, &[]).1,
            |text| text.contains(&word),
        )
        .await;
    }
    let (code, text, errors) = explain(&socket, &[]);
    assert_eq!(code, 1, "{errors}");
    assert!(text.starts_with("DENY NO_GRANT"), "{text}");
    let (code, text, errors) = explain(&socket, &["--revision", "2"]);
    assert!(
        code == 1 && text.contains("decided on revision 2"),
        "{text}{errors}"
    );
    let (code, _, errors) = explain(&socket, &["--revision", "1"]);
    assert_eq!(code, 65);
    assert!(errors.contains("revision v1 is not kept"), "{errors}");
    server.stop();
}
