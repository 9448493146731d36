//! `AuthorizationService`: `GetEffectiveOrgPolicy`.

use tonic::Request;
use tonic::server::UnaryService;

use crate::serve::dispatch::Services;
use crate::serve::freshness::Reply;
use crate::wire::org_policy;
use crate::wire::proto::postern::v1;

/// `GetEffectiveOrgPolicy`.
#[derive(Debug)]
pub struct GetEffectiveOrgPolicy<'s> {
    pub(super) services: &'s Services,
}

impl<'s> UnaryService<v1::GetEffectiveOrgPolicyRequest> for GetEffectiveOrgPolicy<'s> {
    type Response = v1::GetEffectiveOrgPolicyResponse;
    type Future = Reply<'s, Self::Response>;

    fn call(&mut self, request: Request<v1::GetEffectiveOrgPolicyRequest>) -> Self::Future {
        let request = request.into_inner();
        let answered = self
            .services
            .see(|seen| org_policy::answer(&seen.state.snapshot, seen.age, request));
        Reply::ready(answered.map_err(|failure| failure.status("")))
    }
}
