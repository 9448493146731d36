use super::*;

fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0_u8;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(37);
        }
    }
}

// SPEC 9.1
#[test]
fn a_generated_key_has_our_form_and_its_check_sum() {
    let key = generate(&mut counting());
    let key = key.expose();
    assert_eq!(key.len(), LENGTH);
    assert!(matches!(form(key), Form::Postern { id } if key.get(4..16) == Some(id)));
}

// SPEC 9.1
#[test]
fn one_wrong_character_anywhere_is_malformed() {
    let key = generate(&mut counting());
    for at in 0..LENGTH {
        let mut bytes = key.expose().clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let text = String::from_utf8(bytes).unwrap();
        // Without the prefix it is somebody else's key, not ours.
        let foreign = !text.starts_with(PREFIX);
        assert_eq!(matches!(form(&text), Form::Malformed(_)), !foreign, "{at}");
    }
}

// SPEC 9.1
#[test]
fn keys_issued_elsewhere_are_opaque() {
    let hex = "0123456789abcdef0123456789abcdef01234567";
    let long = "x".repeat(256);
    for text in [
        hex,
        "wandb_v1_abcdefghijklmnopqrstuvwxyz0",
        "local-0123456789012345",
        &long,
    ] {
        assert_eq!(form(text), Form::Foreign, "{text}");
    }
    let too_long = "x".repeat(257);
    for (text, fault) in [
        ("", Fault::Length),
        ("short-short-short-1", Fault::Length),
        (too_long.as_str(), Fault::Length),
        ("with a space in the middle", Fault::Byte),
        ("tab\tin-the-middle-of-it", Fault::Byte),
        ("umlaut-\u{e4}-in-the-middle-", Fault::Byte),
        ("pst_too-short-for-its-own-form", Fault::Shape),
    ] {
        assert_eq!(form(text), Form::Malformed(fault), "{text}");
    }
}

#[test]
fn the_check_sum_is_crc_32_in_base_62() {
    // zlib: crc32("123456789") = 0xCBF43926 = 3421780262 = 3*62^5 + ... in base62.
    let mut value = 0_u64;
    for digit in check_sum(b"123456789") {
        let place = ALPHABET.iter().position(|c| *c == digit).unwrap();
        value = value * 62 + u64::try_from(place).unwrap();
    }
    assert_eq!(value, 0xCBF4_3926);
}

// SPEC 9.2
#[test]
fn digests_are_of_the_whole_key_and_print_nothing() {
    let pepper = Pepper::parse(b"kQ3v9ZpL2mX8rT5wB7nY4cJ6hD1fG0sA").unwrap();
    let text = "0123456789abcdef0123456789abcdef01234567";
    let digests = digest(text, Some(&pepper));
    assert_eq!(
        digests,
        KeyDigests::Digested {
            sha256: sha256(text),
            hmac_sha256: Some(hmac_sha256(text, &pepper))
        }
    );
    assert_eq!(format!("{digests:?}"), "Digested(..)");
    assert_eq!(digest("short", None), KeyDigests::Malformed);
}
