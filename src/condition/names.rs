//! The names of SPEC 7.1 and where each may be used.

use cel::common::ast::{Expr, SelectExpr};

use crate::condition::lower::Lowering;
use crate::condition::program::{Attribute, Kind, Literal, Node};
use crate::condition::{Fault, Site};

/// What a site offers, for the messages.
const fn offered(site: Site) -> &'static str {
    match site {
        Site::Allow | Site::Deny => {
            "request.time, request.attributes, resource.name, resource.type, \
             resource.attributes, resource.matchTag(), source.ip, principal.subject and \
             principal.type"
        }
        Site::Boundary => "principal.subject and principal.type",
        Site::Provider => "assertion and attribute",
    }
}

const fn place(site: Site) -> &'static str {
    match site {
        Site::Allow => "an allow policy",
        Site::Deny => "a deny policy",
        Site::Boundary => "an access boundary",
        Site::Provider => "a provider",
    }
}

/// `what` is CEL, and not to be had here.
pub(super) fn not_here(site: Site, what: &str) -> Fault {
    Fault::NotAllowed(format!(
        "`{what}` cannot be used in {}, which has {}",
        place(site),
        offered(site)
    ))
}

/// Time functions, tags and networks: where a request is looked at.
pub(super) fn sees_request(site: Site, what: &str) -> Result<(), Fault> {
    match site {
        Site::Allow | Site::Deny => Ok(()),
        Site::Boundary | Site::Provider => Err(not_here(site, what)),
    }
}

/// A name that stands alone.
pub(super) fn identifier(lowering: &Lowering<'_>, name: &str) -> Result<Node, Fault> {
    let site = lowering.site;
    // An inner variable hides an outer one of the same name.
    if let Some(slot) = lowering.variables.iter().rposition(|known| *known == name) {
        return Ok(Node::Variable(slot));
    }
    if let Some(kind) = Kind::of_word(name) {
        return Ok(Node::Literal(Literal::Type(kind)));
    }
    match (name, site) {
        ("assertion", Site::Provider) => Ok(Node::Attribute(Attribute::Assertion)),
        ("attribute", Site::Provider) => Ok(Node::Attribute(Attribute::Mapped)),
        _ => Err(not_here(site, name)),
    }
}

/// `request.time` and its like; `None`: the field of something else.
pub(super) fn attribute(
    lowering: &Lowering<'_>,
    select: &SelectExpr,
) -> Result<Option<Node>, Fault> {
    let (operand, field) = (&*select.operand, select.field.as_str());
    if let Some(kind) = type_name(lowering, select) {
        return Ok(Some(Node::Literal(Literal::Type(kind))));
    }
    let roots = ["request", "resource", "source", "principal"];
    let Some(root) = roots
        .into_iter()
        .find(|root| lowering.is_name(operand, root))
    else {
        return Ok(None);
    };
    let name = format!("{root}.{field}");
    let found = match name.as_str() {
        "request.time" => Attribute::RequestTime,
        "request.attributes" => Attribute::RequestAttributes,
        "resource.name" => Attribute::ResourceName,
        "resource.type" => Attribute::ResourceType,
        "resource.attributes" => Attribute::ResourceAttributes,
        "source.ip" => Attribute::SourceIp,
        "principal.subject" => Attribute::PrincipalSubject,
        "principal.type" => Attribute::PrincipalType,
        _ => return Err(not_here(lowering.site, &name)),
    };
    let of_principal = matches!(
        found,
        Attribute::PrincipalSubject | Attribute::PrincipalType
    );
    match lowering.site {
        Site::Allow | Site::Deny => {}
        Site::Boundary if of_principal => {}
        Site::Boundary | Site::Provider => return Err(not_here(lowering.site, &name)),
    }
    if select.test {
        return Ok(Some(Node::HasAttribute(found)));
    }
    if found == Attribute::SourceIp {
        // As text it would compare unequal to another spelling of the same address.
        return Err(Fault::NotAllowed(
            "`source.ip` is no text: write cidr('10.0.0.0/8').containsIP(source.ip)".to_owned(),
        ));
    }
    Ok(Some(Node::Attribute(found)))
}

/// `google.protobuf.Timestamp` and `google.protobuf.Duration`.
fn type_name(lowering: &Lowering<'_>, select: &SelectExpr) -> Option<Kind> {
    let Expr::Select(package) = &select.operand.expr else {
        return None;
    };
    let named = package.field == "protobuf"
        && !package.test
        && !select.test
        && lowering.is_name(&package.operand, "google");
    match select.field.as_str() {
        "Timestamp" if named => Some(Kind::Time),
        "Duration" if named => Some(Kind::Duration),
        _ => None,
    }
}
