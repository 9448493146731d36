//! Who calls, and which methods answer whom (SPEC 11.5).
//!
//! Whoever can connect may ask for decisions. What reveals or creates much answers only
//! callers that the configuration names, on loopback too: another process of this machine is
//! another caller.

use std::fmt;
use std::net::SocketAddr;

use crate::wire::status::Failure;

/// The other end of a connection, as the system tells it; nothing that a client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A process of this machine.
    Unix {
        /// The user it ran as when it connected.
        uid: u32,
        /// Its number at that time, for the log; it may be another process by now.
        pid: Option<i32>,
    },
    /// Somebody at an address: nobody in particular.
    Tcp(SocketAddr),
}

/// The callers that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admins {
    /// Users of this machine; none unless said.
    Uids(Box<[u32]>),
    /// Whoever can connect (`--demo`).
    Everyone,
}

/// Whom a method answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever can connect.
    Everyone,
    /// Only callers that the configuration names.
    Admins,
}

/// Every method of the server, with whom it answers. A method without a row is not served;
/// `docs/OPERATIONS.md` has the same table, and `tests/who_may_ask.rs` compares all three.
pub const METHODS: &[(&str, Access)] = &[
    (
        "/postern.v1.AuthorizationService/Authorize",
        Access::Everyone,
    ),
    (
        "/postern.v1.AuthorizationService/BatchAuthorize",
        Access::Everyone,
    ),
    (
        "/postern.v1.AuthorizationService/GetEffectiveOrgPolicy",
        Access::Everyone,
    ),
    ("/postern.v1.AuthorizationService/Explain", Access::Admins),
    (
        "/postern.v1.AuthorizationService/ListResources",
        Access::Admins,
    ),
    (
        "/postern.v1.AuthorizationService/ListPrincipals",
        Access::Admins,
    ),
    (
        "/postern.v1.AuthorizationService/ListPermissions",
        Access::Admins,
    ),
    ("/postern.v1.CredentialService/VerifyKey", Access::Everyone),
    ("/postern.v1.SnapshotService/GetSnapshot", Access::Everyone),
    (
        "/postern.v1.SnapshotService/CompareSnapshot",
        Access::Admins,
    ),
    (
        "/postern.v1.TokenService/GenerateAccessToken",
        Access::Admins,
    ),
    ("/postern.v1.TokenService/GenerateIdToken", Access::Admins),
    ("/postern.v1.TokenService/SignJwt", Access::Admins),
    ("/postern.v1.TokenService/SignBlob", Access::Admins),
    ("/postern.v1.TokenService/ExchangeToken", Access::Admins),
    (
        "/envoy.service.auth.v3.Authorization/Check",
        Access::Everyone,
    ),
    ("/grpc.health.v1.Health/Check", Access::Everyone),
    ("/grpc.health.v1.Health/List", Access::Everyone),
    ("/grpc.health.v1.Health/Watch", Access::Everyone),
    (
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        Access::Everyone,
    ),
    (
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        Access::Everyone,
    ),
];

/// Whom the method at `path` answers; `None`: there is no such method.
#[must_use]
pub fn access(path: &str) -> Option<Access> {
    let row = METHODS.iter().find(|(method, _)| *method == path);
    row.map(|(_, access)| *access)
}

impl Default for Admins {
    fn default() -> Self {
        Self::Uids(Box::default())
    }
}

impl Admins {
    /// Whether `caller` is named.
    #[must_use]
    pub fn name(&self, caller: Caller) -> bool {
        match (self, caller) {
            (Self::Everyone, _) => true,
            (Self::Uids(uids), Caller::Unix { uid, .. }) => uids.contains(&uid),
            (Self::Uids(_), Caller::Tcp(_)) => false,
        }
    }

    /// Lets `caller` pass to the method at `path`, if the method answers it.
    ///
    /// # Errors
    /// [`Failure::NotNamed`], with what to configure; [`Failure::NoMethod`].
    pub fn admit(&self, caller: Caller, path: &str) -> Result<(), Failure> {
        match access(path) {
            Some(Access::Everyone) => Ok(()),
            Some(Access::Admins) if self.name(caller) => Ok(()),
            Some(Access::Admins) => Err(Failure::NotNamed(refusal(caller, path))),
            None => Err(Failure::NoMethod),
        }
    }
}

fn refusal(caller: Caller, path: &str) -> String {
    let method = path.rsplit_once('/').map_or(path, |(_, method)| method);
    let advice = match caller {
        Caller::Unix { uid, .. } => format!("`--allow-admin-uid {uid}` names it"),
        Caller::Tcp(_) => "connect over a Unix socket (`--listen unix:/path`) as a user that \
                           `--allow-admin-uid UID` names"
            .to_owned(),
    };
    format!("{method} answers only callers that the configuration names, not {caller}: {advice}")
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { uid, .. } => write!(f, "uid {uid}"),
            Self::Tcp(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Admins, Caller, METHODS, access};
    use crate::wire::status::Failure;

    const EXPLAIN: &str = "/postern.v1.AuthorizationService/Explain";
    const AUTHORIZE: &str = "/postern.v1.AuthorizationService/Authorize";

    fn unix(uid: u32) -> Caller {
        Caller::Unix { uid, pid: Some(7) }
    }

    fn tcp() -> Caller {
        Caller::Tcp(([127, 0, 0, 1], 50_000).into())
    }

    // SPEC 11.5
    #[test]
    fn only_named_users_pass_and_loopback_is_nobody() {
        let admins = Admins::Uids([1_000, 0].into());
        assert_eq!(admins.admit(unix(1_000), EXPLAIN), Ok(()));
        assert_eq!(admins.admit(unix(0), EXPLAIN), Ok(()));
        for caller in [unix(1_001), tcp()] {
            let refused = admins.admit(caller, EXPLAIN);
            assert!(matches!(refused, Err(Failure::NotNamed(_))), "{refused:?}");
            assert_eq!(admins.admit(caller, AUTHORIZE), Ok(()));
        }
        // Root is not named unless it is said.
        assert!(!Admins::default().name(unix(0)));
        assert!(Admins::Everyone.name(tcp()) && Admins::Everyone.name(unix(5)));
    }

    #[test]
    fn the_refusal_says_what_to_configure() {
        let said = |caller| match Admins::default().admit(caller, EXPLAIN) {
            Err(Failure::NotNamed(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            said(unix(7)),
            "Explain answers only callers that the configuration names, not uid 7: \
             `--allow-admin-uid 7` names it"
        );
        let said = said(tcp());
        assert!(
            said.contains("127.0.0.1:50000") && said.contains("--listen unix:"),
            "{said}"
        );
    }

    #[test]
    fn a_method_has_one_row_and_one_without_a_row_is_not_there() {
        for (at, (method, _)) in METHODS.iter().enumerate() {
            assert!(
                METHODS
                    .iter()
                    .skip(at + 1)
                    .all(|(other, _)| other != method)
            );
        }
        for path in [
            "",
            "/",
            "/postern.v1.AuthorizationService/explain",
            "Explain",
        ] {
            assert_eq!(access(path), None);
            assert_eq!(
                Admins::Everyone.admit(unix(0), path),
                Err(Failure::NoMethod)
            );
        }
        assert_eq!(access(EXPLAIN), Some(Access::Admins));
    }
}
