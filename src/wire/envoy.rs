//! `envoy.service.auth.v3`: bytes in, types out, no I/O (SPEC 13).

pub mod credential;
pub mod headers;
mod message;
pub mod request;
pub mod response;
pub mod settings;
