//! `VerifyKeyRequest` → `KeyQuery`, the engine's answer → `VerifyKeyResponse`.

use std::net::IpAddr;
use std::time::Duration;

use crate::graph::snapshot::facts::KeyFacts;
use crate::graph::snapshot::{KeyIx, Snapshot};
use crate::model::outcome::{KeyCode, Violation};
use crate::model::principal::PrincipalIx;
use crate::model::query::{KeyDigests, KeyQuery};
use crate::wire::authorize::said;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::verify_key_response::Owner;
use crate::wire::request::Violations;
use crate::wire::words;

/// A request whose form is right. It holds digests, no key.
#[derive(Debug)]
pub struct KeyAsked {
    digests: KeyDigests,
    source_ip: Option<IpAddr>,
    permission: String,
    resource: String,
}

impl KeyAsked {
    /// Takes the request apart. `digest` digests the key.
    ///
    /// # Errors
    /// Every field that is wrong by itself.
    pub fn read(
        request: v1::VerifyKeyRequest,
        digest: impl FnOnce(&str) -> KeyDigests,
    ) -> Result<Self, Vec<Violation>> {
        // Keys have no rate limits yet, so a cost takes nothing.
        let v1::VerifyKeyRequest {
            key,
            source_ip,
            permission,
            resource,
            cost: _,
        } = request;
        let mut violations = Violations::default();
        let source_ip = violations.source_ip(&source_ip);
        if key.is_empty() {
            violations.add("key", "missing; expected the whole key");
        }
        violations.done()?;
        Ok(Self {
            digests: digest(&key),
            source_ip,
            permission,
            resource,
        })
    }

    /// The question.
    #[must_use]
    pub fn query(&self) -> KeyQuery<'_> {
        KeyQuery {
            digests: &self.digests,
            source_ip: self.source_ip,
            permission: said(&self.permission),
            resource: said(&self.resource),
        }
    }
}

/// The answer. `found` is the key and its owner.
#[must_use]
pub fn respond(
    snapshot: &Snapshot,
    age: Duration,
    code: KeyCode,
    found: Option<(KeyIx, PrincipalIx)>,
) -> v1::VerifyKeyResponse {
    let (facts, owner) = match found {
        None => (KeyFacts::default(), None),
        Some((key, owner)) => {
            let name = snapshot.principal_name(owner);
            let owner = if snapshot.is_service_account(owner) {
                Owner::ServiceAccount(name)
            } else {
                Owner::User(name)
            };
            (snapshot.key_facts(key), Some(owner))
        }
    };
    let KeyFacts {
        name,
        organization,
        team,
        not_after,
    } = facts;
    v1::VerifyKeyResponse {
        code: words::key_code(code).into(),
        owner,
        key: name,
        organization,
        team,
        expires_at: not_after.map(words::timestamp),
        rate_limit: None,
        revision: snapshot.revision().0,
        snapshot_age: Some(words::duration(age)),
    }
}
