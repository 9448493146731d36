//! The tree: organizations, teams, projects and service accounts (SPEC 1.1, 2.5).

use std::collections::HashMap;

use super::{Check, next_ix};
use crate::graph::at;
use crate::graph::document::{Entity, Place, ServiceAccount, Tags};
use crate::graph::issue::Code;
use crate::graph::plan::Node;
use crate::graph::rows::Settings;
use crate::limits;
use crate::model::name;
use crate::model::node::NodeKind;

/// A node as read, before its parent is known.
struct Draft<'d> {
    place: &'d Place,
    path: String,
    parent: &'d str,
    node: Node<'d>,
    account: Option<&'d ServiceAccount>,
}

impl<'d> Check<'d> {
    /// Every node, parents first. Service accounts get their nodes here and their
    /// principals in `accounts`.
    pub(super) fn tree(&mut self) {
        let document = self.document;
        let mut drafts = Vec::new();
        for located in &document.entities {
            drafts.extend(self.draft(&located.place, &located.entity));
        }
        // Parents have fewer segments, and of one name the answering account comes first.
        drafts.sort_by_cached_key(|draft| {
            let name = draft.node.name;
            (name.matches('/').count(), name, draft.account.map(rank))
        });
        let mut living: HashMap<&'d str, bool> = HashMap::new();
        for draft in drafts {
            let parent = if draft.node.kind == NodeKind::Organization {
                None
            } else {
                let parent = self.by_name.get(draft.parent).copied();
                if !parent.is_some_and(|ix| self.may_hold(ix, draft.node.kind)) {
                    let found = format!("`{}` is not here", draft.parent);
                    let allowed = allowed_parents(draft.node.kind);
                    self.issue(
                        draft.place,
                        format!("{}.name", draft.path),
                        Code::MissingParent,
                        found,
                        allowed,
                    );
                    continue;
                }
                parent
            };
            let ix = next_ix(&self.nodes);
            let lives = draft
                .account
                .is_none_or(|account| account.deleted_at.is_none());
            match living.get_mut(draft.node.name) {
                None => {
                    living.insert(draft.node.name, lives);
                    self.by_name.insert(draft.node.name, ix);
                }
                // SPEC 2.5: of accounts with one name, all but one are deleted.
                Some(_) if draft.account.is_some() && !lives => {}
                Some(_) => {
                    let found = format!("`{}`", draft.node.name);
                    let allowed = "one entity a name; of service accounts one living one";
                    self.issue(
                        draft.place,
                        format!("{}.name", draft.path),
                        Code::DuplicateName,
                        found,
                        allowed,
                    );
                }
            }
            self.nodes.push(Node {
                parent,
                ..draft.node
            });
            if let Some(account) = draft.account {
                self.account_principal(draft.place, &draft.path, account, ix);
            }
        }
    }

    fn may_hold(&self, parent: u32, kind: NodeKind) -> bool {
        let parent = at(&self.nodes, parent).map(|node| node.kind);
        match kind {
            NodeKind::Organization | NodeKind::Key => false,
            NodeKind::Team | NodeKind::Project => {
                matches!(parent, Some(NodeKind::Organization | NodeKind::Team))
            }
            NodeKind::ServiceAccount => matches!(
                parent,
                Some(NodeKind::Organization | NodeKind::Team | NodeKind::Project)
            ),
        }
    }

    fn draft(&mut self, place: &'d Place, entity: &'d Entity) -> Option<Draft<'d>> {
        let (kind, name, collection, tags, title) = match entity {
            Entity::Organization(e) => (
                NodeKind::Organization,
                &e.name,
                "organizations",
                &e.tags,
                &e.display_name,
            ),
            Entity::Team(e) => (NodeKind::Team, &e.name, "teams", &e.tags, &e.display_name),
            Entity::Project(e) => (
                NodeKind::Project,
                &e.name,
                "projects",
                &e.tags,
                &e.display_name,
            ),
            Entity::ServiceAccount(e) => (
                NodeKind::ServiceAccount,
                &e.name,
                "serviceAccounts",
                &e.tags,
                &e.display_name,
            ),
            Entity::User(_)
            | Entity::Group(_)
            | Entity::Key(_)
            | Entity::Role(_)
            | Entity::Permission(_)
            | Entity::AllowPolicy(_)
            | Entity::DenyPolicy(_)
            | Entity::AccessBoundary(_)
            | Entity::AccessBoundaryBinding(_)
            | Entity::IdentityPool(_)
            | Entity::Route(_)
            | Entity::OrgPolicy(_)
            | Entity::NotEvaluated { .. } => return None,
        };
        let path = format!("{}[{name}]", word(kind));
        self.text(place, &path, "display_name", title);
        self.tags(place, &path, tags);
        let parent = self.name_of(place, &path, name, collection)?;
        let mut node = Node {
            name,
            kind,
            parent: None,
            settings: Settings::default(),
            project: None,
            principal: None,
            members_may_invite: false,
            disable_admin_team_access: false,
            tags,
        };
        self.fill(place, &path, entity, &mut node);
        let account = if let Entity::ServiceAccount(account) = entity {
            Some(account)
        } else {
            None
        };
        Some(Draft {
            place,
            path,
            parent,
            node,
            account,
        })
    }

    fn fill(&mut self, place: &Place, path: &str, entity: &'d Entity, node: &mut Node<'d>) {
        match entity {
            Entity::Organization(e) => {
                node.settings = Settings {
                    enforce_org_scoped_keys: e.enforce_org_scoped_keys,
                    disable_key_creation: e.disable_key_creation,
                    disable_team_service_account_creation: e.disable_team_service_account_creation,
                    private_projects_only: e.private_projects_only,
                };
                node.disable_admin_team_access = e.disable_admin_team_access;
                if name::split_last(&e.name).is_some_and(|(parent, _, _)| !parent.is_empty()) {
                    let found = format!("`{}`", e.name);
                    self.issue(
                        place,
                        format!("{path}.name"),
                        Code::InvalidName,
                        found,
                        "organizations/{id}",
                    );
                }
            }
            Entity::Team(e) => {
                node.settings.private_projects_only = e.private_projects_only;
                node.members_may_invite = e.members_may_invite;
            }
            Entity::Project(e) => {
                node.project = Some(e);
                if let crate::graph::document::AnyOr::List(services) = &e.services {
                    let at = format!("{path}.services");
                    self.bound(place, at.clone(), services.len(), limits::SERVICES_MAX);
                    for service in services {
                        if !name::is_id(service) || service.contains('.') {
                            let found = format!("`{service}`");
                            let allowed = "the first part of permission names, such as `models`";
                            self.issue(place, at.clone(), Code::InvalidValue, found, allowed);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn tags(&mut self, place: &Place, path: &str, tags: &Tags) {
        let at = format!("{path}.tags");
        self.bound(place, at.clone(), tags.len(), limits::TAGS_MAX);
        for (key, value) in tags {
            if !name::is_id(key) || value.len() > limits::TEXT_BYTES_MAX {
                let allowed =
                    "a key of letters, digits and ._~@:+=-, a value of at most 1,024 bytes";
                self.issue(
                    place,
                    at.clone(),
                    Code::InvalidValue,
                    format!("`{key}`"),
                    allowed,
                );
            }
        }
    }
}

/// Sorts accounts of one name: the living one, then the one deleted last (ties: greater uid).
fn rank(account: &ServiceAccount) -> (bool, std::cmp::Reverse<(Option<i64>, &str)>) {
    (
        account.deleted_at.is_some(),
        std::cmp::Reverse((account.deleted_at, &account.uid)),
    )
}

const fn word(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Organization => "organization",
        NodeKind::Team => "team",
        NodeKind::Project => "project",
        NodeKind::ServiceAccount | NodeKind::Key => "service_account",
    }
}

const fn allowed_parents(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Organization | NodeKind::Key => "no parent",
        NodeKind::Team | NodeKind::Project => "below an organization or team of the same input",
        NodeKind::ServiceAccount => "below an organization, team or project of the same input",
    }
}
