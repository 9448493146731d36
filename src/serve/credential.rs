//! `CredentialService`: `VerifyKey`.

use tonic::Request;
use tonic::server::UnaryService;

use crate::credential::api_key;
use crate::decide::{self, KeyAnswer};
use crate::graph::snapshot::KeyFacts;
use crate::model::query::KeyQuery;
use crate::serve::dispatch::Services;
use crate::serve::freshness::{Reply, Seen};
use crate::serve::request::Violations;
use crate::serve::status::Failure;
use crate::serve::words;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::verify_key_response::Owner;

/// `VerifyKey`.
#[derive(Debug)]
pub struct VerifyKey<'s> {
    pub(super) services: &'s Services,
}

impl<'s> UnaryService<v1::VerifyKeyRequest> for VerifyKey<'s> {
    type Response = v1::VerifyKeyResponse;
    type Future = Reply<'s, Self::Response>;

    fn call(&mut self, request: Request<v1::VerifyKeyRequest>) -> Self::Future {
        let request = request.into_inner();
        let answered = self
            .services
            .see(|seen| self.services.verify_key(seen, &request));
        Reply::ready(answered.map_err(|failure| failure.status("")))
    }
}

impl Services {
    fn verify_key(
        &self,
        seen: Seen<'_>,
        request: &v1::VerifyKeyRequest,
    ) -> Result<v1::VerifyKeyResponse, Failure> {
        // Keys have no rate limits yet, so a cost takes nothing.
        let v1::VerifyKeyRequest {
            key,
            source_ip,
            permission,
            resource,
            cost: _,
        } = request;
        let mut violations = Violations::default();
        let source_ip = violations.source_ip(source_ip);
        if key.is_empty() {
            violations.add("key", "missing; expected the whole key");
        }
        violations.done().map_err(Failure::Invalid)?;
        let digests = api_key::digest(key, self.parts.pepper.as_ref());
        let query = KeyQuery {
            digests: &digests,
            source_ip,
            permission: (!permission.is_empty()).then_some(permission.as_str()),
            resource: (!resource.is_empty()).then_some(resource.as_str()),
        };
        let snapshot = &seen.state.snapshot;
        let KeyAnswer { code, found } = decide::verify_key(snapshot, &query, seen.now)
            .map_err(|violation| Failure::Invalid(vec![violation]))?;
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
        Ok(v1::VerifyKeyResponse {
            code: words::key_code(code).into(),
            owner,
            key: name,
            organization,
            team,
            expires_at: not_after.map(words::timestamp),
            rate_limit: None,
            revision: snapshot.revision().0,
            snapshot_age: Some(words::duration(seen.age)),
        })
    }
}
