//! Look-ups (SPEC 11.4): requests → `Lookup`, items → responses.

use std::net::IpAddr;

use prost::Message;

use crate::limits::LOOKUP_PAGE_MAX;
use crate::model::lookup::{Item, Lookup, Verdict};
use crate::model::node::NodeKind;
use crate::model::outcome::{Reason, Violation};
use crate::model::query::{KeyDigests, Query, Subject};
use crate::model::value::Struct;
use crate::wire::authorize::said;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::{list_permissions_request, list_resources_request};
use crate::wire::request::Violations;
use crate::wire::words;

/// A request whose form is right.
#[derive(Debug)]
pub struct Asked {
    subject: Asker,
    digests: KeyDigests,
    permission: String,
    resource: String,
    resource_attributes: Struct,
    context: Struct,
    entity: String,
    source_ip: Option<IpAddr>,
    what: What,
    /// Most answers of the page.
    pub room: usize,
    /// Where to go on; empty: at the start.
    pub page_token: String,
    /// The request without page size and token, for the cursor; of secrets it has digests only
    /// because nobody sees it.
    pub canonical: Secret,
}

/// Bytes that may hold a key.
#[derive(Clone)]
pub struct Secret(pub zeroize::Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[derive(Debug)]
enum Asker {
    Principal(String),
    /// Only its digests are kept.
    Credential,
    Anonymous,
}

#[derive(Debug)]
enum What {
    Resources {
        parent: String,
        kinds: Vec<NodeKind>,
    },
    Permissions,
    Principals {
        agents: bool,
        impersonation: bool,
    },
}

/// A look-up of the API.
pub trait Request: Message + Default + Sized {
    /// What it is answered with.
    type Answer;

    /// Takes the request apart. `digest` digests a presented key.
    ///
    /// # Errors
    /// Every field that is wrong by itself.
    fn read(self, digest: impl FnOnce(&str) -> KeyDigests) -> Result<Asked, Vec<Violation>>;

    /// The answer.
    fn answer(items: Vec<Item>, page: v1::PageState) -> Self::Answer;
}

impl Asked {
    /// The question.
    #[must_use]
    pub fn question(&self) -> Lookup<'_> {
        let query = Query {
            subject: match &self.subject {
                Asker::Principal(principal) => Subject::Principal(principal),
                Asker::Credential => Subject::ApiKey(&self.digests),
                Asker::Anonymous => Subject::Anonymous,
            },
            permission: &self.permission,
            resource: &self.resource,
            resource_attributes: &self.resource_attributes,
            context: &self.context,
            entity: said(&self.entity),
            source_ip: self.source_ip,
            ..Query::EMPTY
        };
        match &self.what {
            What::Resources { parent, kinds } => Lookup::Resources {
                query,
                parent: said(parent),
                kinds,
            },
            What::Permissions => Lookup::Permissions { query },
            What::Principals {
                agents,
                impersonation,
            } => Lookup::Principals {
                query,
                agents: *agents,
                impersonation: *impersonation,
            },
        }
    }
}

/// What the three requests have in common.
struct Fields {
    subject: Option<(Asker, KeyDigests)>,
    permission: String,
    resource: String,
    resource_attributes: Option<prost_types::Struct>,
    context: Option<prost_types::Struct>,
    entity: String,
    source_ip: String,
    page_size: u32,
    page_token: String,
    canonical: Vec<u8>,
}

impl Fields {
    fn read(self, what: What, mut violations: Violations) -> Result<Asked, Vec<Violation>> {
        let (subject, digests) = self.subject.unwrap_or_else(|| {
            let expected = "missing; expected one of principal, credential, anonymous";
            violations.add("subject", expected);
            (Asker::Anonymous, KeyDigests::Malformed)
        });
        let room = match usize::try_from(self.page_size) {
            Ok(0) => LOOKUP_PAGE_MAX,
            Ok(size) if size <= LOOKUP_PAGE_MAX => size,
            Ok(_) | Err(_) => {
                let found = self.page_size;
                violations.add(
                    "page_size",
                    format!("{found}; expected at most {LOOKUP_PAGE_MAX}"),
                );
                0
            }
        };
        let attributes = self.resource_attributes;
        let resource_attributes = violations.attributes("resource_attributes", attributes);
        let context = violations.attributes("context", self.context);
        let source_ip = violations.source_ip(&self.source_ip);
        violations.done()?;
        Ok(Asked {
            subject,
            digests,
            permission: self.permission,
            resource: self.resource,
            resource_attributes,
            context,
            entity: self.entity,
            source_ip,
            what,
            room,
            page_token: self.page_token,
            canonical: Secret(self.canonical.into()),
        })
    }
}

/// The request as bytes: maps are in order, so equal requests are equal bytes.
fn canonical(method: &str, request: &impl Message) -> Vec<u8> {
    let mut bytes = method.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend(request.encode_to_vec());
    bytes
}

impl Request for v1::ListResourcesRequest {
    type Answer = v1::ListResourcesResponse;

    fn read(mut self, digest: impl FnOnce(&str) -> KeyDigests) -> Result<Asked, Vec<Violation>> {
        use list_resources_request::Subject as Said;
        let page_size = std::mem::take(&mut self.page_size);
        let page_token = std::mem::take(&mut self.page_token);
        let canonical = canonical("ListResources", &self);
        let Self {
            subject,
            permission,
            parent,
            kinds,
            resource_attributes,
            context,
            source_ip,
            page_size: _,
            page_token: _,
        } = self;
        let mut violations = Violations::default();
        let mut wanted = Vec::new();
        for kind in kinds {
            match node_kind(kind) {
                Some(kind) if !wanted.contains(&kind) => wanted.push(kind),
                Some(_) => {}
                None => {
                    violations.add("kinds", format!("{kind} is no kind of resource"));
                    break;
                }
            }
        }
        let fields = Fields {
            subject: subject.map(|subject| match subject {
                Said::Principal(text) => (Asker::Principal(text), KeyDigests::Malformed),
                Said::Credential(key) => (Asker::Credential, digest(&key)),
                Said::Anonymous(()) => (Asker::Anonymous, KeyDigests::Malformed),
            }),
            permission,
            resource: String::new(),
            resource_attributes,
            context,
            entity: String::new(),
            source_ip,
            page_size,
            page_token,
            canonical,
        };
        let kinds = wanted;
        fields.read(What::Resources { parent, kinds }, violations)
    }

    fn answer(items: Vec<Item>, page: v1::PageState) -> Self::Answer {
        let (found, undecided) = apart(items, |item, reason| v1::FoundResource {
            name: item.name,
            reason: words::reason(reason).into(),
        });
        v1::ListResourcesResponse {
            resources: found,
            undecided,
            page: Some(page),
        }
    }
}

impl Request for v1::ListPermissionsRequest {
    type Answer = v1::ListPermissionsResponse;

    fn read(mut self, digest: impl FnOnce(&str) -> KeyDigests) -> Result<Asked, Vec<Violation>> {
        use list_permissions_request::Subject as Said;
        let page_size = std::mem::take(&mut self.page_size);
        let page_token = std::mem::take(&mut self.page_token);
        let canonical = canonical("ListPermissions", &self);
        let Self {
            subject,
            resource,
            resource_attributes,
            context,
            source_ip,
            entity,
            page_size: _,
            page_token: _,
        } = self;
        let fields = Fields {
            subject: subject.map(|subject| match subject {
                Said::Principal(text) => (Asker::Principal(text), KeyDigests::Malformed),
                Said::Credential(key) => (Asker::Credential, digest(&key)),
                Said::Anonymous(()) => (Asker::Anonymous, KeyDigests::Malformed),
            }),
            permission: String::new(),
            resource,
            resource_attributes,
            context,
            entity,
            source_ip,
            page_size,
            page_token,
            canonical,
        };
        fields.read(What::Permissions, Violations::default())
    }

    fn answer(items: Vec<Item>, page: v1::PageState) -> Self::Answer {
        let (found, undecided) = apart(items, |item, reason| v1::FoundPermission {
            permission: item.name,
            reason: words::reason(reason).into(),
        });
        v1::ListPermissionsResponse {
            permissions: found,
            undecided,
            page: Some(page),
        }
    }
}

impl Request for v1::ListPrincipalsRequest {
    type Answer = v1::ListPrincipalsResponse;

    fn read(mut self, _digest: impl FnOnce(&str) -> KeyDigests) -> Result<Asked, Vec<Violation>> {
        let page_size = std::mem::take(&mut self.page_size);
        let page_token = std::mem::take(&mut self.page_token);
        let canonical = canonical("ListPrincipals", &self);
        let Self {
            permission,
            resource,
            resource_attributes,
            context,
            source_ip,
            entity,
            include_service_agents,
            analyze_impersonation,
            page_size: _,
            page_token: _,
        } = self;
        let fields = Fields {
            subject: Some((Asker::Anonymous, KeyDigests::Malformed)),
            permission,
            resource,
            resource_attributes,
            context,
            entity,
            source_ip,
            page_size,
            page_token,
            canonical,
        };
        let what = What::Principals {
            agents: include_service_agents,
            impersonation: analyze_impersonation,
        };
        fields.read(what, Violations::default())
    }

    fn answer(items: Vec<Item>, page: v1::PageState) -> Self::Answer {
        let (found, undecided) = apart(items, |item, reason| {
            let (through, permissions) = match item.through {
                None => (String::new(), Vec::new()),
                Some(through) => (
                    through.account,
                    through.permissions.into_iter().map(str::to_owned).collect(),
                ),
            };
            v1::FoundPrincipal {
                principal: item.name,
                reason: words::reason(reason).into(),
                through,
                permissions,
            }
        });
        v1::ListPrincipalsResponse {
            principals: found,
            undecided,
            page: Some(page),
        }
    }
}

/// Only what is allowed is listed as found.
fn apart<T>(items: Vec<Item>, found: impl Fn(Item, Reason) -> T) -> (Vec<T>, Vec<v1::Undecided>) {
    let (mut allowed, mut undecided) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        match item.verdict {
            Verdict::Allowed(reason) => allowed.push(found(item, reason)),
            Verdict::Undecided(violation) => undecided.push(v1::Undecided {
                name: item.name,
                violation: Some(v1::FieldViolation {
                    field: violation.field.into_owned(),
                    description: violation.description,
                }),
            }),
        }
    }
    (allowed, undecided)
}

fn node_kind(kind: i32) -> Option<NodeKind> {
    match v1::ResourceKind::try_from(kind).ok()? {
        v1::ResourceKind::Unspecified => None,
        v1::ResourceKind::Organization => Some(NodeKind::Organization),
        v1::ResourceKind::Team => Some(NodeKind::Team),
        v1::ResourceKind::Project => Some(NodeKind::Project),
        v1::ResourceKind::ServiceAccount => Some(NodeKind::ServiceAccount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_in_no_debug_text() {
        let key = "pst_abcdefghijkl";
        let resources = v1::ListResourcesRequest {
            subject: Some(list_resources_request::Subject::Credential(key.to_owned())),
            ..Default::default()
        };
        let permissions = v1::ListPermissionsRequest {
            subject: Some(list_permissions_request::Subject::Credential(
                key.to_owned(),
            )),
            ..Default::default()
        };
        let mut texts = vec![format!("{resources:?}"), format!("{permissions:?}")];
        let digest = |_: &str| KeyDigests::Malformed;
        texts.push(format!("{:?}", resources.read(digest).unwrap()));
        texts.push(format!("{:?}", permissions.read(digest).unwrap()));
        for text in texts {
            assert!(!text.contains(key), "{text}");
        }
    }

    // Else a cursor of one request could be used for another one.
    #[test]
    fn every_field_but_the_page_is_in_what_a_cursor_is_bound_to() {
        let digest = |_: &str| KeyDigests::Malformed;
        let bound =
            |request: v1::ListPrincipalsRequest| request.read(digest).unwrap().canonical.0.to_vec();
        let plain = v1::ListPrincipalsRequest::default();
        let paged = v1::ListPrincipalsRequest {
            page_size: 3,
            page_token: "x".to_owned(),
            ..plain.clone()
        };
        assert_eq!(bound(paged), bound(plain.clone()));
        let text = || "192.0.2.1".to_owned();
        type Change = fn(&mut v1::ListPrincipalsRequest, String);
        let changes: [Change; 8] = [
            |r, text| r.permission = text,
            |r, text| r.resource = text,
            |r, text| r.entity = text,
            |r, text| r.source_ip = text,
            |r, _| r.include_service_agents = true,
            |r, _| r.analyze_impersonation = true,
            |r, _| r.context = Some(prost_types::Struct::default()),
            |r, _| r.resource_attributes = Some(prost_types::Struct::default()),
        ];
        let mut seen = vec![bound(plain.clone())];
        for change in changes {
            let mut request = plain.clone();
            change(&mut request, text());
            seen.push(bound(request));
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }
}
