//! Members of bindings and rules: whom they name (SPEC 6.1, 6.2).

use super::groups::Named;
use super::{Check, Identity};
use crate::graph::document::Place;
use crate::graph::issue::Code;
use crate::graph::plan::Holder;
use crate::model::member::{self, Member};

/// What a member is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To be granted something: whoever is not here gets nothing.
    Grant,
    /// To be denied, excepted or bound: what a request asserts is matched too.
    Rule,
}

impl Check<'_> {
    /// Who a member is, if it is somebody; what is wrong with it is noted.
    pub(super) fn holder(
        &mut self,
        place: &Place,
        path: &impl Fn() -> String,
        text: &str,
        used: Use,
    ) -> Option<Holder> {
        let Some(parsed) = member::parse(text) else {
            let found = format!("`{text}`");
            self.issue(place, path(), Code::InvalidValue, found, member::FORMS);
            return None;
        };
        match &parsed {
            Member::AllUsers => Some(Holder::AllUsers),
            Member::AllAuthenticatedUsers => Some(Holder::AllAuthenticatedUsers),
            Member::Domain(domain) => {
                let lower = domain.to_ascii_lowercase();
                Some(Holder::Domain(self.names.domains.number(lower)))
            }
            Member::AccountsBelow { node, agents_only } => {
                let Some(node) = self.by_name.get(node).copied() else {
                    self.names_nobody(place, path(), text);
                    return None;
                };
                let set = (node, *agents_only);
                Some(Holder::Accounts(self.names.account_sets.number(set)))
            }
            Member::PoolSubject { pool, .. } => {
                self.pool_is_here(place, path, pool);
                Some(self.asserted(&parsed, text))
            }
            Member::PoolSet { pool, selector } => {
                self.pool_is_here(place, path, pool);
                let pool = (*pool).to_owned();
                Some(if *selector == "*" {
                    Holder::Pool(self.names.pools.number(pool))
                } else {
                    let set = (pool, (*selector).to_owned());
                    Holder::PoolSet(self.names.pool_sets.number(set))
                })
            }
            Member::User(_)
            | Member::Group(_)
            | Member::ServiceAccount { .. }
            | Member::DeletedServiceAccount { .. } => {
                self.identity(place, path, &parsed, text, used)
            }
        }
    }

    fn identity(
        &mut self,
        place: &Place,
        path: &impl Fn() -> String,
        member: &Member<'_>,
        text: &str,
        used: Use,
    ) -> Option<Holder> {
        match (self.named(member), used) {
            (Named::Somebody(Identity::User(ix) | Identity::Account(ix)), _) => {
                Some(Holder::Principal(ix))
            }
            (Named::Somebody(Identity::Group(ix)), _) => Some(Holder::Group(ix)),
            (Named::Nobody, Use::Grant) => {
                self.names_nobody(place, path(), text);
                None
            }
            (Named::Nobody, Use::Rule) => {
                self.names_nobody(place, path(), text);
                let group = matches!(member, Member::Group(_));
                (!group).then(|| self.asserted(member, text))
            }
            (Named::Ambiguous, Use::Grant) => {
                self.ambiguous(place, path(), text);
                None
            }
            // SPEC 1.5 makes it an issue where something could be inherited: denied is the
            // living account, or whoever says so.
            (Named::Ambiguous, Use::Rule) => Some(match self.living_account(member) {
                Some(ix) => Holder::Principal(ix),
                None => self.asserted(member, text),
            }),
        }
    }

    fn living_account(&self, member: &Member<'_>) -> Option<u32> {
        let Member::ServiceAccount { email, uid: None } = member else {
            return None;
        };
        match self.living.get(&email.to_ascii_lowercase()) {
            Some(Identity::Account(ix)) => Some(*ix),
            Some(Identity::User(_) | Identity::Group(_)) | None => None,
        }
    }

    /// A principal that is not here, by what a request would assert.
    pub(super) fn asserted(&mut self, member: &Member<'_>, text: &str) -> Holder {
        let text = match member {
            Member::User(email) => format!("user:{}", email.to_ascii_lowercase()),
            Member::ServiceAccount { email, uid: None } => {
                format!("serviceAccount:{}", email.to_ascii_lowercase())
            }
            Member::ServiceAccount {
                email,
                uid: Some(uid),
            }
            | Member::DeletedServiceAccount { email, uid } => {
                format!("serviceAccount:{}?uid={uid}", email.to_ascii_lowercase())
            }
            Member::Group(_)
            | Member::Domain(_)
            | Member::AllUsers
            | Member::AllAuthenticatedUsers
            | Member::AccountsBelow { .. }
            | Member::PoolSubject { .. }
            | Member::PoolSet { .. } => text.to_owned(),
        };
        Holder::Asserted(self.names.asserted.number(text))
    }

    /// Warns when no entity says that the pool exists.
    pub(super) fn pool_is_here(&mut self, place: &Place, path: &impl Fn() -> String, pool: &str) {
        if !self.pools.contains_key(pool) {
            let found = format!("`{pool}` is no identity pool here: it grants nothing");
            let allowed = "an identity pool of this input";
            self.warn(place, path(), Code::UnknownReference, found, allowed);
        }
    }
}
