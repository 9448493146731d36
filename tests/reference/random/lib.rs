//! Random snapshots and questions: small alphabets, so that things meet.

pub(crate) mod asks;
pub(crate) mod conditions;
pub(crate) mod dice;
pub(crate) mod graph;
pub(crate) mod levers;
pub(crate) mod policies;
pub(crate) mod rules;
pub(crate) mod shrink;
pub(crate) mod stock;
