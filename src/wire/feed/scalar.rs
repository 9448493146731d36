//! The text forms of values that JSON has no form for: moments, durations, bytes.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use prost_types::{Duration, Timestamp};

/// First second of year 1 and last of year 9999: what `google.protobuf.Timestamp` holds.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Longest `google.protobuf.Duration`, seconds: about 10,000 years.
const DURATION_SECONDS_MAX: i64 = 315_576_000_000;

/// Either padding, standard alphabet; no stray bits in the last character.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a moment looks like; for messages.
pub(super) const TIMESTAMP_FORM: &str = "a moment such as \"2026-03-01T12:00:00Z\" (RFC 3339)";
/// What a duration looks like; for messages.
pub(super) const DURATION_FORM: &str = "a duration in seconds such as \"3.5s\"";
/// What bytes look like; for messages.
pub(super) const BYTES_FORM: &str = "bytes in base64";
/// What a digest looks like; for messages.
pub(super) const DIGEST_FORM: &str = "32 bytes as 64 hexadecimal digits, or in base64";

/// Reads RFC 3339, capital `T` and `Z`, no leap second.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let (head, rest) = text.split_at_checked(19)?;
    let shaped = head
        .bytes()
        .zip("dddd-dd-ddTdd:dd:dd".bytes())
        .all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == form,
        });
    let zone = rest
        .strip_prefix('.')
        .map_or(rest, |r| r.trim_start_matches(|c: char| c.is_ascii_digit()));
    let fraction = rest.len().checked_sub(zone.len())?;
    let zoned = zone == "Z" || (zone.len() == 6 && zone.starts_with(['+', '-']));
    if !shaped || !zoned || fraction == 1 || fraction > 10 || head.ends_with("60") {
        return None;
    }
    let Ok(moment) = text.parse::<Timestamp>() else {
        return None;
    };
    SECONDS.contains(&moment.seconds).then_some(moment)
}

/// Whether the moment is one that `google.protobuf.Timestamp` allows.
pub(super) fn is_timestamp(moment: &Timestamp) -> bool {
    SECONDS.contains(&moment.seconds) && (0..1_000_000_000).contains(&moment.nanos)
}

/// Reads `3.5s`; at most nine decimals.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (negative, number) = number
        .strip_prefix('-')
        .map_or((false, number), |n| (true, n));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 12 || fraction.len() > 9 {
        return None;
    }
    let Ok(seconds) = whole.parse::<i64>() else {
        return None;
    };
    let Ok(nanos) = format!("{fraction:0<9}").parse::<i32>() else {
        return None;
    };
    let sign = if negative { -1 } else { 1 };
    let duration = Duration {
        seconds: seconds.checked_mul(sign.into())?,
        nanos: nanos * sign,
    };
    is_duration(&duration).then_some(duration)
}

/// Whether the duration is one that `google.protobuf.Duration` allows.
pub(super) fn is_duration(duration: &Duration) -> bool {
    let Duration { seconds, nanos } = *duration;
    seconds.unsigned_abs() <= DURATION_SECONDS_MAX.unsigned_abs()
        && nanos.unsigned_abs() < 1_000_000_000
        && (seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0))
}

/// Writes `3.5s`.
pub(super) fn duration_text(duration: &Duration) -> String {
    let Duration { seconds, nanos } = *duration;
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let decimals = format!("{:09}", nanos.unsigned_abs());
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{decimals}s", seconds.unsigned_abs())
}

/// Reads base64: standard or URL-safe alphabet, with or without padding.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let standard: String = text
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    let Ok(bytes) = BASE64.decode(standard) else {
        return None;
    };
    Some(bytes)
}

/// Writes base64: standard alphabet with padding.
pub(super) fn bytes_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads a digest of 32 bytes: 64 hexadecimal digits, or base64.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        let Ok(digest) = <[u8; 32]>::try_from(bytes(text)?) else {
            return None;
        };
        return Some(digest);
    }
    let mut digest = [0_u8; 32];
    for (slot, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *slot = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(digest)
}

/// Writes hexadecimal digits.
pub(super) fn digest_text(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |text, byte| {
        text + &format!("{byte:02x}")
    })
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_rfc_3339() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("2026-03-01T12:00:00Z", Some((1_772_366_400, 0))),
            (
                "2026-03-01T12:00:00.25Z",
                Some((1_772_366_400, 250_000_000)),
            ),
            (
                "2026-03-01T12:00:00.123456789Z",
                Some((1_772_366_400, 123_456_789)),
            ),
            ("2026-03-01T13:30:00+01:30", Some((1_772_366_400, 0))),
            ("2026-03-01T10:30:00-01:30", Some((1_772_366_400, 0))),
            ("2026-03-01T11:30:00-00:30", Some((1_772_366_400, 0))),
            ("2024-02-29T00:00:00Z", Some((1_709_164_800, 0))),
            ("0001-01-01T00:00:00Z", Some((-62_135_596_800, 0))),
            ("9999-12-31T23:59:59Z", Some((253_402_300_799, 0))),
            ("9999-12-31T23:59:59-01:00", None),
            ("0000-01-01T00:00:00Z", None),
            ("2026-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-03-01T24:00:00Z", None),
            ("2026-03-01T12:60:00Z", None),
            ("2026-03-01T12:00:60Z", None),
            ("2026-03-01T12:00:61Z", None),
            ("2026-03-01T12:00:00", None),
            ("2026-03-01T12:00:00.Z", None),
            ("2026-03-01T12:00:00.1234567890Z", None),
            ("2026-03-01t12:00:00z", None),
            ("2026-03-01 12:00:00Z", None),
            ("2026-03-01", None),
            ("2026-03-01T12:00:00+0100", None),
            ("2026-03-01T12:00:00+25:00", None),
            ("2026-03-01T12:00:00+01:60", None),
            ("2026-03-01T12:00:00ZZ", None),
            ("+2026-03-01T12:00:00Z", None),
            ("2026-03-01T12:00:0\u{661}Z", None),
            ("", None),
        ] {
            let expected = expected.map(|(seconds, nanos)| Timestamp { seconds, nanos });
            assert_eq!(timestamp(text), expected, "{text}");
            if let Some(moment) = expected {
                assert_eq!(timestamp(&moment.to_string()), expected, "{moment}");
            }
        }
    }

    #[test]
    fn durations_are_decimal_seconds() {
        for (text, expected) in [
            ("0s", Some((0, 0))),
            ("3.5s", Some((3, 500_000_000))),
            ("-3.5s", Some((-3, -500_000_000))),
            ("0.000000001s", Some((0, 1))),
            ("-0.5s", Some((0, -500_000_000))),
            ("315576000000s", Some((315_576_000_000, 0))),
            ("315576000001s", None),
            ("1.0000000001s", None),
            ("1.s", None),
            (".5s", None),
            ("s", None),
            ("1", None),
            ("1m", None),
            ("+1s", None),
            ("--1s", None),
            ("1e3s", None),
        ] {
            let expected = expected.map(|(seconds, nanos)| Duration { seconds, nanos });
            assert_eq!(duration(text), expected, "{text}");
            if let Some(value) = expected {
                assert_eq!(duration(&duration_text(&value)), expected, "{value:?}");
            }
        }
    }

    #[test]
    fn digests_are_hexadecimal_or_base64() {
        let bytes: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8 + 3).unwrap());
        let hex = digest_text(&bytes);
        let padded = bytes_text(&bytes);
        let url = padded.replace('+', "-").replace('/', "_");
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            padded.clone(),
            padded.trim_end_matches('=').to_owned(),
            url,
        ] {
            assert_eq!(digest(&text), Some(bytes), "{text}");
        }
        for text in [
            "",
            hex.trim_start_matches('0'),
            &padded.replacen("=", "", 1).replacen("A", "", 1),
            "AAEC",
            &format!("{hex}00"),
            &hex.replace('0', "g"),
        ] {
            assert_eq!(digest(text), None, "{text}");
        }
        // Stray bits in the last character would be lost.
        assert_eq!(bytes_text(&[0xff]), "/w==");
        assert_eq!(super::bytes("/x=="), None);
    }
}
