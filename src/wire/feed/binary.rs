//! The binary form: a head of 64 bytes, then entities, each with its length before it.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `89 50 53 54 0D 0A 1A 0A`: damage by a text transfer shows |
//! | 8 | 4 | version of the form, little endian: 1 |
//! | 12 | 4 | flags: bit 0, a revision is stated; the others are 0 |
//! | 16 | 8 | revision, or 0 |
//! | 24 | 8 | number of entities |
//! | 32 | 32 | SHA-256 of bytes 0-31 and of all after byte 63 |
//! | 64 | | entities: a varint length and a `postern.feed.v1.Entity`, each |

use std::cell::Cell;

use prost::Message as _;
use prost::encoding::decode_varint;
use sha2::{Digest as _, Sha256};

use crate::graph::issue::Code;
use crate::limits::{JSON_BYTES_MAX, NDJSON_LINE_BYTES_MAX};
use crate::wire::feed::flaw::Context;
use crate::wire::feed::intake::Intake;
use crate::wire::feed::scan::{self, Malformed};
use crate::wire::proto::postern::feed::v1::{Entity, Snapshot};

const MAGIC: [u8; 8] = *b"\x89PST\r\n\x1a\n";
const VERSION: u32 = 1;
const FLAG_REVISION: u32 = 1;

/// The head without its check sum.
const FACTS_BYTES: usize = 32;

/// Reads a binary file. A damaged one gives one issue and no entity.
pub(super) fn decode(bytes: &[u8], intake: &mut Intake<'_>) {
    let head = match Head::read(bytes) {
        Ok(head) => head,
        Err((code, found)) => {
            return intake.issue(0, "", code, found, "a file that `postern convert` wrote");
        }
    };
    if let Some(revision) = head.revision {
        intake.revision(revision);
    }
    let line = Cell::new(0);
    let mut cx = Context::new(&line);
    let mut rest = head.body;
    let mut count = 0_u64;
    while !rest.is_empty() {
        let Some(message) = next(&mut rest) else {
            return intake.issue(0, "", Code::Syntax, "an entity that is cut short", "");
        };
        count = count.saturating_add(1);
        if message.len() > NDJSON_LINE_BYTES_MAX {
            let found = format!("{} bytes, over {NDJSON_LINE_BYTES_MAX}", message.len());
            intake.unreadable(0, Code::OutOfBounds, found);
            continue;
        }
        let scanned = scan::entity(message, &mut cx);
        let mut flaws = cx.take();
        match (scanned, Entity::decode(message)) {
            (Ok(()), Ok(entity)) => {
                if entity.kind.is_none() && flaws.is_empty() {
                    cx.flaw(Code::Missing, "no kind", "one kind");
                    flaws = cx.take();
                }
                intake.entity(0, entity, flaws);
            }
            (Err(Malformed), _) => {
                intake.unreadable(0, Code::Syntax, "bytes that are no protobuf message");
            }
            (_, Err(error)) => intake.unreadable(0, Code::Syntax, error.to_string()),
        }
    }
    if count != head.count {
        let found = format!("{count} entities");
        intake.issue(
            0,
            "",
            Code::Syntax,
            found,
            format!("{}, as the head says", head.count),
        );
    }
}

/// Cuts off the next entity.
fn next<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let Ok(length) = decode_varint(rest) else {
        return None;
    };
    let Ok(length) = usize::try_from(length) else {
        return None;
    };
    let (message, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(message)
}

struct Head<'b> {
    revision: Option<u64>,
    count: u64,
    body: &'b [u8],
}

impl<'b> Head<'b> {
    fn read(bytes: &'b [u8]) -> Result<Self, (Code, String)> {
        if bytes.len() > JSON_BYTES_MAX {
            let found = format!("{} bytes, over {JSON_BYTES_MAX}", bytes.len());
            return Err((Code::OutOfBounds, found));
        }
        let broken = |found: &str| (Code::Syntax, found.to_owned());
        let short = || broken("a file that ends in its head");
        let (facts, rest) = bytes.split_first_chunk::<FACTS_BYTES>().ok_or_else(short)?;
        let (sum, body) = rest.split_first_chunk::<32>().ok_or_else(short)?;
        let mut from = &facts[..];
        if number::<8>(&mut from) != Some(MAGIC) {
            return Err(broken("a file that does not begin as this form does"));
        }
        let (version, flags) = (number(&mut from), number(&mut from));
        let (revision, count) = (number(&mut from), number(&mut from));
        let (Some(version), Some(flags)) = (version, flags) else {
            return Err(short());
        };
        let (Some(revision), Some(count)) = (revision, count) else {
            return Err(short());
        };
        let (version, flags) = (u32::from_le_bytes(version), u32::from_le_bytes(flags));
        let (revision, count) = (u64::from_le_bytes(revision), u64::from_le_bytes(count));
        if version != VERSION {
            let found = format!("version {version} of the form; this build reads {VERSION}");
            return Err((Code::InvalidValue, found));
        }
        if Sha256::new()
            .chain_update(facts)
            .chain_update(body)
            .finalize()[..]
            != sum[..]
        {
            return Err(broken("a check sum that does not fit: the file is damaged"));
        }
        let stated = flags & FLAG_REVISION != 0;
        if flags & !FLAG_REVISION != 0 || (!stated && revision != 0) {
            return Err((
                Code::InvalidValue,
                format!("flags {flags:#x} that are not known"),
            ));
        }
        Ok(Self {
            revision: stated.then_some(revision),
            count,
            body,
        })
    }
}

fn number<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (number, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(*number)
}

/// Writes a binary file.
pub(super) fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let Snapshot { revision, entities } = snapshot;
    let flags = if revision.is_some() { FLAG_REVISION } else { 0 };
    let count = u64::try_from(entities.len()).unwrap_or(u64::MAX);
    let mut out = Vec::new();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&revision.unwrap_or(0).to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    let mut body = Vec::new();
    for entity in entities {
        // Into a vector this cannot fail; if it did, the check of the count would show it.
        let written = entity.encode_length_delimited(&mut body);
        debug_assert!(written.is_ok(), "a vector grows");
    }
    out.extend_from_slice(
        &Sha256::new()
            .chain_update(&out)
            .chain_update(&body)
            .finalize(),
    );
    out.append(&mut body);
    out
}
