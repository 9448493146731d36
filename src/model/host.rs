//! Host patterns of routes (SPEC 13.1).

use std::net::Ipv6Addr;

use crate::limits::{HOST_BYTES_MAX, HOST_LABEL_BYTES_MAX};

/// What is a host pattern, for messages.
pub const FORMS: &str = "a host in lower case without a port (api.example.com), \
                         *.example.com for every host below it, or * for every host";

/// Whether `text` is a host, `*.` and a host, or `*`.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    match text.strip_prefix("*.") {
        _ if text == "*" => true,
        Some(parent) => text.len() <= HOST_BYTES_MAX && is_name(parent),
        None => is_name(text) || is_ipv6(text),
    }
}

/// Labels of letters, digits, `-` and `_` between dots; IPv4 addresses are such names too.
fn is_name(text: &str) -> bool {
    let is_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let is_label = |label: &str| {
        (1..=HOST_LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(is_byte)
    };
    text.len() <= HOST_BYTES_MAX && text.split('.').all(is_label)
}

/// An address in brackets, in its one canonical form.
fn is_ipv6(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    inner.is_some_and(|inner| {
        inner
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.to_string() == inner)
    })
}
