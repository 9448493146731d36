//! Keys: what they prove, and how they narrow (SPEC 9.2, 9.5).

use std::net::IpAddr;

use crate::decide::{Asked, KeyAnswer, Refusal, Target, find, refuse, shape, subject};
use crate::graph::rows::{KeyRow, NONE, PrincipalRow};
use crate::graph::snapshot::{KeyIx, Snapshot};
use crate::model::name;
use crate::model::outcome::{KeyCode, Reason};
use crate::model::permission::{self, PermissionIx};
use crate::model::principal::PrincipalIx;
use crate::model::query::{KeyDigests, KeyQuery, UnixTime};

/// What a presented key proved.
pub(super) struct Proof<'s> {
    pub(super) code: KeyCode,
    pub(super) ix: Option<KeyIx>,
    pub(super) key: Option<&'s KeyRow>,
    pub(super) owner: Option<PrincipalIx>,
    source_ip: Option<IpAddr>,
}

/// Looks a key up and checks all that depends on no resource; `VALID` so far.
///
/// Both digests are probed whatever the first says: the work must not depend on the result.
pub(super) fn prove<'s>(
    snapshot: &'s Snapshot,
    digests: &KeyDigests,
    source_ip: Option<IpAddr>,
    now: UnixTime,
) -> Proof<'s> {
    let mut proof = Proof {
        code: KeyCode::NotFound,
        ix: None,
        key: None,
        owner: None,
        source_ip,
    };
    let KeyDigests::Digested {
        sha256,
        hmac_sha256,
    } = digests
    else {
        proof.code = KeyCode::Malformed;
        return proof;
    };
    let plain = snapshot.find_digest(sha256, false);
    let keyed = hmac_sha256
        .as_ref()
        .and_then(|digest| snapshot.find_digest(digest, true));
    let Some((ix, key)) = plain.or(keyed).and_then(|ix| Some((ix, snapshot.key(ix)?))) else {
        return proof;
    };
    let owner = PrincipalIx(key.owner);
    let Some(row) = snapshot.principal(owner) else {
        return proof;
    };
    proof.code = standing(row, key, now);
    proof.ix = Some(ix);
    proof.key = Some(key);
    proof.owner = Some(owner);
    proof
}

/// The codes of SPEC 9.2 that the owner and the key themselves give, first that applies.
fn standing(owner: &PrincipalRow, key: &KeyRow, now: UnixTime) -> KeyCode {
    if owner.deleted {
        KeyCode::OwnerDeleted
    } else if owner.disabled {
        KeyCode::OwnerDisabled
    } else if key.disabled {
        KeyCode::Disabled
    } else if now.0 < key.not_before {
        KeyCode::NotYetValid
    } else if now.0 >= key.not_after {
        KeyCode::Expired
    } else {
        KeyCode::Valid
    }
}

/// The deny reason of a key's code; `None`: it holds.
pub(super) const fn reason(code: KeyCode) -> Option<Reason> {
    Some(match code {
        KeyCode::Malformed => Reason::CredentialMalformed,
        KeyCode::NotFound => Reason::CredentialNotFound,
        KeyCode::OwnerDeleted => Reason::CredentialOwnerDeleted,
        KeyCode::OwnerDisabled => Reason::CredentialOwnerDisabled,
        KeyCode::Disabled => Reason::CredentialDisabled,
        KeyCode::NotYetValid => Reason::CredentialNotYetValid,
        KeyCode::Expired => Reason::CredentialExpired,
        KeyCode::OrgScopedKeyRequired => Reason::CredentialOrgScopedKeyRequired,
        KeyCode::IpNotAllowed => Reason::CredentialIpNotAllowed,
        KeyCode::OutOfScope => Reason::CredentialOutOfScope,
        KeyCode::RateLimited => Reason::CredentialRateLimited,
        KeyCode::Valid => return None,
    })
}

/// The codes that depend on what is asked: of the key that proved the subject, if one did.
pub(super) fn narrowed(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    resource: &str,
    target: Option<&Target<'_>>,
) -> Option<Reason> {
    let key = asked.who.key?;
    reason(narrow(
        snapshot,
        key,
        &Use {
            source_ip: asked.query.source_ip,
            permission: Some(asked.permission),
            resource: Some((resource, target)),
        },
    ))
}

/// What a key is used for; what is absent is not checked.
struct Use<'u, 's> {
    source_ip: Option<IpAddr>,
    /// The permission, `Some(None)` for one that is not known.
    permission: Option<Option<PermissionIx>>,
    /// The resource's name, and its node if it has one.
    resource: Option<(&'u str, Option<&'u Target<'s>>)>,
}

fn narrow(snapshot: &Snapshot, key: &KeyRow, used: &Use<'_, '_>) -> KeyCode {
    if let Some((resource, target)) = used.resource {
        let organization = match target {
            Some(target) => Some(
                snapshot
                    .ancestor(target.node, target.row, 0)
                    .unwrap_or(NONE),
            ),
            // What is missing below it is no way around the organization's rule, and no hint.
            None => name::organization(resource)
                .and_then(|organization| snapshot.find_name(organization))
                .map(|located| located.node),
        };
        let enforced = organization.is_some_and(|organization| {
            snapshot
                .node(organization)
                .is_none_or(|row| row.settings.enforce_org_scoped_keys)
        });
        if enforced && home(snapshot, key) != organization {
            return KeyCode::OrgScopedKeyRequired;
        }
    }
    let restrictions = snapshot.restrictions(key);
    if let Some(networks) = restrictions.and_then(|r| r.cidrs.as_ref()) {
        let address = used.source_ip.map(|address| address.to_canonical());
        if !address.is_some_and(|address| networks.iter().any(|n| n.contains(&address))) {
            return KeyCode::IpNotAllowed;
        }
    }
    if let (Some(asked), Some(set)) = (
        used.permission,
        restrictions.and_then(|r| r.permissions.as_ref()),
    ) && !asked.is_some_and(|permission| set.contains(permission))
    {
        return KeyCode::OutOfScope;
    }
    if let Some((resource, _)) = used.resource {
        let listed = restrictions.and_then(|r| r.resources.as_ref());
        let inside =
            listed.is_none_or(|list| list.iter().any(|r| name::is_at_or_below(resource, r)));
        let reach = snapshot.node(key.organization);
        if !inside || !reach.is_none_or(|row| name::is_at_or_below(resource, row.name.as_str())) {
            return KeyCode::OutOfScope;
        }
    }
    KeyCode::Valid
}

/// The organization that a key belongs to: of an organization key or of a service account.
fn home(snapshot: &Snapshot, key: &KeyRow) -> Option<u32> {
    if key.organization != NONE {
        return Some(key.organization);
    }
    let account = snapshot.principal(PrincipalIx(key.owner))?.account?;
    snapshot.ancestor(account.node, snapshot.node(account.node)?, 0)
}

/// `VerifyKey` (SPEC 9.2).
pub(super) fn verify(
    snapshot: &Snapshot,
    query: &KeyQuery<'_>,
    now: UnixTime,
) -> Result<KeyAnswer, Refusal> {
    let (mut misplaced, mut default_team) = (false, false);
    if let Some(resource) = query.resource {
        match name::parse(resource) {
            Ok(parsed) => (misplaced, default_team) = (parsed.misplaced, parsed.default_team),
            Err(fault) => return refuse("resource", fault.to_string()),
        }
    }
    if let Some(name) = query.permission
        && !permission::is_well_formed(name)
    {
        let expectation = "a permission such as models.runs.create";
        return refuse("permission", shape::expected(name, expectation));
    }
    let proof = prove(snapshot, query.digests, query.source_ip, now);
    let mut code = proof.code;
    if let (KeyCode::Valid, Some(key)) = (code, proof.key) {
        let resolved = match query.resource {
            Some(resource) if default_team => Some(subject::default_team(
                snapshot,
                resource,
                None,
                proof.owner,
            )?),
            Some(_) | None => None,
        };
        let resource = resolved.as_deref().or(query.resource);
        let target = resource.and_then(|resource| find(snapshot, resource, misplaced));
        code = narrow(
            snapshot,
            key,
            &Use {
                source_ip: proof.source_ip,
                permission: query
                    .permission
                    .map(|name| snapshot.permissions().find(name)),
                resource: resource.map(|resource| (resource, target.as_ref())),
            },
        );
    }
    Ok(KeyAnswer {
        code,
        found: proof.ix.zip(proof.owner),
    })
}
