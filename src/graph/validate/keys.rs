//! Keys and their narrowing (SPEC 2.1, 9.1, 9.5).

use std::collections::HashSet;

use ipnet::{IpNet, Ipv4Net};

use super::{Check, Identity};
use crate::graph::at;
use crate::graph::document::{AnyOr, Entity, Key, KeyMaterial, Place, Restrictions};
use crate::graph::issue::Code;
use crate::graph::permissions::Permissions;
use crate::graph::plan::{PlannedKey, Principal};
use crate::graph::rows::RestrictionRow;
use crate::limits;
use crate::model::name;
use crate::model::node::NodeKind;
use crate::model::permission::PermissionSet;
use crate::model::principal::Authentication;

impl<'d> Check<'d> {
    /// Every key: owner, proof, window, narrowing.
    pub(super) fn all_keys(&mut self, permissions: &Permissions) {
        let all = self.of(|e| {
            if let Entity::Key(k) = e {
                Some(k)
            } else {
                None
            }
        });
        let (mut names, mut uids, mut digests) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (place, key) in all {
            let path = format!("key[{}]", key.name);
            let Some(owner_name) = self.name_of(place, &path, &key.name, "keys") else {
                continue;
            };
            if !names.insert(key.name.as_str()) {
                let found = format!("`{}`", key.name);
                self.issue(
                    place,
                    format!("{path}.name"),
                    Code::DuplicateName,
                    found,
                    "one entity a key",
                );
            }
            if !key.uid.is_empty() && (!name::is_id(&key.uid) || !uids.insert(key.uid.as_str())) {
                let found = format!("`{}`", key.uid);
                self.issue(
                    place,
                    format!("{path}.uid"),
                    Code::DuplicateUid,
                    found,
                    "a uid of its own",
                );
            }
            let owner = self.key_owner(place, &path, key, owner_name);
            let organization = self.key_organization(place, &path, key, owner);
            self.window(place, &path, key);
            self.material(place, &path, key, &mut digests);
            let restrictions = key
                .restrictions
                .as_ref()
                .map(|list| self.restrictions(place, &path, list, permissions));
            if let Some(owner) = owner {
                self.keys.push(PlannedKey {
                    entity: key,
                    owner,
                    organization,
                    restrictions,
                });
            }
        }
    }

    /// The owner is the account or user of the key's name that has `owner_uid`.
    fn key_owner(&mut self, place: &Place, path: &str, key: &Key, owner_name: &str) -> Option<u32> {
        let identity = self.uids.get(key.owner_uid.as_str()).copied();
        let found = match identity {
            Some(Identity::User(ix) | Identity::Account(ix)) => match at(&self.principals, ix) {
                Some(Principal::User(user)) if user.name == owner_name => Some(ix),
                Some(Principal::Account { entity, .. }) if entity.name == owner_name => Some(ix),
                _ => None,
            },
            Some(Identity::Group(_)) | None => None,
        };
        if found.is_none() {
            let at = format!("{path}.owner_uid");
            let allowed = format!("the uid of `{owner_name}`");
            let said = format!("`{}`", key.owner_uid);
            self.issue(place, at, Code::UnknownReference, said, &allowed);
        }
        if let Some(Principal::Account { entity, .. }) =
            found.and_then(|ix| at(&self.principals, ix))
            && entity.authentication == Authentication::Federated
        {
            let found = "a key of a federated account".to_owned();
            self.issue(
                place,
                path.to_owned(),
                Code::InvalidValue,
                found,
                "no keys: it has another issuer's tokens",
            );
        }
        found
    }

    fn key_organization(
        &mut self,
        place: &Place,
        path: &str,
        key: &Key,
        owner: Option<u32>,
    ) -> Option<u32> {
        if key.organization.is_empty() {
            return None;
        }
        let at_path = format!("{path}.organization");
        let found = format!("`{}`", key.organization);
        if !matches!(
            owner.and_then(|ix| at(&self.principals, ix)),
            Some(Principal::User(_))
        ) {
            self.issue(
                place,
                at_path,
                Code::InvalidValue,
                found,
                "none: only keys of users have one",
            );
            return None;
        }
        let known = self.node_of(&key.organization, NodeKind::Organization);
        if known.is_none() {
            self.issue(
                place,
                at_path,
                Code::UnknownReference,
                found,
                "an organization of this input",
            );
        }
        known
    }

    fn window(&mut self, place: &Place, path: &str, key: &Key) {
        if let (Some(before), Some(after)) = (key.not_before, key.not_after)
            && before >= after
        {
            let found = "a window that ends before it begins".to_owned();
            self.issue(
                place,
                format!("{path}.not_after"),
                Code::InvalidValue,
                found,
                "later than not_before",
            );
        }
        if key.has_rate_limit {
            let found = "a rate limit, which this build does not evaluate".to_owned();
            self.issue(
                place,
                format!("{path}.rate_limit"),
                Code::NotEvaluated,
                found,
                "none",
            );
        }
    }

    fn material(
        &mut self,
        place: &Place,
        path: &str,
        key: &'d Key,
        digests: &mut HashSet<(&'d [u8; 32], bool)>,
    ) {
        let Some((digest, is_hmac)) = key.material.digest() else {
            let found = "a key pair, which this build does not evaluate".to_owned();
            self.issue(
                place,
                format!("{path}.public_key"),
                Code::NotEvaluated,
                found,
                "api_key",
            );
            return;
        };
        let at_path = format!("{path}.api_key");
        if matches!(key.material, KeyMaterial::HmacSha256(_)) && !self.options.has_pepper {
            let found = "a key stored under a pepper".to_owned();
            self.issue(
                place,
                at_path.clone(),
                Code::InvalidValue,
                found,
                "a pepper: start with --pepper-file",
            );
        }
        if !digests.insert((digest, is_hmac)) {
            let found = "the same key a second time".to_owned();
            self.issue(
                place,
                at_path.clone(),
                Code::DuplicateKey,
                found,
                "a key of its own",
            );
        }
        let before = self
            .previous
            .and_then(|s| s.owner_uid_of_digest(digest, is_hmac));
        if before.is_some_and(|uid| uid != key.owner_uid) {
            let found = "a key that belongs to another owner in the serving snapshot".to_owned();
            self.issue(
                place,
                at_path,
                Code::Moved,
                found,
                "the same owner: keys stay with their account",
            );
        }
    }

    fn restrictions(
        &mut self,
        place: &Place,
        path: &str,
        list: &Restrictions,
        permissions: &Permissions,
    ) -> RestrictionRow {
        let mut row = RestrictionRow::default();
        if let AnyOr::List(names) = &list.permissions {
            let at = format!("{path}.restrictions.permissions");
            self.bound(place, at.clone(), names.len(), limits::RESTRICTIONS_MAX);
            self.permission_names(place, &at, names, permissions);
            let mut set = PermissionSet::EMPTY;
            for ix in names.iter().flat_map(|name| permissions.find(name)) {
                set.insert(ix);
            }
            row.permissions = Some(set);
        }
        if let AnyOr::List(names) = &list.resources {
            let at = format!("{path}.restrictions.resources");
            self.bound(place, at.clone(), names.len(), limits::RESTRICTIONS_MAX);
            for name in names {
                if !name::parse(name).is_ok_and(|parsed| !parsed.default_team) {
                    let allowed = "resource names, such as organizations/o/projects/p";
                    self.issue(
                        place,
                        at.clone(),
                        Code::InvalidName,
                        format!("`{name}`"),
                        allowed,
                    );
                }
            }
            row.resources = Some(names.iter().map(|name| name.as_str().into()).collect());
        }
        if let AnyOr::List(networks) = &list.cidrs {
            let at = format!("{path}.restrictions.cidrs");
            self.bound(place, at.clone(), networks.len(), limits::RESTRICTIONS_MAX);
            let mut good = Vec::with_capacity(networks.len());
            for text in networks {
                match network(text) {
                    Some(network) => good.push(network),
                    None => {
                        let allowed = "networks without host bits, such as 10.0.0.0/8";
                        self.issue(
                            place,
                            at.clone(),
                            Code::InvalidValue,
                            format!("`{text}`"),
                            allowed,
                        );
                    }
                }
            }
            row.cidrs = Some(good.into());
        }
        row
    }
}

/// Reads a network; an IPv4-mapped IPv6 one is the IPv4 one (SPEC 9.5, `docs/SEMANTICS.md`).
fn network(text: &str) -> Option<IpNet> {
    let network: IpNet = text.parse().ok()?;
    if network.trunc() != network {
        return None;
    }
    if let IpNet::V6(v6) = network
        && let (Some(v4), Some(length)) =
            (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
    {
        return Ipv4Net::new(v4, length).map_or(None, |v4| Some(IpNet::V4(v4)));
    }
    Some(network)
}
