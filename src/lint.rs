//! Other programs' configurations, checked for what would undo Postern's decisions.
//!
//! Pure: a text in, a report out; `cli` reads the file and prints.

pub mod envoy;
pub mod report;
pub mod tree;
