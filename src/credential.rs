//! Layer 1: from a presented proof to what look-up needs. Pure.

pub mod api_key;
pub mod pepper;
