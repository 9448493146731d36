//! Layer 0: values. No I/O, no async, no clock, no wire types.
//!
//! The vocabulary: a *node* is a thing of the tree (organization, team, project, service
//! account, key); a *principal* acts; a *permission* is `service.resource.verb`; a *role* is
//! a set of permissions; a *binding* gives members a role on a node; a *snapshot* is all of
//! it at one *revision*.

pub mod constraint;
pub mod email;
pub mod host;
pub mod lookup;
pub mod member;
pub mod name;
pub mod node;
pub mod outcome;
pub mod path;
pub mod permission;
pub mod principal;
pub mod query;
pub mod revision;
pub mod route;
pub mod secret;
pub mod template;
pub mod value;
