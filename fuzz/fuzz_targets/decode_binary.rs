//! One entity in a binary file whose head is right: never a panic, and what is accepted is
//! what the generated decoder sees, no more and no less.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::graph;
use postern::wire::feed::{Form, decode_messages, decode_one, encode_messages};
use postern::wire::proto::postern::feed::v1::Entity;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

fn file(entity: &[u8]) -> Vec<u8> {
    let mut head = b"\x89PST\r\n\x1a\n".to_vec();
    head.extend(1_u32.to_le_bytes());
    head.extend(0_u32.to_le_bytes());
    head.extend(0_u64.to_le_bytes());
    head.extend(1_u64.to_le_bytes());
    let mut body = Vec::new();
    prost::encoding::encode_varint(u64::try_from(entity.len()).unwrap_or(0), &mut body);
    body.extend_from_slice(entity);
    head.extend_from_slice(&Sha256::new().chain_update(&head).chain_update(&body).finalize());
    head.append(&mut body);
    head
}

fuzz_target!(|input: &[u8]| {
    // Damaged files first.
    drop(decode_one("raw.pst", input));
    let bytes = file(input);
    let Ok(snapshot) = decode_messages(&[("input.pst", &bytes)]) else { return };
    let seen = Entity::decode(input);
    assert_eq!(snapshot.entities.first(), seen.as_ref().ok());
    let again = encode_messages(&snapshot, Form::Binary);
    assert_eq!(decode_messages(&[("again.pst", again)]).as_ref(), Ok(&snapshot));
    if let Ok(document) = decode_one("input.pst", &bytes) {
        drop(graph::build(&document, None, &graph::Options::default()));
    }
});
