//! Organization policies: of the proto ⇄ of the document.

use std::fmt::Arguments;

use crate::graph::document::{AnyOr, OrgPolicy, OrgRule};
use crate::wire::feed::message::check::Check;
use crate::wire::feed::message::from_document::any_or_list;
use crate::wire::proto::postern::feed::v1 as proto;
use crate::wire::proto::postern::feed::v1::org_policy::Rule;

pub(super) fn org_policy(message: proto::OrgPolicy, check: &mut Check) -> OrgPolicy {
    let proto::OrgPolicy {
        name,
        attachment,
        constraint,
        inherit_from_parent,
        reset,
        rule,
    } = message;
    let rule = rule.map(|rule| match rule {
        Rule::Boolean(proto::BooleanRule { enforced }) => OrgRule::Boolean(enforced),
        Rule::List(proto::ListRule { allow, deny }) => OrgRule::List {
            allow: values(format_args!(".list.allow"), allow, check),
            deny: values(format_args!(".list.deny"), deny, check),
        },
    });
    OrgPolicy {
        name,
        attachment,
        constraint,
        rule,
        inherit_from_parent,
        reset,
    }
}

/// A list that was not said is not the empty one.
fn values(
    path: Arguments<'_>,
    list: Option<proto::AnyOrList>,
    check: &mut Check,
) -> Option<AnyOr<String>> {
    list.map(|list| check.any_or_absent(path, Some(list)))
}

pub(super) fn message(entity: &OrgPolicy) -> proto::OrgPolicy {
    let OrgPolicy {
        name,
        attachment,
        constraint,
        rule,
        inherit_from_parent,
        reset,
    } = entity.clone();
    let rule = rule.map(|rule| match rule {
        OrgRule::Boolean(enforced) => Rule::Boolean(proto::BooleanRule { enforced }),
        OrgRule::List { allow, deny } => Rule::List(proto::ListRule {
            allow: allow.map(any_or_list),
            deny: deny.map(any_or_list),
        }),
    });
    proto::OrgPolicy {
        name,
        attachment,
        constraint,
        inherit_from_parent,
        reset,
        rule,
    }
}
