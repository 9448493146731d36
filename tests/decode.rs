//! Files in every form: what is read, and every issue of what is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use postern::wire::feed::{Form, decode, decode_messages, decode_one, encode, encode_messages};

#[test]
fn acme_is_the_same_in_every_form() {
    let yaml = include_bytes!("../examples/acme/acme.yaml");
    let document = decode_one("acme.yaml", yaml).unwrap_or_else(|issues| panic!("{issues}"));
    assert!(document.entities.len() > 50);
    let messages = decode_messages(&[("acme.yaml", yaml)]).unwrap();
    for form in Form::ALL {
        let name = format!("acme.{}", form.extension());
        let bytes = encode_messages(&messages, form);
        if form != Form::Binary {
            println!(
                "{}",
                String::from_utf8_lossy(&bytes)
                    .chars()
                    .take(2000)
                    .collect::<String>()
            );
        }
        let again = decode_messages(&[(&name, &bytes)]).unwrap_or_else(|issues| panic!("{issues}"));
        assert_eq!(again, messages, "{form:?}");
        let bytes = encode(&document, form).unwrap();
        let again = decode(&[(&name, bytes)]).unwrap();
        let entities = |d: &postern::graph::document::Document| {
            d.entities
                .iter()
                .map(|e| e.entity.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(entities(&again), entities(&document), "{form:?}");
    }
}
