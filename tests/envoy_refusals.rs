//! `Check`: whatever goes wrong, nothing passes. To Envoy an empty answer is an allow, so each
//! way to an answer without a decision is walked here.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

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
#[allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    reason = "shared"
)]
#[path = "envoy/ask.rs"]
mod ask;

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(unreachable_pub, reason = "shared")]
#[path = "envoy/raw.rs"]
mod raw;

use std::collections::VecDeque;

use ask::{ANN, get, snapshot, told};
use postern::limits::{ENVOY_HEADERS_MAX, REQUEST_BYTES_MAX};
use postern::wire::envoy::settings::Settings;
use prost::Message as _;
use prost::bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _};
use raw::{Answer, Parts, call, framed};
use support::InProcess;
use tonic::transport::Channel;

const RUNS: &str = "/v1/ml/p/runs";

async fn serving() -> (InProcess, Channel) {
    let mut pdp = InProcess::with_envoy(Settings::default());
    pdp.publish(&snapshot());
    let channel = support::connect(&pdp.address).await;
    (pdp, channel)
}

fn whole(parts: impl IntoIterator<Item = Bytes>) -> Parts {
    Parts {
        parts: parts.into_iter().collect(),
        ends: true,
    }
}

async fn send(channel: &Channel, message: &[u8]) -> Answer {
    call(channel, whole([framed(message)]), None).await
}

fn good() -> Vec<u8> {
    get(RUNS).bearer(ANN).request().encode_to_vec()
}

/// The connection still answers, and rightly.
async fn still_decides(channel: &Channel) {
    assert!(send(channel, &good()).await.passes());
    let nobody = get(RUNS).request().encode_to_vec();
    assert!(!send(channel, &nobody).await.passes());
}

// SPEC 13.3
#[tokio::test]
async fn before_the_first_snapshot_it_is_unavailable_and_no_deny() {
    for (error_response, grpc) in [(false, "14"), (true, "0")] {
        let settings = Settings {
            error_response,
            ..Settings::default()
        };
        let mut pdp = InProcess::with_envoy(settings);
        let channel = support::connect(&pdp.address).await;
        for message in [good(), Vec::new(), b"\xff\xff".to_vec()] {
            let answer = send(&channel, &message).await;
            assert!(!answer.passes(), "{answer:?}");
            assert_eq!(answer.grpc.as_deref(), Some(grpc));
            let what = answer.message.as_ref().map(|message| told(message).what);
            assert_eq!(what.as_deref(), error_response.then_some("error"));
        }
        pdp.publish(&snapshot());
        still_decides(&channel).await;
    }
}

/// A part of a message: the field `number` with `content`.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut message = vec![number << 3 | 2];
    prost::encoding::encode_varint(u64::try_from(content.len()).expect("small"), &mut message);
    message.extend_from_slice(content);
    message
}

// INTERFACES 4.2: an error would pass under `failure_mode_allow`, so it is a deny.
#[tokio::test]
async fn a_message_that_cannot_be_read_is_denied() {
    let (_pdp, channel) = serving().await;
    let good = good();
    let cut = good.get(..good.len() - 1).expect("not empty").to_vec();
    let header = field(3, &field(1, b"a"));
    let many = field(
        1,
        &field(4, &field(2, &header.repeat(ENVOY_HEADERS_MAX + 1))),
    );
    let path_as_a_number = field(1, &field(4, &field(2, &[4 << 3, 1])));
    let deep = vec![0x0b; 10_000];
    let mut path_in_latin_1 = get("/v1/ml/p/caf").bearer(ANN).request().encode_to_vec();
    let at = path_in_latin_1.windows(3).position(|w| w == b"caf");
    *path_in_latin_1
        .get_mut(at.expect("the path"))
        .expect("inside") = 0xe9;
    for (name, message) in [
        ("cut", cut),
        ("no tag", vec![0]),
        ("too long", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("no UTF-8", path_in_latin_1),
        ("many headers", many),
        ("a number", path_as_a_number),
        ("deep groups", deep),
    ] {
        let answer = send(&channel, &message).await;
        let message = answer.message.expect(name);
        assert_eq!(told(&message).what, "400", "{name}");
    }
    // Both maps of headers, each with a good key: nobody can tell which counts.
    let mut both = get(RUNS).bearer(ANN).with(|a| a.map = true).request();
    let http = both.attributes.as_mut().and_then(|a| a.request.as_mut());
    let http = http.and_then(|r| r.http.as_mut()).expect("HTTP");
    http.headers.insert("accept".to_owned(), "*/*".to_owned());
    let answer = send(&channel, &both.encode_to_vec()).await;
    assert_eq!(told(&answer.message.expect("an answer")).what, "400");
    still_decides(&channel).await;
}

#[tokio::test]
async fn a_message_over_the_bound_is_denied_and_one_at_it_is_read() {
    let (_pdp, channel) = serving().await;
    let sized = |size: usize| {
        let empty = get(RUNS).bearer(ANN).request().encode_to_vec().len();
        let body = |bytes: usize| get(RUNS).bearer(ANN).with(|a| a.body = vec![b'x'; bytes]);
        let grown = body(size - empty).request().encode_to_vec().len();
        let message = body(size - empty - (grown - size)).request();
        message.encode_to_vec()
    };
    let fits = sized(REQUEST_BYTES_MAX);
    assert_eq!(fits.len(), REQUEST_BYTES_MAX);
    assert!(send(&channel, &fits).await.passes());
    let answer = send(&channel, &sized(REQUEST_BYTES_MAX + 1)).await;
    assert_eq!(told(&answer.message.expect("an answer")).what, "413");
    assert_eq!(answer.grpc.as_deref(), Some("0"));
    still_decides(&channel).await;
}

#[tokio::test]
async fn broken_framing_and_late_calls_are_errors() {
    let (_pdp, channel) = serving().await;
    let frame = framed(&good());
    let half = frame.slice(..frame.len() / 2);
    let compressed: Bytes = [&[1][..], frame.get(1..).expect("a frame")].concat().into();
    for (name, parts, timeout) in [
        ("no message", vec![], None),
        ("half a message", vec![half.clone()], None),
        ("two messages", vec![frame.clone(), frame.clone()], None),
        ("compressed", vec![compressed], None),
        ("no time", vec![frame.clone()], Some("0m")),
        ("no sense", vec![frame.clone()], Some("soon")),
    ] {
        let answer = call(&channel, whole(parts), timeout).await;
        assert!(
            !answer.passes() && answer.message.is_none(),
            "{name}: {answer:?}"
        );
        assert_ne!(answer.grpc.as_deref().expect(name), "0");
    }
    // The rest never comes: the deadline does.
    let endless = Parts {
        parts: VecDeque::from([half]),
        ends: false,
    };
    let answer = call(&channel, endless, Some("20m")).await;
    assert!(
        !answer.passes() && answer.grpc.as_deref() == Some("4"),
        "{answer:?}"
    );
    still_decides(&channel).await;
}

#[tokio::test]
async fn a_cancelled_call_leaves_no_answer_to_another() {
    let (_pdp, channel) = serving().await;
    let frame = framed(&good());
    for cut in [0, 3, 5, 20, frame.len()] {
        let parts = Parts {
            parts: VecDeque::from([frame.slice(..cut)]),
            ends: false,
        };
        tokio::select! {
            biased;
            answer = call(&channel, parts, None) => {
                assert!(answer.message.is_none() || cut == frame.len(), "{cut}: {answer:?}");
            }
            () = still_decides(&channel) => {}
        }
        still_decides(&channel).await;
    }
}

// Bytes that begin as a good message without a credential and are then changed at random.
#[tokio::test]
async fn random_bytes_never_pass() {
    let (_pdp, channel) = serving().await;
    let mut rng = rand::rngs::SmallRng::seed_from_u64(13);
    let seeds = [
        get(RUNS).request(),
        get(RUNS)
            .header("x-api-key", "nobody-s-key-0000000001")
            .request(),
        get("//v1/ml/p/runs").bearer(ANN).request(),
        get(RUNS)
            .bearer(ANN)
            .bearer(ANN)
            .with(|a| a.map = true)
            .request(),
        get(RUNS)
            .bearer(ANN)
            .extension("postern.permission", "models.runs.get")
            .request(),
    ];
    let seeds = seeds.map(|seed| seed.encode_to_vec());
    for round in 0..2_000 {
        let seed = seeds.get(round % seeds.len()).expect("a seed");
        let mut message = seed.clone();
        // A changed key, host or path denies too; a changed name of a header or an extension
        // could take an obstacle away, so those that have one are only cut and spliced.
        if round % seeds.len() < 2 {
            for _ in 0..rng.random_range(0..4_u32) {
                let at = rng.random_range(0..message.len());
                *message.get_mut(at).expect("inside") = rng.random();
            }
        }
        if rng.random_ratio(1, 3) {
            message.truncate(rng.random_range(0..message.len()));
        }
        if rng.random_ratio(1, 3) {
            message.extend((0..rng.random_range(0..40_u32)).map(|_| rng.random::<u8>()));
        }
        let answer = send(&channel, &message).await;
        assert!(!answer.passes(), "{message:?}");
        told(&answer.message.expect("an answer"));
    }
    still_decides(&channel).await;
}
