//! A `CheckRequest` on the wire, answered: never a panic, never an error once a snapshot is
//! there, never an allow for an ambiguous path or without a grant.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/envoy/ask.rs"]
mod ask;

use std::sync::{Arc, LazyLock};

use ask::{ANN, ANN_ACME, BOB_OFF, DOMAIN, NARROW, ROBOT, Told, told};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use libfuzzer_sys::fuzz_target;
use postern::clock::{Clock as _, ManualClock};
use postern::credential::api_key;
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options};
use postern::model::outcome::{Answer, Effect};
use postern::model::path::{AllowedClasses, ambiguity, split};
use postern::model::query::{Query, Subject, UnixTime};
use postern::model::route::{Anonymous, Mode};
use postern::serve::dispatch::{Parts, Services};
use postern::serve::health::Phase;
use postern::wire::envoy::settings::{NoRoute, Settings, TrustDomain};
use postern::wire::feed::decode_one;
use prost::Message as _;

const NOW: i64 = 1_800_000_000;
const KEYS: [&str; 5] = [ANN, ANN_ACME, BOB_OFF, ROBOT, NARROW];
const PEER: &str = "serviceAccount:sidecar@acme.example";

fn build() -> Snapshot {
    let document = decode_one("test.yaml", ask::snapshot().as_bytes()).expect("it is good");
    let options = Options { has_pepper: false, hash_seed: 7 };
    graph::build(&document, None, &options).expect("it is good").snapshot
}

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(build);

static SERVICES: LazyLock<Services> = LazyLock::new(|| {
    let (mut publisher, reader) = postern::live::channel().expect("a thread");
    let clock = Arc::new(ManualClock::at(NOW));
    publisher.publish(build(), clock.monotonic()).expect("the first");
    let envoy = Settings {
        trust_domains: vec![TrustDomain {
            domain: DOMAIN.to_owned(),
            organization: "organizations/acme".to_owned(),
        }],
        no_route: vec![NoRoute { host: "www.example".to_owned(), allow: true }],
        ..Settings::default()
    };
    let (_phase, phase) = tokio::sync::watch::channel(Phase::Serving);
    // What serves stays when its publisher goes.
    drop(publisher);
    let admins = postern::serve::caller::Admins::default();
    Services::new(Parts { reader, clock, pepper: None, envoy, admins }, phase)
});

fuzz_target!(|input: &[u8]| {
    let answer = SERVICES.check(input).expect("a snapshot serves");
    let response = CheckResponse::decode(answer.encoded()).expect("what was encoded");
    // Every answer: an explicit status, identity headers set or removed, a status of 400 or more.
    let told = told(&response);
    if !matches!(told.what.as_str(), "allow" | "shadow" | "unrouted") {
        return;
    }
    // A field that no decision reads may be broken: a certificate, a scheme, metadata.
    let Ok(request) = CheckRequest::decode(input) else { return };
    let attributes = request.attributes.expect("there is something to decide by");
    let http = attributes.request.and_then(|request| request.http).expect("HTTP");
    // A key that stands where an id or a path belongs is shown as such; one in a header never.
    let elsewhere = format!("{} {} {:?}", http.id, http.path, attributes.context_extensions);
    for key in KEYS.into_iter().filter(|key| !elsewhere.contains(key)) {
        let mut shown = told.set.values().chain(told.metadata.values()).chain(told.client.values());
        assert!(!shown.any(|value| value.contains(key)), "a key is shown");
    }
    let (path, _) = split(&http.path);
    assert_eq!(ambiguity(path, AllowedClasses::NONE), None);
    let route = SNAPSHOT.routes().iter().find(|route| *route.name == *metadata(&told, "route"));
    match told.what.as_str() {
        "shadow" => assert_eq!(route.expect("a route").mode, Mode::Shadow),
        "unrouted" => assert!(route.is_none() && host(&http) == "www.example"),
        _ => {
            let anonymous = route.is_some_and(|route| route.anonymous == Anonymous::Allow);
            let principal = attributes.source.map(|source| source.principal).unwrap_or_default();
            let granted = subjects(&http, &principal, anonymous, &told);
            assert!(granted, "{told:?}");
        }
    }
    if let Some(route) = route {
        let found = SNAPSHOT.routes().find(&host(&http), &http.method, path).expect("a route");
        assert_eq!(found.route.name, route.name);
        assert!(attributes.context_extensions.keys().all(|key| !key.starts_with("postern.")));
        assert_eq!(&*found.route.permission, metadata(&told, "permission"));
    }
});

fn metadata<'t>(told: &'t Told, name: &str) -> &'t str {
    told.metadata.get(name).map_or("", String::as_str)
}

/// Host and, for want of one, authority, as plainly as can be.
fn host(http: &HttpRequest) -> String {
    let map = http.header_map.iter().flat_map(|map| &map.headers);
    let raw = map.clone().filter(|header| header.key.eq_ignore_ascii_case(":authority"));
    let raw = raw.map(|header| match header.raw_value.as_slice() {
        [] => header.value.clone(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    });
    let plain = http.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(":authority"));
    let authority = raw.chain(plain.map(|(_, value)| value.clone())).next();
    let text = if http.host.is_empty() { authority.unwrap_or_default() } else { http.host.clone() };
    let text = text.to_ascii_lowercase();
    if text.starts_with('[') {
        return text.split_inclusive(']').next().unwrap_or_default().to_owned();
    }
    let name = text.split(':').next().unwrap_or_default();
    name.strip_suffix('.').unwrap_or(name).to_owned()
}

/// Whether the engine itself, asked for what the answer says was asked, allows somebody that
/// the request can prove to be.
fn subjects(http: &HttpRequest, peer: &str, anonymous: bool, told: &Told) -> bool {
    let debug = format!("{http:?}");
    let mut asks: Vec<Subject<'_>> = Vec::new();
    let digests = KEYS.map(|key| api_key::digest(key, None));
    for (key, digest) in KEYS.iter().zip(&digests) {
        if carries(http, key) {
            asks.push(Subject::ApiKey(digest));
        }
    }
    if asks.is_empty() && peer == format!("spiffe://{DOMAIN}/ns/a/sa/sidecar") {
        asks.push(Subject::Principal(PEER));
    }
    if asks.is_empty() && anonymous {
        asks.push(Subject::Anonymous);
    }
    assert!(!asks.is_empty(), "nobody asked: {debug}");
    asks.into_iter().any(|subject| {
        let query = Query {
            subject,
            permission: metadata(told, "permission"),
            resource: metadata(told, "resource"),
            source_ip: Some("192.0.2.9".parse().expect("an address")),
            ..Query::EMPTY
        };
        let answer = postern::decide::authorize(&SNAPSHOT, &query, UnixTime(NOW));
        matches!(answer, Answer::Decided(decision) if decision.effect == Effect::Allow)
    })
}

/// Whether a header has the key in it, plain or in base64.
fn carries(http: &HttpRequest, key: &str) -> bool {
    use base64::Engine as _;
    let plain = http.headers.values().map(|value| value.clone().into_bytes());
    let map = http.header_map.iter().flat_map(|map| &map.headers);
    let raw = map.flat_map(|header| [header.raw_value.clone(), header.value.clone().into_bytes()]);
    plain.chain(raw).any(|value| {
        let text = String::from_utf8_lossy(&value).into_owned();
        let last = text.split(' ').next_back().unwrap_or_default().trim_end_matches('=');
        let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
        let decoded = engine.decode(last).unwrap_or_default();
        text.contains(key) || String::from_utf8_lossy(&decoded).contains(key)
    })
}
