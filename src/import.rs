//! Other systems' configurations as snapshots.
//!
//! Pure: bytes and names in, a document and a report out; `cli` reads and writes the files.

pub mod convert;
pub mod report;
pub mod source;
