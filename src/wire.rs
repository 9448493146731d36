//! Layer 3: the only place where wire types meet domain types.

pub mod authorize;
pub mod compare;
pub mod envoy;
pub mod explain;
pub mod feed;
pub mod json;
pub mod lookup;
pub mod org_policy;
pub mod proto;
mod request;
pub mod status;
pub mod verify;
pub mod words;
