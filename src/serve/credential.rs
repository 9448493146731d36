//! `CredentialService`: `VerifyKey`.

use tonic::Request;
use tonic::server::UnaryService;

use crate::credential::api_key;
use crate::decide::{self, KeyAnswer};
use crate::serve::dispatch::Services;
use crate::serve::freshness::{Reply, Seen};
use crate::wire::proto::postern::v1;
use crate::wire::status::Failure;
use crate::wire::verify::{self, KeyAsked};

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
            .see(|seen| self.services.verify_key(seen, request));
        Reply::ready(answered.map_err(|failure| failure.status("")))
    }
}

impl Services {
    fn verify_key(
        &self,
        seen: Seen<'_>,
        request: v1::VerifyKeyRequest,
    ) -> Result<v1::VerifyKeyResponse, Failure> {
        let digest = |key: &str| api_key::digest(key, self.parts.pepper.as_ref());
        let asked = KeyAsked::read(request, digest).map_err(Failure::Invalid)?;
        let snapshot = &seen.state.snapshot;
        let KeyAnswer { code, found } = decide::verify_key(snapshot, &asked.query(), seen.now)
            .map_err(|violation| Failure::Invalid(vec![violation]))?;
        Ok(verify::respond(snapshot, seen.age, code, found))
    }
}
