//! Layer 3: the only place where wire types meet domain types.

pub mod feed;
pub mod proto;
