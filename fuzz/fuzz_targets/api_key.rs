//! A presented key: never a panic, and only what has the form is digested.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::credential::api_key::{Form, digest, form};
use postern::limits::{KEY_BYTES_MAX, KEY_BYTES_MIN};
use postern::model::query::KeyDigests;

fuzz_target!(|text: &str| {
    let digested = digest(text, None) != KeyDigests::Malformed;
    match form(text) {
        Form::Malformed(_) => assert!(!digested),
        Form::Postern { id } => {
            assert!(digested && text.starts_with("pst_") && id.len() == 12);
        }
        Form::Foreign => {
            assert!(digested && !text.starts_with("pst_"));
            assert!((KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&text.len()));
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
});
