//! Cursors of look-ups (SPEC 11.4): where to go on, bound to the request, the revision and this
//! process by a MAC. Nothing is kept between two pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::query::UnixTime;
use crate::model::revision::Revision;

/// Bytes of a place.
const PLACE: usize = 32;

/// Makes and reads the cursors of this process.
pub struct Cursors {
    prepared: Hmac<Sha256>,
}

/// Where a look-up goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The revision that it is about.
    pub revision: Revision,
    /// The next candidate.
    pub at: u64,
    /// Steps of all its pages so far.
    pub steps: u64,
    /// The time at which all its decisions are made: that of its first page.
    pub now: UnixTime,
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors(..)")
    }
}

impl Cursors {
    /// With a random key that nobody else has.
    #[must_use]
    pub fn new() -> Self {
        let key: [u8; 64] = rand::random();
        Self {
            prepared: Hmac::new(&key.into()),
        }
    }

    /// The cursor of a place.
    #[must_use]
    pub fn seal(&self, request: &[u8], place: Place) -> String {
        let bytes = place.bytes();
        let tag = self.mac(request, &bytes).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&bytes[..], &tag[..]].concat())
    }

    /// The place of a cursor that this process made for this request.
    #[must_use]
    pub fn open(&self, request: &[u8], cursor: &str) -> Option<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (place, tag) = bytes.split_first_chunk::<PLACE>()?;
        // In constant time.
        self.mac(request, place).verify_slice(tag).ok()?;
        Some(Place::read(place))
    }

    fn mac(&self, request: &[u8], place: &[u8; PLACE]) -> Hmac<Sha256> {
        let mut mac = self.prepared.clone();
        mac.update(place);
        mac.update(request);
        mac
    }
}

impl Default for Cursors {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    fn bytes(self) -> [u8; PLACE] {
        let mut bytes = [0; PLACE];
        let now = self.now.0.to_be_bytes();
        let numbers = [self.revision.0, self.at, self.steps].map(u64::to_be_bytes);
        let places = bytes.chunks_exact_mut(8);
        for (place, number) in places.zip(numbers.iter().chain([&now])) {
            place.copy_from_slice(number);
        }
        bytes
    }

    fn read(bytes: &[u8; PLACE]) -> Self {
        let mut numbers = bytes.chunks_exact(8).map(|chunk| {
            chunk
                .iter()
                .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte))
        });
        let mut next = || numbers.next().unwrap_or_default();
        Self {
            revision: Revision(next()),
            at: next(),
            steps: next(),
            now: UnixTime(next().cast_signed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        revision: Revision(7),
        at: 1 << 40,
        steps: 3,
        now: UnixTime(-5),
    };

    // SPEC 11.4: authenticated, tied to the request.
    #[test]
    fn a_cursor_is_read_by_whoever_made_it_for_the_same_request_only() {
        let cursors = Cursors::new();
        let cursor = cursors.seal(b"a", PLACE);
        assert_eq!(cursors.open(b"a", &cursor), Some(PLACE));
        assert_eq!(cursors.open(b"b", &cursor), None);
        assert_eq!(Cursors::new().open(b"a", &cursor), None);
        assert_eq!(format!("{cursors:?}"), "Cursors(..)");
    }

    #[test]
    fn no_bit_of_a_cursor_may_change() {
        let cursors = Cursors::new();
        let cursor = cursors.seal(b"a", PLACE);
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(cursors.open(b"a", &changed), None, "bit {at}");
        }
        for end in 0..cursor.len() {
            let cut: String = cursor.chars().take(end).collect();
            assert_eq!(cursors.open(b"a", &cut), None);
        }
        for bad in [
            "",
            "=",
            "AAAA",
            &format!("{cursor}A"),
            &format!("{cursor}="),
        ] {
            assert_eq!(cursors.open(b"a", bad), None, "{bad}");
        }
    }
}
