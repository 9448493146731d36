//! What the program says about itself: log lines on standard error.

pub mod logging;
