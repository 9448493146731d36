//! The reference evaluator: SPEC read aloud, slowly.
//!
//! It answers the questions of SPEC 14 (`Authorize`, `VerifyKey`) over a snapshot in the file
//! form of SPEC 2.2, and shares nothing with the engine: no index, no closure, no bit set, no
//! interned name, and its own table of permissions and roles. It searches lists of strings
//! again for every question. Where it and the engine disagree, one of them misreads SPEC.
//!
//! Choices where SPEC and docs/SEMANTICS.md leave room are marked `choice:`.

pub(crate) mod catalogue;
pub(crate) mod conditions;
pub(crate) mod constraints;
pub(crate) mod decide;
pub(crate) mod gates;
pub(crate) mod grants;
pub(crate) mod guards;
pub(crate) mod keys;
pub(crate) mod names;
pub(crate) mod people;
pub(crate) mod question;
pub(crate) mod roles;
pub(crate) mod time;
pub(crate) mod world;
