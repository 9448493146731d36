use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::ManualClock;
use crate::live;
use crate::serve::dispatch::Parts;
use crate::serve::envoy::*;
use crate::serve::health::Phase;
use crate::wire::envoy::settings::Unrouted;

fn services(error_response: bool) -> Services {
    let (_publisher, reader) = live::channel().unwrap();
    let (_phase, phase) = watch::channel(Phase::Serving);
    let envoy = Settings {
        error_response,
        ..Settings::default()
    };
    let parts = Parts {
        reader,
        clock: Arc::new(ManualClock::at(0)),
        pepper: None,
        envoy,
        admins: crate::serve::caller::Admins::default(),
    };
    Services::new(parts, phase)
}

// SPEC 13.3: every way to no answer, with and without `error_response`.
#[test]
fn what_has_no_answer_is_unavailable_and_never_an_allow() {
    let failures = || {
        [
            Ok(Err(Stale)),
            Err(Failure::NotReady),
            Err(Failure::Panicked),
            Err(Failure::Overloaded),
            Err(Failure::Invalid(Vec::new())),
        ]
    };
    for failure in failures() {
        let status = services(false).told(failure).unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unavailable);
    }
    for failure in failures() {
        assert!(services(true).told(failure).unwrap().is_error());
    }
}

/// Compiles only if the type does not have the trait.
macro_rules! assert_not {
    ($type:ty: $trait:path) => {{
        trait Either<A> {
            fn is() {}
        }
        impl<T: ?Sized> Either<()> for T {}
        impl<T: ?Sized + $trait> Either<u8> for T {}
        <$type as Either<_>>::is();
    }};
}

// Nothing lets a call through by being empty, decoded, copied from another or converted.
#[test]
fn what_allows_has_no_default_and_comes_from_nothing_else() {
    assert_not!(Response: Default);
    assert_not!(Response: Clone);
    assert_not!(Response: prost::Message);
    assert_not!(Response: From<()>);
    assert_not!(Allowed: Default);
    assert_not!(Allowed: From<()>);
    assert_not!(Shadowed: Default);
    assert_not!(Unrouted: Default);
    assert_not!(Pass: Default);
    assert_not!(Class: Default);
}
