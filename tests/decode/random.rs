//! Random entities of every kind, made by walking the descriptors: a new field is covered
//! without a line here.

use postern::wire::proto::FILE_DESCRIPTOR_SET;
use postern::wire::proto::postern::feed::v1::{Entity, Snapshot};
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

/// A source of choices that shrinks well: at its end every choice is the first.
pub(crate) struct Choices<'c>(std::slice::Iter<'c, u8>);

impl<'c> Choices<'c> {
    pub(crate) fn new(bytes: &'c [u8]) -> Self {
        Self(bytes.iter())
    }

    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        let high = self.0.next().copied().unwrap_or(0);
        let low = self.0.next().copied().unwrap_or(0);
        usize::from(u16::from_be_bytes([high, low])) % count
    }

    fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| {
            (word << 8) | u64::from(self.0.next().copied().unwrap_or(0))
        })
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A random snapshot.
pub(crate) fn snapshot(choices: &mut Choices<'_>) -> Snapshot {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let entity = pool.get_message_by_name("postern.feed.v1.Entity").unwrap();
    let revision = match choices.below(3) {
        0 => None,
        1 => Some(choices.word()),
        _ => Some(u64::try_from(choices.below(1000)).unwrap()),
    };
    let count = choices.below(4);
    let kinds: Vec<FieldDescriptor> = entity.fields().collect();
    let entities = (0..count).map(|_| {
        let mut dynamic = DynamicMessage::new(entity.clone());
        let kind = &kinds[choices.below(kinds.len())];
        dynamic.set_field(kind, single(kind, choices));
        Entity::decode(&*dynamic.encode_to_vec()).unwrap()
    });
    Snapshot {
        revision,
        entities: entities.collect(),
    }
}

/// One entity of every kind, every field filled.
pub(crate) fn every_kind(choices: &mut Choices<'_>) -> Vec<Entity> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let entity = pool.get_message_by_name("postern.feed.v1.Entity").unwrap();
    let each = entity.fields().map(|kind| {
        let mut dynamic = DynamicMessage::new(entity.clone());
        dynamic.set_field(&kind, single(&kind, choices));
        Entity::decode(&*dynamic.encode_to_vec()).unwrap()
    });
    each.collect()
}

fn message(descriptor: &MessageDescriptor, choices: &mut Choices<'_>) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    let range = |choices: &mut Choices<'_>, most: i64| {
        i64::try_from(choices.word() % u64::try_from(most).unwrap()).unwrap()
    };
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            let seconds = range(choices, 253_402_300_800 + 62_135_596_800) - 62_135_596_800;
            message.set_field_by_name("seconds", Value::I64(seconds));
            message.set_field_by_name("nanos", Value::I32(nanos(choices)));
            return message;
        }
        "google.protobuf.Duration" => {
            let sign = choices.pick(&[1, -1]);
            let seconds = i64::from(sign) * range(choices, 315_576_000_000);
            message.set_field_by_name("seconds", Value::I64(seconds));
            message.set_field_by_name("nanos", Value::I32(sign * nanos(choices)));
            return message;
        }
        _ => {}
    }
    for field in descriptor.fields() {
        let in_union = field.containing_oneof().filter(|o| !o.is_synthetic());
        if let Some(union) = in_union {
            // The union is filled once, when its first field is met.
            if union.fields().next().as_ref() == Some(&field) {
                let cases: Vec<FieldDescriptor> = union.fields().collect();
                if let Some(case) = cases.get(choices.below(cases.len() + 1)) {
                    message.set_field(case, single(case, choices));
                }
            }
        } else if choices.below(4) != 0 {
            message.set_field(&field, value(&field, choices));
        }
    }
    message
}

fn nanos(choices: &mut Choices<'_>) -> i32 {
    choices.pick(&[0, 0, 500_000_000, 1, 999_999_999, 123_000, 1_000])
}

fn value(field: &FieldDescriptor, choices: &mut Choices<'_>) -> Value {
    if field.is_map() {
        let pairs = (0..choices.below(4))
            .map(|_| (MapKey::String(text(choices)), Value::String(text(choices))));
        return Value::Map(pairs.collect());
    }
    if field.is_list() {
        return Value::List(
            (0..choices.below(4))
                .map(|_| single(field, choices))
                .collect(),
        );
    }
    single(field, choices)
}

fn single(field: &FieldDescriptor, choices: &mut Choices<'_>) -> Value {
    match field.kind() {
        Kind::Bool => Value::Bool(choices.below(2) == 1),
        Kind::Uint32 => Value::U32(u32::try_from(choices.word() >> 32).unwrap()),
        Kind::Uint64 => Value::U64(choices.word()),
        Kind::String => Value::String(text(choices)),
        Kind::Bytes => {
            let is_digest = matches!(field.name(), "sha256" | "hmac_sha256");
            let length = if is_digest { 32 } else { choices.below(70) };
            let bytes: Vec<u8> = (0..length)
                .map(|_| u8::try_from(choices.below(256)).unwrap())
                .collect();
            Value::Bytes(bytes.into())
        }
        Kind::Enum(words) => {
            let words: Vec<i32> = words.values().map(|v| v.number()).collect();
            // In a list, 0 has no word that is written.
            let first = usize::from(field.is_list());
            Value::EnumNumber(choices.pick(&words[first..]))
        }
        Kind::Message(descriptor) => Value::Message(message(&descriptor, choices)),
        other => panic!("no field of ours is a {other:?}"),
    }
}

/// Texts that forms stumble over.
fn text(choices: &mut Choices<'_>) -> String {
    const ODD: [&str; 40] = [
        "",
        "organizations/acme",
        "user:a@example.com",
        "true",
        "null",
        "~",
        "12",
        "-1",
        "0x1F",
        "1e3",
        ".inf",
        "yes",
        "on",
        "a: b",
        "a #b",
        "- a",
        "#a",
        "a:",
        " a",
        "a ",
        "[a]",
        "{a}",
        "*a",
        "&a",
        "!a",
        "%a",
        "|",
        ">",
        "'a'",
        "\"a\"",
        "a\nb",
        "a\\b",
        "a\tb",
        "\u{0}\u{1f}",
        "\u{7f}\u{85}",
        "\u{2028}\u{feff}",
        "gr\u{fc}n \u{1f511}",
        "---",
        "...",
        "2026-01-01",
    ];
    match choices.below(3) {
        0 => ODD[0].to_owned(),
        1 => choices.pick(&ODD).to_owned(),
        _ => (0..choices.below(12))
            .map(|_| {
                char::from_u32(match choices.below(4) {
                    0 => u32::try_from(choices.below(0x80)).unwrap(),
                    1 => u32::try_from(choices.below(0x800)).unwrap(),
                    _ => u32::from(b'a') + u32::try_from(choices.below(26)).unwrap(),
                })
                .unwrap_or('?')
            })
            .collect(),
    }
}
