//! Every issue of decoding: the input, and the lines that a person reads (SPEC 2.2, 2.4).

use postern::limits::{NDJSON_LINE_BYTES_MAX, YAML_BYTES_MAX};
use postern::wire::feed::decode;
use postern::wire::feed::{Form, encode_messages};
use postern::wire::proto::postern::feed::v1::Snapshot;
use sha2::{Digest as _, Sha256};

/// The lines of all issues.
fn lines(name: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    match decode(&[(name, content)]) {
        Ok(_) => Vec::new(),
        Err(issues) => issues.list().iter().map(ToString::to_string).collect(),
    }
}

/// Inputs and expected lines of a table.
fn table(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match line.strip_prefix("> ") {
            Some(input) => rows.push((input, Vec::new())),
            None => rows.last_mut().unwrap().1.push(line),
        }
    }
    rows
}

#[test]
fn every_issue_of_an_entity_is_listed() {
    for (entity, expected) in table(include_str!("entities.txt")) {
        let found = lines("a.yaml", format!("entities:\n- {entity}\n"));
        let expected: Vec<String> = expected.iter().map(|l| format!("a.yaml:2: {l}")).collect();
        assert_eq!(found, expected, "{entity}");
    }
}

#[test]
fn every_issue_of_a_file_is_listed() {
    for (file, expected) in table(include_str!("files.txt")) {
        let (name, content) = file.split_once(' ').unwrap();
        let content: String = serde_json::from_str(content).unwrap();
        assert_eq!(lines(name, &content), expected, "{file}");
    }
}

// Every code that decoding gives is in a table.
#[test]
fn the_tables_show_every_code_of_decoding() {
    let tables = [include_str!("entities.txt"), include_str!("files.txt")].concat();
    for code in [
        "syntax",
        "unknown_field",
        "unknown_kind",
        "duplicate_field",
        "wrong_type",
        "missing",
        "invalid_value",
        "out_of_bounds",
        "unreadable",
    ] {
        assert!(tables.contains(&format!(": {code}: ")), "{code}");
    }
}

// A key in the place of its digest must not reach a log.
#[test]
fn a_key_in_the_place_of_a_digest_is_not_repeated() {
    let key = "pst_abcdefghijkl_0123456789012345678901234567890123456789012_123456";
    for field in ["sha256", "hmac_sha256", "hmacSha256"] {
        let entity =
            format!("{{\"key\":{{\"name\":\"k\",\"api_key\":{{\"{field}\":\"{key}\"}}}}}}");
        let found = lines("a.ndjson", entity).join("\n");
        assert!(found.contains("invalid_value"), "{found}");
        assert!(!found.contains("abcdefghijkl"), "{found}");
    }
}

#[test]
fn a_file_beyond_its_bound_is_refused() {
    let big = vec![b'#'; YAML_BYTES_MAX + 1];
    assert_eq!(
        lines("a.yaml", big),
        ["a.yaml: snapshot: out_of_bounds: 67108865 bytes; \
          expected 67108864 bytes at most in this form; use NDJSON for large ones"]
    );
    let mut long = b"{\"team\":{}}\n".to_vec();
    long.extend(vec![b'x'; NDJSON_LINE_BYTES_MAX + 1]);
    assert_eq!(
        lines("a.ndjson", long),
        ["a.ndjson:2: entities[1]: out_of_bounds: a line of 16777217 bytes, over 16777216"]
    );
}

#[test]
fn what_is_no_utf8_is_refused() {
    for name in ["a.yaml", "a.json", "a.ndjson"] {
        assert_eq!(
            lines(name, b"entities: []\xff"),
            [format!(
                "{name}: snapshot: syntax: no UTF-8 from byte 12 on; expected UTF-8"
            )]
        );
    }
    assert!(lines("a.yaml", "\u{feff}entities: []\n").is_empty());
    assert!(lines("a.json", "\u{feff}{\"entities\":[]}").is_empty());
}

#[test]
fn no_file_is_an_issue() {
    let issues = decode::<&str, &[u8]>(&[]).unwrap_err();
    assert_eq!(
        issues.to_string(),
        "input: snapshot: missing: no file; expected a snapshot file\n"
    );
}

// SPEC 2.2 and SEMANTICS 2.2: several files may each state the revision; they must agree.
#[test]
fn revisions_that_differ_are_an_issue() {
    let issues = decode(&[
        ("a.json", "{\"entities\": [], \"revision\": 7}"),
        ("b.json", "{\"entities\": []}"),
        ("c.json", "{\"entities\": [], \"revision\": \"8\"}"),
    ])
    .unwrap_err();
    assert_eq!(
        issues.to_string(),
        "c.json: snapshot: revision: revision 8; expected revision 7, as a.json states\n"
    );
}

// === the binary form ===

/// A binary file of these encoded entities.
fn binary(entities: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for entity in entities {
        body.push(u8::try_from(entity.len()).unwrap());
        body.extend_from_slice(entity);
    }
    let mut head = b"\x89PST\r\n\x1a\n".to_vec();
    head.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    head.extend(0_u64.to_le_bytes());
    head.extend(u64::try_from(entities.len()).unwrap().to_le_bytes());
    sealed(head, &body)
}

fn sealed(mut head: Vec<u8>, body: &[u8]) -> Vec<u8> {
    let sum = Sha256::new()
        .chain_update(&head)
        .chain_update(body)
        .finalize();
    head.extend_from_slice(&sum);
    head.extend_from_slice(body);
    head
}

/// Field `number` with a varint.
fn varint(number: u64, value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(number << 3, &mut bytes);
    prost::encoding::encode_varint(value, &mut bytes);
    bytes
}

/// Field `number` with bytes.
fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(number << 3 | 2, &mut bytes);
    prost::encoding::encode_varint(u64::try_from(content.len()).unwrap(), &mut bytes);
    [&*bytes, content].concat()
}

// SPEC 2.4: what protobuf drops in silence counts as skipping.
#[test]
fn what_the_protobuf_decoder_would_drop_is_an_issue() {
    let name = bytes(1, b"t");
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (
            bytes(99, b""),
            "entities[0]: unknown_field: the field number 99; expected ",
        ),
        (
            bytes(2, &[name.clone(), bytes(9, b"x")].concat()),
            "team[t].9: unknown_field: ",
        ),
        (
            bytes(2, &[name.clone(), name.clone()].concat()),
            "team[t].name: duplicate_field: ",
        ),
        (bytes(2, &varint(1, 5)), "entities[0]: syntax: "),
        (
            bytes(6, &[name.clone(), varint(6, 9)].concat()),
            "service_account[t].kind: invalid_value: ",
        ),
        (
            bytes(3, &[name.clone(), varint(5, 1 << 32)].concat()),
            "project[t].service_account_quota: out_of_bounds: ",
        ),
        (
            bytes(
                2,
                &[bytes(3, &bytes(1, b"k")), bytes(3, &bytes(1, b"k"))].concat(),
            ),
            "team.tags: duplicate_field: a key twice; expected it once",
        ),
        (
            bytes(2, &bytes(3, &bytes(4, b"k"))),
            "team.tags.4: unknown_field: ",
        ),
        (
            bytes(16, &bytes(7, &[1, 9])),
            "identity_provider.algorithms[0]: invalid_value: the number 9; expected ",
        ),
        (
            [bytes(2, &name), bytes(3, &name)].concat(),
            "project[t]: invalid_value: two fields ",
        ),
        (
            bytes(
                7,
                &bytes(6, &[bytes(1, &[0; 32]), bytes(2, &[0; 32])].concat()),
            ),
            "key.api_key: invalid_value: two fields that exclude each other; expected ",
        ),
        (
            bytes(7, &bytes(6, &bytes(1, &[0; 31]))),
            "key.api_key.sha256: invalid_value: 31 bytes",
        ),
        (bytes(2, &bytes(1, b"\xff")), "entities[0]: syntax: "),
        (bytes(2, &[0x0a, 5, b'x']), "entities[0]: syntax: "),
        (vec![], "entities[0]: missing: no kind; expected one kind"),
        (
            bytes(6, &bytes(11, &varint(2, 5))),
            "service_account.deleted_at: invalid_value: ",
        ),
        (
            bytes(6, &bytes(11, &varint(1, 1 << 60))),
            "service_account.deleted_at: out_of_bounds: ",
        ),
    ];
    for (entity, expected) in rows {
        let found = lines("a.pst", binary(&[&entity]));
        let first = found
            .first()
            .unwrap_or_else(|| panic!("accepted: {expected}"));
        let line = first.strip_prefix("a.pst: entities[0]: ").unwrap();
        assert!(line.starts_with(expected), "{line}\n{expected}");
    }
}

#[test]
fn a_damaged_binary_file_is_refused_whole() {
    let good = binary(&[&bytes(2, &bytes(1, b"t"))]);
    assert!(lines("a.pst", &good).is_empty());
    for at in 0..good.len() {
        let mut damaged = good.clone();
        damaged[at] ^= 1;
        assert_eq!(lines("a.pst", damaged).len(), 1, "byte {at}");
        assert_eq!(lines("a.pst", &good[..at]).len(), 1, "cut at {at}");
    }
}

#[test]
fn a_binary_file_of_another_version_is_refused() {
    let mut head = binary(&[])[..32].to_vec();
    head[8] = 2;
    assert_eq!(
        lines("a.pst", sealed(head.clone(), &[])),
        [
            "a.pst: snapshot: invalid_value: version 2 of the form; this build reads 1; \
          expected a file that `postern convert` wrote"
        ]
    );
    head[8] = 1;
    head[12] = 2;
    assert!(lines("a.pst", sealed(head.clone(), &[]))[0].contains("flags 0x2"));
    head[12] = 0;
    head[24] = 5;
    assert_eq!(
        lines("a.pst", sealed(head, &[])),
        ["a.pst: snapshot: syntax: 0 entities; expected 5, as the head says"]
    );
}

#[test]
fn an_empty_snapshot_can_be_said_in_every_form() {
    for form in Form::ALL {
        let name = format!("a.{}", form.extension());
        let bytes = encode_messages(&Snapshot::default(), form);
        assert!(lines(&name, bytes).is_empty(), "{form:?}");
    }
}
