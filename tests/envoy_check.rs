//! `envoy.service.auth.v3.Authorization/Check` over gRPC: requests as Envoy sends them, and
//! that nothing but a decision that allows, or the operator's word, lets a call through.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
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

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, unreachable_pub, reason = "shared")]
#[path = "envoy/ask.rs"]
mod ask;

use ask::{ANN, ANN_ACME, Ask, BOB_OFF, DOMAIN, NARROW, ROBOT, Told, get, snapshot, told};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use postern::model::path::{AllowedClasses, PathClass};
use postern::wire::envoy::settings::{NoRoute, Settings, TrustDomain};
use prost::Message as _;
use support::InProcess;
use tonic::transport::Channel;

type Client = AuthorizationClient<Channel>;

async fn serving(settings: Settings) -> (InProcess, Client) {
    let mut pdp = InProcess::with_envoy(settings);
    pdp.publish(&snapshot());
    let channel = support::connect(&pdp.address).await;
    (pdp, AuthorizationClient::new(channel))
}

async fn check(client: &mut Client, ask: Ask) -> Told {
    let response = client.check(ask.request()).await.expect("an answer");
    told(&response.into_inner())
}

/// Asks each and compares what is told.
async fn table(client: &mut Client, rows: Vec<(&str, Ask, &str)>) {
    let mut wrong = Vec::new();
    for (name, ask, expected) in rows {
        let told = check(client, ask).await;
        let found = match told.metadata.get("reason") {
            Some(reason) if told.what != "allow" => format!("{} {reason}", told.what),
            _ => told.what.clone(),
        };
        if found != expected {
            wrong.push(format!("{name}: {found}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const RUNS: &str = "/v1/ml/p/runs";

/// The call that a row of the table says.
fn row(line: &str) -> (&str, Ask, &str) {
    let mut columns = line.split('|').map(str::trim);
    let mut next = || columns.next().expect("five columns");
    let (name, expected, method, host, path) = (next(), next(), next(), next(), next());
    let mut ask = get(path).with(|ask| {
        ask.method = method.to_owned();
        ask.host = host.to_owned();
    });
    for column in columns {
        if let Some(address) = column.strip_prefix("from ") {
            ask.source = address.to_owned();
            continue;
        }
        let (name, value) = column.split_once(": ").expect("a header");
        let keys = [
            ("ANN", ANN),
            ("ROBOT", ROBOT),
            ("NARROW", NARROW),
            ("OFF", BOB_OFF),
        ];
        let value = keys.iter().fold(value.to_owned(), |value, (word, key)| {
            value.replace(word, key)
        });
        ask = ask.header(name, &value);
    }
    (name, ask, expected)
}

// SPEC 9.1, 9.2, 13.1, 13.2
#[tokio::test]
async fn every_row_of_the_table_is_answered_as_it_says() {
    let (_pdp, mut client) = serving(Settings::default()).await;
    let text = include_str!("envoy/calls.txt");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows: Vec<_> = lines.map(row).collect();
    assert!(rows.len() > 50);
    table(&mut client, rows).await;
    // A body is stepped over, whatever it is.
    let large = get(RUNS)
        .bearer(ANN)
        .with(|ask| ask.body = vec![0xff; 1 << 20]);
    assert_eq!(check(&mut client, large).await.what, "allow");
}

// SPEC 13.2
#[tokio::test]
async fn ambiguous_paths_are_bad_requests_with_a_key_and_without() {
    let (_pdp, mut client) = serving(Settings::default()).await;
    let mut rows = vec![(
        "twice",
        get(RUNS).bearer(ANN).bearer(ANN).with(|ask| ask.map = true),
        "400 AMBIGUOUS_REQUEST",
    )];
    let paths = [
        "//v1/ml/p/runs",
        "/v1//ml/p/runs",
        "/v1/ml/p/runs/../runs",
        "/v1/ml/./p/runs",
        "/v1/ml%2fp/runs",
        "/v1/ml%5Cp/runs",
        "/v1\\ml/p/runs",
        "/v1/ml/p/runs%00",
        "/v1/ml/%2e%2e/p/runs",
        "/v1/ml/p/runs%zz",
        "/v1/ml/p/runs;x=1",
        "/v1/ml/p/runs\u{1}",
        "/v1/ml/p/caf\u{e9}",
    ];
    for path in paths {
        rows.push((path, get(path).bearer(ANN), "400 AMBIGUOUS_REQUEST"));
        let fixed = get(path)
            .bearer(ANN)
            .extension("postern.permission", "models.runs.get")
            .extension("postern.resource", "organizations/acme/teams/ml/projects/p");
        rows.push((path, fixed, "400 AMBIGUOUS_REQUEST"));
        rows.push((path, get(path), "400 AMBIGUOUS_REQUEST"));
    }
    table(&mut client, rows).await;
    let settings = Settings {
        paths: AllowedClasses::NONE.with(PathClass::Semicolon),
        ..Settings::default()
    };
    let (_pdp, mut client) = serving(settings).await;
    let rows = vec![
        (
            "allowed class",
            get("/open/open;x=1"),
            "403 RESOURCE_NOT_FOUND",
        ),
        ("another", get("/open//open;x=1"), "400 AMBIGUOUS_REQUEST"),
    ];
    table(&mut client, rows).await;
}

// SPEC 13.1
#[tokio::test]
async fn context_extensions_beat_routes_and_half_of_them_is_a_mistake() {
    let (_pdp, mut client) = serving(Settings::default()).await;
    let project = "organizations/acme/teams/ml/projects/p";
    let both = |path: &str| {
        get(path)
            .extension("virtual_host", "x")
            .extension("postern.permission", "models.runs.get")
            .extension("postern.resource", project)
    };
    let permission = |path| get(path).extension("postern.permission", "models.runs.get");
    let resource = |path| get(path).extension("postern.resource", project);
    let empty = permission(RUNS)
        .bearer(ANN)
        .extension("postern.resource", "");
    let malformed = permission(RUNS)
        .bearer(ANN)
        .extension("postern.resource", "x");
    let elsewhere = "organizations/other/teams/t/projects/x";
    let elsewhere = permission(RUNS)
        .bearer(ANN)
        .extension("postern.resource", elsewhere);
    let rows = vec![
        ("both", both("/nowhere").bearer(ANN), "allow"),
        ("both, on a route", both("/open/open").bearer(ANN), "allow"),
        (
            "both, never anonymous",
            both("/open/open"),
            "401 UNAUTHENTICATED",
        ),
        (
            "both, never shadow",
            both("/shadow/p"),
            "401 UNAUTHENTICATED",
        ),
        (
            "permission only",
            permission(RUNS).bearer(ANN),
            "403 NO_GRANT",
        ),
        ("resource only", resource(RUNS).bearer(ANN), "403 NO_GRANT"),
        (
            "misspelt",
            both(RUNS).bearer(ANN).extension("postern.permision", "x"),
            "403 NO_GRANT",
        ),
        (
            "only misspelt",
            get(RUNS).bearer(ANN).extension("postern.mode", "x"),
            "403 NO_GRANT",
        ),
        ("empty", empty, "403 NO_GRANT"),
        ("malformed", malformed, "403 RESOURCE_NOT_FOUND"),
        ("another organization", elsewhere, "403 NO_GRANT"),
        (
            "others' keys",
            get(RUNS).bearer(ANN).extension("poster", "x"),
            "allow",
        ),
    ];
    table(&mut client, rows).await;
}

// SPEC 9.6
#[tokio::test]
async fn a_mapped_peer_is_its_account_and_a_key_beats_it() {
    let mapped = |organization: &str| Settings {
        trust_domains: vec![TrustDomain {
            domain: DOMAIN.to_owned(),
            organization: organization.to_owned(),
        }],
        ..Settings::default()
    };
    let peer = |name: &str| {
        let principal = format!("spiffe://{DOMAIN}/ns/a/sa/{name}");
        get(RUNS).with(|ask| ask.principal = principal)
    };
    let (_pdp, mut client) = serving(mapped("organizations/acme")).await;
    let other_domain = get(RUNS).with(|a| a.principal = "spiffe://m/ns/a/sa/sidecar".into());
    let rows = vec![
        ("peer", peer("sidecar"), "allow"),
        ("disabled", peer("asleep"), "401 PRINCIPAL_DISABLED"),
        ("unknown", peer("nobody"), "401 UNAUTHENTICATED"),
        ("unmapped", other_domain, "401 UNAUTHENTICATED"),
        (
            "no domain",
            get(RUNS).with(|a| a.principal = "CN=sidecar".into()),
            "401 UNAUTHENTICATED",
        ),
        ("a key beats it", peer("asleep").bearer(ANN), "allow"),
        (
            "a bad key too",
            peer("sidecar").bearer(BOB_OFF),
            "401 CREDENTIAL_DISABLED",
        ),
    ];
    table(&mut client, rows).await;
    let told = check(&mut client, peer("sidecar")).await;
    assert_eq!(
        told.set["x-postern-principal"],
        "serviceAccount:sidecar@acme.example"
    );
    assert_eq!(told.set["x-postern-team"], "organizations/acme/teams/ml");
    let told = check(&mut client, peer("sidecar").bearer(ANN)).await;
    assert_eq!(told.set["x-postern-principal"], "user:ann@acme.example");
    for settings in [mapped("organizations/other"), Settings::default()] {
        let (_pdp, mut client) = serving(settings).await;
        let rows = vec![("elsewhere", peer("sidecar"), "401 UNAUTHENTICATED")];
        table(&mut client, rows).await;
    }
}

// SPEC 13.1: loud, and never an error that passes.
#[tokio::test]
async fn a_shadow_route_passes_denies_and_says_so() {
    let (_pdp, mut client) = serving(Settings::default()).await;
    let denied = get("/shadow/q")
        .bearer(ANN)
        .header("x-postern-team", "evil");
    let told = check(&mut client, denied).await;
    assert!(told.set.is_empty(), "{told:?}");
    assert_eq!(told.client["x-postern-shadow"], "deny");
    assert_eq!(told.metadata["shadow"], "true");
    assert_eq!(told.metadata["principal"], "user:ann@acme.example");
    // SPEC 13.3: neither of two keys reaches the upstream.
    let two = get("/shadow/p").bearer(ANN).header("x-api-key", ROBOT);
    let told = check(&mut client, two).await;
    assert_eq!(told.metadata["reason"], "AMBIGUOUS_REQUEST");
    for name in ["authorization", "x-api-key"] {
        assert!(told.removed.contains(&name.to_owned()), "{name}");
    }
    let told = check(&mut client, get("/shadow/p").bearer(ANN)).await;
    assert!(told.client.is_empty());
    assert_eq!(told.metadata["shadow"], "true");
}

// SPEC 13.3
#[tokio::test]
async fn an_upstream_sees_what_was_decided_and_nothing_of_the_clients_own() {
    let (_pdp, mut client) = serving(Settings::default()).await;
    let ask = get(RUNS)
        .header("x-api-key", ROBOT)
        .header("x-postern-principal", "user:evil@acme.example")
        .header("x_postern_principal", "user:evil@acme.example")
        .header("x-postern_team", "evil")
        .header("x-postern-new", "evil");
    let told = check(&mut client, ask).await;
    let set = |name: &str| told.set.get(name).map_or("", String::as_str);
    assert_eq!(
        set("x-postern-principal"),
        "serviceAccount:robot@acme.example"
    );
    assert_eq!(set("x-postern-organization"), "organizations/acme");
    assert_eq!(set("x-postern-team"), "organizations/acme/teams/ml");
    assert_eq!(set("x-postern-revision"), "1");
    assert_eq!(set("x-postern-request-id"), "request-1");
    let mut removed = told.removed.clone();
    removed.sort();
    let expected = [
        "x-api-key",
        "x-postern-attributed-user",
        "x-postern-new",
        "x-postern_team",
        "x_postern_principal",
    ];
    assert_eq!(removed, expected);
    let metadata = |name: &str| told.metadata.get(name).map_or("", String::as_str);
    assert_eq!(metadata("decision"), "allow");
    assert_eq!(metadata("reason"), "GRANTED_BY_SCOPE");
    assert_eq!(metadata("route"), "routes/get");
    assert_eq!(metadata("permission"), "models.runs.get");
    assert_eq!(
        metadata("resource"),
        "organizations/acme/teams/ml/projects/p"
    );
    assert_eq!(metadata("revision"), "1");
    assert_eq!(metadata("shadow"), "false");
    // Users belong to an organization as far as their key does.
    let told = check(&mut client, get(RUNS).bearer(ANN)).await;
    assert!(!told.set.contains_key("x-postern-organization"));
    assert!(told.removed.contains(&"authorization".to_owned()));
    assert!(!told.removed.contains(&"x-api-key".to_owned()));
    let told = check(&mut client, get(RUNS).bearer(ANN_ACME)).await;
    assert_eq!(told.set["x-postern-organization"], "organizations/acme");
    let both = get(RUNS).bearer(ANN).header("x-api-key", ANN);
    let told = check(&mut client, both).await;
    for name in ["authorization", "x-api-key"] {
        assert!(told.removed.contains(&name.to_owned()), "{name}");
    }
    // A request id that could break a header is no request id.
    let mut request = get(RUNS).bearer(ANN).request();
    let http = request.attributes.as_mut().and_then(|a| a.request.as_mut());
    http.and_then(|r| r.http.as_mut()).expect("HTTP").id = "a\r\nx-evil: 1".to_owned();
    let response = client.check(request).await.expect("an answer");
    let told = ask::told(&response.into_inner());
    assert!(told.removed.contains(&"x-postern-request-id".to_owned()));
    // Envoy's own number is in none of its logs; what they have is the header.
    let named = get(RUNS).bearer(ANN).header("x-request-id", "a-1");
    let told = check(&mut client, named).await;
    assert_eq!(told.set["x-postern-request-id"], "a-1");
    let odd = get(RUNS).bearer(ANN).header("x-request-id", "caf\u{e9}");
    let told = check(&mut client, odd).await;
    assert_eq!(told.set["x-postern-request-id"], "request-1");
}

#[tokio::test]
async fn the_operator_may_keep_the_credential_and_name_a_header_to_attribute_by() {
    let settings = Settings {
        keep_credential: true,
        attribution_header: Some("x-on-behalf-of".to_owned()),
        ..Settings::default()
    };
    let (_pdp, mut client) = serving(settings).await;
    let robot = || get(RUNS).header("x-api-key", ROBOT);
    let told = check(&mut client, robot().header("x-on-behalf-of", "ann")).await;
    assert_eq!(told.set["x-postern-attributed-user"], "ann");
    assert!(!told.removed.contains(&"x-api-key".to_owned()));
    for nobody in ["bob", "zoe", "a\u{e9}", ""] {
        let told = check(&mut client, robot().header("x-on-behalf-of", nobody)).await;
        assert_eq!(told.what, "allow");
        assert!(
            !told.set.contains_key("x-postern-attributed-user"),
            "{nobody}"
        );
    }
}

// SPEC 13.1: as configured per host.
#[tokio::test]
async fn unrouted_calls_pass_only_where_the_operator_says_so() {
    let entry = |host: &str, allow| NoRoute {
        host: host.to_owned(),
        allow,
    };
    let settings = Settings {
        no_route: vec![entry("www.example", true), entry("api.example", false)],
        ..Settings::default()
    };
    let (_pdp, mut client) = serving(settings).await;
    let at = |host: &str, path: &str| get(path).with(|ask| ask.host = host.to_owned());
    let rows = vec![
        ("unrouted", at("www.example", "/a"), "unrouted"),
        ("in capitals", at("WWW.example:80", "/a"), "unrouted"),
        ("good key", at("www.example", "/a").bearer(ANN), "unrouted"),
        (
            "bad key",
            at("www.example", "/a").bearer(BOB_OFF),
            "401 CREDENTIAL_DISABLED",
        ),
        (
            "two keys",
            at("www.example", "/a").header("x-api-key", "a,b"),
            "400 AMBIGUOUS_REQUEST",
        ),
        (
            "ambiguous",
            at("www.example", "//a"),
            "400 AMBIGUOUS_REQUEST",
        ),
        ("routed", at("api.example", RUNS), "401 UNAUTHENTICATED"),
        ("other host", at("b.example", "/a"), "403 NO_GRANT"),
        ("denied host", at("api.example", "/a"), "403 NO_GRANT"),
    ];
    table(&mut client, rows).await;
    let spoofed = at("www.example", "/a")
        .header("x-postern-principal", "evil")
        .bearer(ANN);
    let told = check(&mut client, spoofed).await;
    assert!(told.set.is_empty() && told.removed.contains(&"authorization".to_owned()));
    let settings = Settings {
        no_route: vec![entry("*", true), entry("api.example", false)],
        ..Settings::default()
    };
    let (_pdp, mut client) = serving(settings).await;
    let long = format!("{}.example", "a".repeat(300));
    let rows = vec![
        ("any host", at("b.example", "/a"), "unrouted"),
        ("no host", at("", "/a"), "unrouted"),
        ("named host", at("api.example", "/a"), "403 NO_GRANT"),
        (
            "named host with a dot",
            at("api.example.:80", "/a"),
            "403 NO_GRANT",
        ),
        ("too long", at(&long, "/a"), "400 AMBIGUOUS_REQUEST"),
        ("routed", at("api.example", RUNS), "401 UNAUTHENTICATED"),
    ];
    table(&mut client, rows).await;
}

// gRFC A92: header_map only, no host, scheme, id, body or context extensions.
#[tokio::test]
async fn a_proxyless_grpc_server_is_answered() {
    let (_pdp, mut client) = serving(Settings::default()).await;
    let call = |authority: &str| {
        let ask = get("/acme.v1.Runs/Get")
            .header("x-api-key", ROBOT)
            .with(|ask| {
                ask.map = true;
                ask.host.clear();
                ask.method = "POST".to_owned();
            });
        if authority.is_empty() {
            ask
        } else {
            ask.header(":authority", authority)
        }
    };
    let rows = vec![
        ("no host", call(""), "allow"),
        ("authority", call("svc.example:443"), "allow"),
        (
            "two authorities",
            call("a.example").header(":authority", "b.example"),
            "400 AMBIGUOUS_REQUEST",
        ),
        (
            "no host, host's route",
            get(RUNS).bearer(ANN).with(|a| a.host.clear()),
            "403 NO_GRANT",
        ),
    ];
    table(&mut client, rows).await;
    let bytes = |ask: Ask| {
        let mut request = ask.request();
        let http = request.attributes.as_mut().and_then(|a| a.request.as_mut());
        let map = http
            .and_then(|r| r.http.as_mut()?.header_map.as_mut())
            .expect("a map");
        map.headers[0].raw_value = b"caf\xe9".to_vec();
        request
    };
    let response = client.check(bytes(call(""))).await.expect("an answer");
    assert_eq!(told(&response.into_inner()).what, "401");
}

// SPEC 13: a network-level check, and parts that are missing.
#[tokio::test]
async fn what_is_missing_is_denied() {
    let (_pdp, mut client) = serving(Settings::default()).await;
    let mut no_http = get(RUNS).bearer(ANN).request();
    let request = no_http.attributes.as_mut().and_then(|a| a.request.as_mut());
    request.expect("a request").http = None;
    let empty = CheckRequest {
        attributes: Some(AttributeContext::default()),
    };
    for request in [CheckRequest { attributes: None }, empty, no_http] {
        let response = client.check(request).await.expect("an answer");
        assert_eq!(told(&response.into_inner()).what, "403");
    }
}

/// The fuzzer starts from these. `UPDATE_GOLDEN=1` writes them anew.
#[test]
fn the_seeds_of_the_fuzzer_are_what_envoy_sends() {
    let fixed = get("/any")
        .bearer(ANN)
        .extension("postern.permission", "models.runs.get")
        .extension("postern.resource", "organizations/acme/teams/ml/projects/p");
    let peer = format!("spiffe://{DOMAIN}/ns/a/sa/sidecar");
    let raw = |ask: Ask| ask.with(|ask| ask.map = true);
    let seeds = [
        ("bearer", get(RUNS).bearer(ANN)),
        (
            "basic",
            get(RUNS).header(
                "authorization",
                "Basic eDphbm4tcy1wZXJzb25hbC1rZXktMDAwMQ==",
            ),
        ),
        (
            "api-key",
            get(RUNS)
                .header("x-api-key", ROBOT)
                .header("x_postern_team", "evil"),
        ),
        (
            "raw",
            raw(get("/acme.v1.Runs/Get")
                .header(":authority", "a.example:1")
                .bearer(ROBOT)),
        ),
        ("twice", raw(get(RUNS).bearer(ANN).bearer(ROBOT))),
        (
            "narrow",
            get(RUNS)
                .bearer(NARROW)
                .with(|ask| ask.source = "192.0.2.9".into()),
        ),
        ("fixed", fixed),
        ("peer", get(RUNS).with(|ask| ask.principal = peer)),
        ("anonymous", get("/open/open?x=1")),
        ("shadow", get("/shadow/q")),
        (
            "unrouted",
            get("/a/b").with(|ask| ask.host = "WWW.example:80".into()),
        ),
        ("ambiguous", get("/v1/ml/%2e%2e/p/runs").bearer(ANN)),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envoy/seeds");
    for (name, ask) in seeds {
        let path = folder.join(name);
        // Maps have no order: the seeds are compared by what they say.
        let request = ask.request();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, request.encode_to_vec()).expect("writes");
        }
        let bytes = std::fs::read(&path).expect(name);
        assert_eq!(
            CheckRequest::decode(&*bytes).expect(name),
            request,
            "{name}"
        );
    }
}
