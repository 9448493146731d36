//! Files of released versions of the schema: they decode for ever.

use postern::graph::document::Entity;
use postern::wire::feed::{Form, decode_messages, decode_one, encode_messages};

const YAML: &[u8] = include_bytes!("v1.yaml");
const NDJSON: &[u8] = include_bytes!("v1.ndjson");
const BINARY: &[u8] = include_bytes!("v1.pst");

#[test]
fn version_1_is_read_in_every_form() {
    let yaml = decode_messages(&[("v1.yaml", YAML)]).unwrap_or_else(|issues| panic!("{issues}"));
    let ndjson = decode_messages(&[("v1.ndjson", NDJSON)]).unwrap();
    let binary = decode_messages(&[("v1.pst", BINARY)]).unwrap();
    assert_eq!(yaml.revision, Some(42));
    assert_eq!(yaml.entities.len(), 25);
    assert_eq!(ndjson, yaml);
    assert_eq!(binary, yaml);
}

// The written form is part of the contract too: operators keep it under version control.
#[test]
fn version_1_is_written_as_it_was() {
    let messages = decode_messages(&[("v1.pst", BINARY)]).unwrap();
    assert_eq!(encode_messages(&messages, Form::Binary), BINARY);
    assert!(encode_messages(&messages, Form::NdJson) == NDJSON);
}

// SPEC 2.4: a kind that is not evaluated is named, never dropped.
#[test]
fn kinds_that_are_not_evaluated_are_in_the_document() {
    let document = decode_one("v1.pst", BINARY).unwrap();
    let kinds = document
        .entities
        .iter()
        .filter_map(|located| match &located.entity {
            Entity::NotEvaluated { kind, .. } => Some(*kind),
            _ => None,
        });
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["identity_provider", "signing_key", "heartbeat", "manifest",]
    );
}
