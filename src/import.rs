//! Other systems' configurations as snapshots.
//!
//! Pure: texts in, a document and a report out; `cli` reads and writes the files.

pub mod convert;
pub mod read;
pub mod report;
pub mod source;
mod tree;
