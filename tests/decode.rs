//! Files in every form: what is read, and every issue of what is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test may panic, and a table is long"
)]

#[path = "decode/issues.rs"]
mod issues;
#[path = "decode/kept.rs"]
mod kept;
#[path = "decode/random.rs"]
mod random;

use postern::graph::document::{Document, Entity};
use postern::wire::feed::{Form, decode, decode_messages, decode_one, encode, encode_messages};
use postern::wire::proto::postern::feed::v1::Snapshot;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use crate::random::Choices;

fn written(snapshot: &Snapshot, form: Form) -> (String, Vec<u8>) {
    (
        format!("snapshot.{}", form.extension()),
        encode_messages(snapshot, form),
    )
}

#[track_caller]
fn read(file: &(String, Vec<u8>)) -> Snapshot {
    let (name, bytes) = file;
    decode_messages(&[(name, bytes)])
        .unwrap_or_else(|issues| panic!("{issues}\n{}", String::from_utf8_lossy(bytes)))
}

fn entities(document: &Document) -> Vec<&Entity> {
    document
        .entities
        .iter()
        .map(|located| &located.entity)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    // SPEC 2.2: one form turns into another and back.
    #[test]
    fn any_entity_survives_every_form(bytes in proptest::collection::vec(any::<u8>(), 0..1200)) {
        let snapshot = random::snapshot(&mut Choices::new(&bytes));
        let mut last = snapshot.clone();
        for form in [Form::Yaml, Form::Json, Form::NdJson, Form::Binary, Form::Yaml] {
            last = read(&written(&last, form));
            prop_assert_eq!(&last, &snapshot);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cut in 0_usize..2000,
        form in 0_usize..4,
    ) {
        let form = Form::ALL[form];
        let name = format!("a.{}", form.extension());
        drop(decode_one(&name, &bytes));
        let snapshot = random::snapshot(&mut Choices::new(&bytes));
        let mut whole = encode_messages(&snapshot, form);
        if let Some(byte) = whole.get_mut(cut) {
            *byte ^= bytes.first().copied().unwrap_or(1);
        }
        drop(decode_one(&name, &whole));
        whole.truncate(cut);
        drop(decode_one(&name, &whole));
    }
}

#[test]
fn every_kind_of_the_schema_survives_every_form() {
    let bytes: Vec<u8> = (0_u32..40_000)
        .map(|i| u8::try_from((i * 7919 + i / 251) % 256).unwrap())
        .collect();
    let entities = random::every_kind(&mut Choices::new(&bytes));
    assert_eq!(entities.len(), 20);
    let snapshot = Snapshot {
        revision: Some(7),
        entities,
    };
    for form in Form::ALL {
        assert_eq!(read(&written(&snapshot, form)), snapshot, "{form:?}");
    }
}

#[test]
fn acme_is_the_same_document_in_every_form() {
    let yaml = include_bytes!("../examples/acme/acme.yaml");
    let document = decode_one("acme.yaml", yaml).unwrap_or_else(|issues| panic!("{issues}"));
    assert!(document.entities.len() > 50);
    for form in Form::ALL {
        let name = format!("acme.{}", form.extension());
        let again = decode_one(&name, &encode(&document, form).unwrap()).unwrap();
        assert_eq!(entities(&again), entities(&document), "{form:?}");
    }
}

#[test]
fn what_a_document_holds_in_part_is_not_written() {
    let file = r#"{"signing_key": {"name": "signingKeys/k", "use": "ACCESS_TOKEN", "algorithm": "ES256"}}"#;
    let document = decode_one("a.ndjson", file.as_bytes()).unwrap();
    let issues = encode(&document, Form::Yaml).unwrap_err();
    assert_eq!(issues.list()[0].code.word(), "not_evaluated");
    assert_eq!(issues.list()[0].path, "signing_key[signingKeys/k]");
}

// SPEC 2.2: a directory of files is one snapshot.
#[test]
fn several_files_are_one_snapshot() {
    let document = decode(&[
        (
            "a.yaml",
            "revision: 7\nentities:\n- organization: {name: organizations/a}\n",
        ),
        (
            "b.ndjson",
            "{\"team\": {\"name\": \"organizations/a/teams/t\"}}\n",
        ),
        ("c.json", "{\"revision\": \"7\", \"entities\": []}"),
    ])
    .unwrap();
    assert_eq!(document.revision.unwrap().0, 7);
    assert_eq!(document.entities.len(), 2);
    let place = &document.entities[0].place;
    assert_eq!((&*place.file, place.line, place.index), ("a.yaml", 3, 0));
    let place = &document.entities[1].place;
    assert_eq!((&*place.file, place.line, place.index), ("b.ndjson", 1, 0));
}
