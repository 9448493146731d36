//! The form of a request: what is wrong with it whatever the snapshot holds (SPEC 15).

use crate::decide::{Refusal, delegation, refuse};
use crate::limits;
use crate::model::member::{self, Member};
use crate::model::query::{Query, Subject};
use crate::model::secret::masked;
use crate::model::value::Value;
use crate::model::{name, permission};

/// A well-formed request's parts.
pub(super) struct Shape<'a> {
    /// The asserted subject, taken apart; `None` if it was found already.
    pub(super) subject: Option<Member<'a>>,
    /// Who made the thing, if it was said.
    pub(super) created_by: Option<Member<'a>>,
    /// The node part of the resource's name; empty if it was found whole.
    pub(super) node: &'a str,
    /// Other collections follow the node.
    pub(super) below: bool,
    /// A structural collection follows another one: no such thing can exist.
    pub(super) misplaced: bool,
    /// The default team stands in the name.
    pub(super) default_team: bool,
}

impl<'a> Shape<'a> {
    /// Reads the form of every field. What was found in the snapshot is well-formed and need
    /// not be checked again: the resource, the permission, the asserted subject.
    pub(super) fn read(
        query: &Query<'a>,
        found: bool,
        permission_known: bool,
        subject_known: bool,
    ) -> Result<Self, Refusal> {
        let mut shape = Self {
            subject: None,
            created_by: None,
            node: "",
            below: false,
            misplaced: false,
            default_team: false,
        };
        if let Subject::Principal(text) = query.subject
            && !subject_known
        {
            let Some(subject) = member::parse_subject(text) else {
                return refuse("principal", expected(text, member::SUBJECT_FORMS));
            };
            shape.subject = Some(subject);
        }
        if !permission_known && !permission::is_well_formed(query.permission) {
            let expectation = "a permission such as models.runs.create";
            return refuse("permission", expected(query.permission, expectation));
        }
        if !found {
            match name::parse(query.resource) {
                Ok(parsed) => {
                    shape.node = parsed.node;
                    shape.below = parsed.below;
                    shape.misplaced = parsed.misplaced;
                    shape.default_team = parsed.default_team;
                }
                Err(fault) => return refuse("resource", fault.to_string()),
            }
        }
        if let Some(entity) = query.entity {
            check_entity(entity)?;
        }
        delegation::check_form(query.delegates)?;
        shape.created_by = created_by(query)?;
        Ok(shape)
    }
}

/// "found X; expected Y", with a bound on what is repeated, and nothing of a key that was
/// sent in the wrong field.
pub(super) fn expected(found: &str, expectation: &str) -> String {
    let found = masked(found);
    let shown: String = found.chars().take(limits::ID_BYTES_MAX).collect();
    let cut = if shown.len() < found.len() { "..." } else { "" };
    format!(
        "found `{}`{cut}; expected {expectation}",
        shown.escape_default()
    )
}

/// SPEC 1.4: a team's name.
fn check_entity(entity: &str) -> Result<(), Refusal> {
    match name::parse(entity) {
        Ok(parsed) if !parsed.default_team && name::is_of_form(entity, "teams") => Ok(()),
        Ok(_) => refuse("entity", expected(entity, "the name of a team")),
        Err(fault) => refuse("entity", fault.to_string()),
    }
}

/// SPEC 3.3: `resource_attributes.created_by`, in member syntax.
fn created_by<'a>(query: &Query<'a>) -> Result<Option<Member<'a>>, Refusal> {
    const FIELD: &str = "resource_attributes.created_by";
    match query.resource_attributes.get("created_by") {
        None => Ok(None),
        Some(Value::String(text)) => match member::parse(text) {
            Some(
                member @ (Member::User(_)
                | Member::ServiceAccount { .. }
                | Member::DeletedServiceAccount { .. }
                | Member::PoolSubject { .. }),
            ) => Ok(Some(member)),
            _ => refuse(FIELD, expected(text, member::SUBJECT_FORMS)),
        },
        Some(_) => refuse(FIELD, "expected a string in member syntax".to_owned()),
    }
}
