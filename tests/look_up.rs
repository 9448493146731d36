//! Look-ups over gRPC: pages, cursors, errors (SPEC 11.4). That they are exact is in
//! `tests/lookup.rs`, whom they answer in `tests/who_may_ask.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

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

use std::collections::BTreeSet;

use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
use postern::wire::proto::postern::v1::{list_permissions_request, list_resources_request};
use support::{GET, PROJECT, Server, connect, in_directory, reaches, replace, run, snapshot};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

type Client = AuthorizationServiceClient<Channel>;

const INSPECTOR: &str = "organizations/acme/teams/vision/projects/inspector";

async fn demo() -> (Server, Client) {
    let mut server = Server::start(&["--demo", "--listen", "127.0.0.1:0"]);
    server.wait_until_serving();
    let client = Client::new(connect(server.address()).await);
    (server, client)
}

fn who(page_size: u32, page_token: &str) -> v1::ListPrincipalsRequest {
    v1::ListPrincipalsRequest {
        permission: GET.to_owned(),
        resource: INSPECTOR.to_owned(),
        analyze_impersonation: true,
        page_size,
        page_token: page_token.to_owned(),
        ..v1::ListPrincipalsRequest::default()
    }
}

async fn principals(
    client: &mut Client,
    request: v1::ListPrincipalsRequest,
) -> Result<v1::ListPrincipalsResponse, Status> {
    let response = client.list_principals(request).await?;
    Ok(response.into_inner())
}

fn next(page: Option<&v1::PageState>) -> String {
    page.map(|page| page.next_page_token.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_page_size_gives_the_same_and_the_same_as_single_decisions() {
    // SPEC 11.4
    let (server, mut client) = demo().await;
    let whole = principals(&mut client, who(0, "")).await.unwrap();
    assert_eq!(next(whole.page.as_ref()), "");
    assert!(whole.principals.len() > 5, "{whole:?}");
    for size in [1, 2, 3, 7, 1_000] {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = principals(&mut client, who(size, &token)).await.unwrap();
            assert!(page.principals.len() <= usize::try_from(size).unwrap());
            found.extend(page.principals);
            token = next(page.page.as_ref());
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, whole.principals, "pages of {size}");
    }
    let direct: BTreeSet<String> = (whole.principals.iter())
        .filter(|found| found.through.is_empty())
        .map(|found| found.principal.clone())
        .collect();
    assert!(direct.contains("user:farid@acme.example"), "{direct:?}");
    let channel = connect(server.address()).await;
    for user in ["farid", "erin", "hugo", "ada"] {
        let response = support::authorize(&channel, support::question(user, INSPECTOR)).await;
        let allowed = response.unwrap().decision() == v1::Decision::Allow;
        let member = format!("user:{user}@acme.example");
        assert_eq!(direct.contains(&member), allowed, "{member}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn resources_and_permissions_are_found_for_a_key_too() {
    let (server, mut client) = demo().await;
    let key = "pst_demoTrainer1_gKzgvl2S6lnP91TXXVxasuA527P6GZo9he4otHB5o8v_1TIRZF";
    let request = v1::ListResourcesRequest {
        subject: Some(list_resources_request::Subject::Credential(key.to_owned())),
        permission: "models.runs.create".to_owned(),
        kinds: vec![v1::ResourceKind::Project.into()],
        ..v1::ListResourcesRequest::default()
    };
    let found = client.list_resources(request.clone()).await.unwrap();
    let names: Vec<String> = found
        .into_inner()
        .resources
        .into_iter()
        .map(|r| r.name)
        .collect();
    assert!(names.iter().any(|name| name == INSPECTOR), "{names:?}");
    assert!(
        names.iter().all(|name| name.contains("/projects/")),
        "{names:?}"
    );
    let request = v1::ListResourcesRequest {
        parent: INSPECTOR.to_owned(),
        ..request
    };
    let found = client.list_resources(request).await.unwrap().into_inner();
    assert_eq!(found.resources.len(), 1, "{found:?}");

    let request = v1::ListPermissionsRequest {
        subject: Some(list_permissions_request::Subject::Credential(
            key.to_owned(),
        )),
        resource: "organizations/acme/teams/-/projects/inspector".to_owned(),
        ..v1::ListPermissionsRequest::default()
    };
    let found = client.list_permissions(request).await.unwrap().into_inner();
    let names: Vec<String> = found
        .permissions
        .into_iter()
        .map(|p| p.permission)
        .collect();
    assert!(
        names.iter().any(|name| name == "models.runs.create"),
        "{names:?}"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_no_candidate_can_change_is_told() {
    let (server, mut client) = demo().await;
    let denied = |page: Option<v1::PageState>| page.unwrap().denied();
    let gone = v1::ListPrincipalsRequest {
        resource: format!("{INSPECTOR}x"),
        ..who(0, "")
    };
    let found = principals(&mut client, gone).await.unwrap();
    assert_eq!(
        (found.principals.len(), denied(found.page)),
        (0, v1::Reason::ResourceNotFound)
    );
    let request = v1::ListPermissionsRequest {
        subject: Some(list_permissions_request::Subject::Credential(
            "x".repeat(40),
        )),
        resource: INSPECTOR.to_owned(),
        ..v1::ListPermissionsRequest::default()
    };
    let found = client.list_permissions(request).await.unwrap().into_inner();
    assert_eq!(denied(found.page), v1::Reason::CredentialNotFound);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_needs_a_context_is_no_allow_and_is_told() {
    let (server, mut client) = demo().await;
    let mut open = 0;
    for user in ["ada", "farid", "erin"] {
        let request = v1::ListPermissionsRequest {
            subject: Some(list_permissions_request::Subject::Principal(format!(
                "user:{user}@acme.example"
            ))),
            resource: INSPECTOR.to_owned(),
            ..v1::ListPermissionsRequest::default()
        };
        let found = client.list_permissions(request).await.unwrap().into_inner();
        for undecided in &found.undecided {
            let field = &undecided.violation.as_ref().unwrap().field;
            assert!(field.starts_with("context."), "{undecided:?}");
            assert!(
                found
                    .permissions
                    .iter()
                    .all(|p| p.permission != undecided.name)
            );
            open += 1;
        }
    }
    assert!(open > 0);
    server.stop();
}

fn field_of(error: &Status) -> String {
    let details = error.get_error_details();
    let request = details.bad_request().unwrap();
    request.field_violations[0].field.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cursor_is_good_for_its_request_in_its_process_only() {
    // SPEC 11.4: authenticated, tied to request and revision.
    let (server, mut client) = demo().await;
    let token = next(
        principals(&mut client, who(1, ""))
            .await
            .unwrap()
            .page
            .as_ref(),
    );
    let mut changed = token.clone().into_bytes();
    changed[20] ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    let other = v1::ListPrincipalsRequest {
        include_service_agents: true,
        ..who(1, &token)
    };
    for request in [who(1, &changed), who(1, "x"), other] {
        let error = principals(&mut client, request).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error:?}");
        assert_eq!(field_of(&error), "page_token");
    }
    let request = v1::ListPermissionsRequest {
        subject: Some(list_permissions_request::Subject::Anonymous(())),
        resource: INSPECTOR.to_owned(),
        page_token: token.clone(),
        ..v1::ListPermissionsRequest::default()
    };
    let error = client.list_permissions(request).await.unwrap_err();
    assert_eq!(field_of(&error), "page_token");
    let (second, mut elsewhere) = demo().await;
    let error = principals(&mut elsewhere, who(1, &token))
        .await
        .unwrap_err();
    assert_eq!(field_of(&error), "page_token");
    assert!(principals(&mut client, who(2, &token)).await.is_ok());
    server.stop();
    second.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cursor_of_another_revision_is_a_failed_precondition_with_both() {
    let (directory, path) = in_directory(&snapshot(5, &["ann", "bob"]));
    let socket = format!("unix:{}", directory.path().join("s").display());
    let uid = rustix::process::getuid().as_raw().to_string();
    let server = Server::serving(&path, &["--listen", &socket, "--allow-admin-uid", &uid]);
    let channel = connect(&socket).await;
    let mut client = Client::new(channel.clone());
    let ask = |page_token: String| v1::ListPrincipalsRequest {
        permission: GET.to_owned(),
        resource: PROJECT.to_owned(),
        page_size: 1,
        page_token,
        ..v1::ListPrincipalsRequest::default()
    };
    let page = principals(&mut client, ask(String::new())).await.unwrap();
    assert_eq!(page.page.as_ref().unwrap().revision, 5);
    replace(&path, &snapshot(6, &["ann"]));
    reaches(&channel, 6).await;
    let token = next(page.page.as_ref());
    let error = principals(&mut client, ask(token)).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{error:?}");
    let details = error.get_error_details();
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!((&*metadata["begun"], &*metadata["revision"]), ("5", "6"));
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_look_up_names_the_field() {
    // SPEC 15
    let (server, mut client) = demo().await;
    let good = v1::ListResourcesRequest {
        subject: Some(list_resources_request::Subject::Anonymous(())),
        permission: GET.to_owned(),
        ..v1::ListResourcesRequest::default()
    };
    type Change = fn(&mut v1::ListResourcesRequest);
    let wrong: [(&str, Change); 9] = [
        ("subject", |r| r.subject = None),
        ("principal", |r| {
            let ann = "ann".to_owned();
            r.subject = Some(list_resources_request::Subject::Principal(ann));
        }),
        ("permission", |r| r.permission.clear()),
        ("parent", |r| "organizations".clone_into(&mut r.parent)),
        ("parent", |r| {
            "organizations/acme/teams/-".clone_into(&mut r.parent)
        }),
        ("kinds", |r| r.kinds = vec![0]),
        ("kinds", |r| r.kinds = vec![1, 99]),
        ("source_ip", |r| "here".clone_into(&mut r.source_ip)),
        ("page_size", |r| r.page_size = 1_001),
    ];
    for (field, change) in wrong {
        let mut request = good.clone();
        change(&mut request);
        let error = client.list_resources(request).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{field}: {error:?}");
        assert_eq!(field_of(&error), field, "{error:?}");
    }
    assert!(client.list_resources(good).await.is_ok());
    for resource in ["", "organizations/acme/teams/-/projects/inspector"] {
        let request = v1::ListPrincipalsRequest {
            resource: resource.to_owned(),
            ..who(0, "")
        };
        let error = principals(&mut client, request).await.unwrap_err();
        assert_eq!(field_of(&error), "resource", "{error:?}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_commands_say_the_same_of_a_file_and_of_a_server() {
    // SPEC 16
    let (directory, path) = in_directory(&snapshot(1, &["ann"]));
    let socket = format!("unix:{}", directory.path().join("s").display());
    let uid = rustix::process::getuid().as_raw().to_string();
    let listen = ["--listen", &socket, "--listen", "127.0.0.1:0"];
    let arguments = [&listen[..], &["--allow-admin-uid", &uid]].concat();
    let server = Server::serving(&path, &arguments);
    for target in [
        ["--snapshot", path.to_str().unwrap()],
        ["--server", &socket],
    ] {
        let ask =
            |command: &str, question: &[&str]| run(&[&[command][..], &target, question].concat());
        let (code, out, _) = ask("who-may", &[GET, PROJECT]);
        assert_eq!(
            (code, &*out),
            (0, "user:ann@acme.example  GRANTED_BY_POLICY\n")
        );
        let (code, out, _) = ask("who-may", &["models.runs.delete", PROJECT]);
        assert_eq!((code, &*out), (1, ""));
        let (code, _, errors) = ask("who-may", &[GET, "organizations/acme/projects/gone"]);
        assert_eq!(
            (code, &*errors),
            (1, "every answer is DENY RESOURCE_NOT_FOUND\n")
        );
        let (code, out, _) = ask("what-may", &["user:ann@acme.example", PROJECT]);
        assert_eq!(code, 0);
        assert!(
            out.contains("models.runs.get  GRANTED_BY_POLICY\n"),
            "{out}"
        );
        assert_eq!(ask("what-may", &["anonymous", PROJECT]).0, 1);
        assert_eq!(ask("what-may", &["ann", PROJECT]).0, 64);
    }
    let tcp = server.addresses.iter().find(|a| !a.starts_with("unix:"));
    let (code, _, errors) = run(&["who-may", "--server", tcp.unwrap(), GET, PROJECT]);
    assert_eq!(code, 65);
    assert!(errors.contains("--allow-admin-uid"), "{errors}");
    server.stop();
}
