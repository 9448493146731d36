//! Postern: a policy decision point for gateways.
//!
//! The modules in pipeline order; `docs/ARCHITECTURE.md` draws the line, `tests/tidy.rs`
//! holds it.

pub mod limits;

pub mod clock;

pub mod model;

pub mod condition;

pub mod graph;

pub mod decide;

pub mod credential;

pub mod wire;

pub mod import;

pub mod lint;

pub mod cases;

pub mod live;

pub mod telemetry;

pub mod feed;

pub mod serve;

pub mod app;

pub mod cli;
