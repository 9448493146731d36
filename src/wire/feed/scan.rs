//! What the generated decoder does not see: unknown fields, fields said twice, numbers cut
//! to fit. One pass over the bytes of a message, driven by its descriptor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use prost::Message as _;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

use crate::graph::issue::Code;
use crate::wire::feed::flaw::{Context, Step};
use crate::wire::proto::FILE_DESCRIPTOR_SET;

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::load);

/// The bytes are no message.
#[derive(Debug)]
pub(super) struct Malformed;

/// Notes every flaw of the bytes of an `Entity`.
///
/// # Errors
/// The bytes are no message at all.
pub(super) fn entity(bytes: &[u8], cx: &mut Context<'_>) -> Result<(), Malformed> {
    scan(&SCHEMA, SCHEMA.entity, bytes, cx)
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A varint of 64 bits, or a bool.
    Varint,
    /// A varint that the generated decoder cuts to 32 bits.
    Unsigned32,
    /// The same, signed.
    Signed32,
    /// A word of `Schema::enums`.
    Word(usize),
    /// Bytes or text: the generated decoder checks the text.
    Bytes,
    /// A message of `Schema::messages`.
    Message(usize),
    /// An entry of a map: a message whose keys must differ.
    Entry(usize),
    /// Something that no message of ours has: never accepted.
    Foreign,
}

#[derive(Debug)]
struct FieldInfo {
    name: String,
    kind: Kind,
    repeated: bool,
    union: Option<usize>,
}

#[derive(Debug, Default)]
struct Schema {
    /// Fields by number.
    messages: Vec<Vec<Option<FieldInfo>>>,
    /// Known numbers.
    enums: Vec<BTreeSet<i32>>,
    entity: usize,
}

impl Schema {
    /// From the descriptors that were built in; whatever does not fit is unknown later, and
    /// so refused.
    fn load() -> Self {
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
        let mut messages: Vec<(String, &DescriptorProto)> = Vec::new();
        let mut enums: Vec<(String, &EnumDescriptorProto)> = Vec::new();
        for file in &set.file {
            let scope = format!(".{}", file.package());
            enums.extend(
                file.enum_type
                    .iter()
                    .map(|e| (format!("{scope}.{}", e.name()), e)),
            );
            for message in &file.message_type {
                collect(&scope, message, &mut messages, &mut enums);
            }
        }
        let number = |names: Vec<&str>| -> BTreeMap<String, usize> {
            names.into_iter().map(str::to_owned).zip(0..).collect()
        };
        let message_ix = number(messages.iter().map(|(n, _)| &**n).collect());
        let enum_ix = number(enums.iter().map(|(n, _)| &**n).collect());
        let entries: BTreeSet<usize> = messages
            .iter()
            .zip(0..)
            .filter(|((_, m), _)| m.options.as_ref().is_some_and(|o| o.map_entry()))
            .map(|(_, ix)| ix)
            .collect();
        let of = |field: &prost_types::FieldDescriptorProto| match field.r#type() {
            Type::Bool | Type::Uint64 | Type::Int64 => Kind::Varint,
            Type::Uint32 => Kind::Unsigned32,
            Type::Int32 => Kind::Signed32,
            Type::String | Type::Bytes => Kind::Bytes,
            Type::Enum => enum_ix
                .get(field.type_name())
                .map_or(Kind::Foreign, |e| Kind::Word(*e)),
            Type::Message => match message_ix.get(field.type_name()) {
                Some(ix) if entries.contains(ix) => Kind::Entry(*ix),
                Some(ix) => Kind::Message(*ix),
                None => Kind::Foreign,
            },
            _ => Kind::Foreign,
        };
        Self {
            entity: message_ix
                .get(".postern.feed.v1.Entity")
                .copied()
                .unwrap_or(usize::MAX),
            messages: messages.iter().map(|(_, m)| fields(m, &of)).collect(),
            enums: enums
                .iter()
                .map(|(_, e)| e.value.iter().map(|v| v.number()).collect())
                .collect(),
        }
    }
}

fn collect<'d>(
    scope: &str,
    message: &'d DescriptorProto,
    messages: &mut Vec<(String, &'d DescriptorProto)>,
    enums: &mut Vec<(String, &'d EnumDescriptorProto)>,
) {
    let name = format!("{scope}.{}", message.name());
    enums.extend(
        message
            .enum_type
            .iter()
            .map(|e| (format!("{name}.{}", e.name()), e)),
    );
    for nested in &message.nested_type {
        collect(&name, nested, messages, enums);
    }
    messages.push((name, message));
}

fn fields(
    message: &DescriptorProto,
    of: &impl Fn(&prost_types::FieldDescriptorProto) -> Kind,
) -> Vec<Option<FieldInfo>> {
    let mut fields = Vec::new();
    for field in &message.field {
        let Ok(number) = usize::try_from(field.number()) else {
            continue;
        };
        if fields.len() <= number {
            fields.resize_with(number.saturating_add(1), || None);
        }
        let union = if field.proto3_optional() {
            None
        } else {
            field.oneof_index
        };
        let info = FieldInfo {
            name: field.name().to_owned(),
            kind: of(field),
            repeated: field.label() == Label::Repeated,
            union: union.map(|ix| usize::try_from(ix).unwrap_or(usize::MAX)),
        };
        if let Some(slot) = fields.get_mut(number) {
            *slot = Some(info);
        }
    }
    fields
}

/// Which fields and `oneof`s of a message were seen, and keys of its maps.
#[derive(Default)]
struct Seen<'b> {
    fields: u64,
    unions: u64,
    keys: BTreeSet<(u32, &'b [u8])>,
}

fn scan(
    schema: &'static Schema,
    message: usize,
    bytes: &[u8],
    cx: &mut Context<'_>,
) -> Result<(), Malformed> {
    let mut rest = bytes;
    let mut seen = Seen::default();
    let mut counts = [0_usize; 32];
    while !rest.is_empty() {
        let (number, wire) = decode_key(&mut rest).map_err(|_| Malformed)?;
        let value = take(wire, &mut rest)?;
        let field = schema.messages.get(message).and_then(|fields| {
            fields
                .get(usize::try_from(number).unwrap_or(usize::MAX))?
                .as_ref()
        });
        let Some(field) = field else {
            cx.enter(Step::Unknown(number.to_string()));
            let found = format!("the field number {number}");
            cx.flaw(
                Code::UnknownField,
                found,
                "the fields of the schema that this build knows",
            );
            cx.leave();
            continue;
        };
        cx.enter(Step::Field(&field.name));
        let is_list = field.repeated && !matches!(field.kind, Kind::Entry(_));
        if is_list {
            let count = usize::try_from(number).map_or(None, |n| counts.get_mut(n));
            let index = count.map_or(0, |count| std::mem::replace(count, count.saturating_add(1)));
            cx.enter(Step::Index(index));
        }
        check_once(field, number, &value, &mut seen, cx);
        check_value(schema, field, &value, cx)?;
        if is_list {
            cx.leave();
        }
        cx.leave();
    }
    Ok(())
}

/// A value as the wire has it.
enum Wire<'b> {
    Varint(u64),
    Bytes(&'b [u8]),
    Fixed,
}

fn take<'b>(wire: WireType, rest: &mut &'b [u8]) -> Result<Wire<'b>, Malformed> {
    let length = match wire {
        WireType::Varint => {
            return decode_varint(rest).map(Wire::Varint).map_err(|_| Malformed);
        }
        WireType::LengthDelimited => {
            let length = decode_varint(rest).map_err(|_| Malformed)?;
            usize::try_from(length).map_err(|_| Malformed)?
        }
        WireType::ThirtyTwoBit => 4,
        WireType::SixtyFourBit => 8,
        WireType::StartGroup | WireType::EndGroup => return Err(Malformed),
    };
    let (bytes, after) = rest.split_at_checked(length).ok_or(Malformed)?;
    *rest = after;
    Ok(if wire == WireType::LengthDelimited {
        Wire::Bytes(bytes)
    } else {
        Wire::Fixed
    })
}

/// The generated decoder keeps the last of several: here none is dropped.
fn check_once<'b>(
    field: &FieldInfo,
    number: u32,
    value: &Wire<'b>,
    seen: &mut Seen<'b>,
    cx: &mut Context<'_>,
) {
    if let (Kind::Entry(_), Wire::Bytes(bytes)) = (field.kind, value) {
        if !seen.keys.insert((number, key_of(bytes))) {
            cx.flaw(Code::DuplicateField, "a key twice", "it once");
        }
    } else if !field.repeated {
        let bit = 1_u64.checked_shl(number).unwrap_or(0);
        if seen.fields & bit != 0 {
            cx.flaw(Code::DuplicateField, "the field twice", "it once");
        }
        seen.fields |= bit;
    }
    if let Some(union) = field.union {
        let bit = 1_u64
            .checked_shl(u32::try_from(union).unwrap_or(u32::MAX))
            .unwrap_or(0);
        if seen.unions & bit != 0 {
            let found = "two fields that exclude each other";
            cx.flaw_above(Code::InvalidValue, found, "one of them".to_owned());
        }
        seen.unions |= bit;
    }
}

/// The key of a map's entry; the empty key is not written.
fn key_of(entry: &[u8]) -> &[u8] {
    let mut rest = entry;
    while let Ok((number, wire)) = decode_key(&mut rest) {
        match take(wire, &mut rest) {
            Ok(Wire::Bytes(key)) if number == 1 => return key,
            Ok(_) => {}
            Err(Malformed) => break,
        }
    }
    &[]
}

fn check_value(
    schema: &'static Schema,
    field: &'static FieldInfo,
    value: &Wire<'_>,
    cx: &mut Context<'_>,
) -> Result<(), Malformed> {
    match (field.kind, value) {
        (Kind::Message(inner) | Kind::Entry(inner), Wire::Bytes(bytes)) => {
            return scan(schema, inner, bytes, cx);
        }
        (Kind::Varint, Wire::Varint(_)) | (Kind::Bytes, Wire::Bytes(_)) => {}
        (Kind::Unsigned32, Wire::Varint(number)) => {
            if u32::try_from(*number).is_err() {
                let found = format!("the number {number}");
                cx.flaw(Code::OutOfBounds, found, format!("0 to {}", u32::MAX));
            }
        }
        (Kind::Signed32, Wire::Varint(number)) => {
            if i32::try_from(number.cast_signed()).is_err() {
                let found = format!("the number {}", number.cast_signed());
                cx.flaw(
                    Code::OutOfBounds,
                    found,
                    format!("{} to {}", i32::MIN, i32::MAX),
                );
            }
        }
        (Kind::Word(words), Wire::Varint(number)) => check_word(schema, words, *number, cx),
        (Kind::Word(words), Wire::Bytes(packed)) if field.repeated => {
            let mut rest = *packed;
            while !rest.is_empty() {
                let number = decode_varint(&mut rest).map_err(|_| Malformed)?;
                check_word(schema, words, number, cx);
            }
        }
        _ => cx.flaw(
            Code::WrongType,
            "another wire type",
            "the one of the schema",
        ),
    }
    Ok(())
}

fn check_word(schema: &Schema, words: usize, number: u64, cx: &mut Context<'_>) {
    let known = schema.enums.get(words).is_some_and(|known| {
        i32::try_from(number.cast_signed()).is_ok_and(|number| known.contains(&number))
    });
    if !known {
        let found = format!("the number {}", number.cast_signed());
        cx.flaw(
            Code::InvalidValue,
            found,
            "a number that the schema has a word for",
        );
    }
}
