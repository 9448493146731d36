//! A request on the wire, decided: never a panic, and an answer is one of the closed enums.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use postern::credential::api_key;
use postern::decide;
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options};
use postern::limits::{ATTRIBUTION_BYTES_MAX, DELEGATES_MAX, REQUEST_ID_BYTES_MAX};
use postern::model::outcome::{Answer, Effect};
use postern::model::query::UnixTime;
use postern::wire::authorize::{Asked, respond};
use postern::wire::feed::decode_one;
use postern::wire::proto::postern::v1::{AuthorizeRequest, Decision, Reason};
use prost::Message as _;

static ACME: LazyLock<Snapshot> = LazyLock::new(|| {
    let file = include_bytes!("../../examples/acme/acme.yaml");
    let document = decode_one("acme.yaml", file).expect("the example is good");
    let options = Options { has_pepper: true, hash_seed: 7 };
    graph::build(&document, None, &options).expect("the example is good").snapshot
});

fuzz_target!(|input: &[u8]| {
    let Ok(request) = AuthorizeRequest::decode(input) else { return };
    let shown = format!("{request:?}");
    assert!(!shown.contains("Credential(\""), "a credential is shown");
    let Ok(asked) = Asked::read(request, |key| api_key::digest(key, None)) else { return };
    let query = asked.query();
    assert!(asked.request_id.len() <= REQUEST_ID_BYTES_MAX);
    assert!(query.delegates.len() <= DELEGATES_MAX);
    assert!(query.attribution.is_none_or(|text| text.len() <= ATTRIBUTION_BYTES_MAX));
    let Answer::Decided(decision) = decide::authorize(&ACME, &query, UnixTime(1_772_366_400))
    else {
        return;
    };
    let response = respond(&ACME, Duration::ZERO, &decision, String::new());
    let granted = matches!(
        response.reason(),
        Reason::GrantedByPolicy | Reason::GrantedByScope | Reason::GrantedByVisibility
    );
    assert_eq!(response.decision() == Decision::Allow, decision.effect == Effect::Allow);
    assert_eq!(decision.effect == Effect::Allow, granted);
});
