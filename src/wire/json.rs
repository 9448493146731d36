//! Messages as proto3 JSON, driven by the descriptors: names in `lowerCamelCase`, words of
//! enums whole, 64-bit numbers as strings, defaults left out. Answers only: no maps, no
//! floating point.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, Duration, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
};
use serde_json::{Map, Value};

use crate::wire::proto::FILE_DESCRIPTOR_SET;

/// Types by their name, which begins with a dot.
struct Types {
    messages: HashMap<String, DescriptorProto>,
    enums: HashMap<String, EnumDescriptorProto>,
}

/// The top-level types: answers have no others.
static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
    let mut types = Types {
        messages: HashMap::new(),
        enums: HashMap::new(),
    };
    for file in set.file {
        let package = file.package().to_owned();
        let of = |name: &str| format!(".{package}.{name}");
        for message in file.message_type {
            types.messages.insert(of(message.name()), message);
        }
        for one in file.enum_type {
            types.enums.insert(of(one.name()), one);
        }
    }
    types
});

/// An encoded message of a type, such as `postern.v1.ExplainResponse`; `None`: it is not one.
#[must_use]
pub fn message(name: &str, bytes: &[u8]) -> Option<Value> {
    object(&format!(".{name}"), bytes)
}

fn object(name: &str, mut bytes: &[u8]) -> Option<Value> {
    if name == ".google.protobuf.Duration" {
        return duration(bytes);
    }
    let descriptor = TYPES.messages.get(name)?;
    let mut found: HashMap<i32, Vec<Value>> = HashMap::new();
    while !bytes.is_empty() {
        let (number, wire) = decode_key(&mut bytes).ok()?;
        let number = i32::try_from(number).ok()?;
        let field = descriptor.field.iter().find(|f| f.number() == number);
        let Some(field) = field else {
            let tag = u32::try_from(number).ok()?;
            skip_field(wire, tag, &mut bytes, DecodeContext::default()).ok()?;
            continue;
        };
        let values = found.entry(number).or_default();
        match (wire, field.r#type()) {
            (WireType::Varint, _) => values.push(varint(field, decode_varint(&mut bytes).ok()?)?),
            (WireType::LengthDelimited, Type::String) => {
                let text = std::str::from_utf8(chunk(&mut bytes)?).ok()?;
                values.push(Value::String(text.to_owned()));
            }
            (WireType::LengthDelimited, Type::Message) => {
                values.push(object(field.type_name(), chunk(&mut bytes)?)?);
            }
            (WireType::LengthDelimited, _) => {
                let mut packed = chunk(&mut bytes)?;
                while !packed.is_empty() {
                    values.push(varint(field, decode_varint(&mut packed).ok()?)?);
                }
            }
            (_, _) => return None,
        }
    }
    let mut object = Map::new();
    for field in &descriptor.field {
        if let Some(mut values) = found.remove(&field.number()) {
            let value = match field.label() {
                Label::Repeated => Value::Array(values),
                Label::Optional | Label::Required => values.pop()?,
            };
            object.insert(field.json_name().to_owned(), value);
        }
    }
    Some(Value::Object(object))
}

fn chunk<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(decode_varint(bytes).ok()?).ok()?;
    let (chunk, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(chunk)
}

fn varint(field: &FieldDescriptorProto, number: u64) -> Option<Value> {
    let signed = || i64::from_le_bytes(number.to_le_bytes());
    Some(match field.r#type() {
        Type::Bool => Value::Bool(number != 0),
        Type::Uint32 => Value::from(number),
        Type::Int32 => Value::from(signed()),
        Type::Uint64 => Value::String(number.to_string()),
        Type::Int64 => Value::String(signed().to_string()),
        Type::Enum => {
            let words = TYPES.enums.get(field.type_name())?;
            let word = words
                .value
                .iter()
                .find(|v| i64::from(v.number()) == signed());
            // A word of a newer server is a number, as proto3 JSON has it.
            word.map_or_else(|| Value::from(signed()), |v| Value::from(v.name()))
        }
        _ => return None,
    })
}

/// `3.000001s`, with 0, 3, 6 or 9 digits after the point.
fn duration(bytes: &[u8]) -> Option<Value> {
    let Duration { seconds, nanos } = Duration::decode(bytes).ok()?;
    let mut text = format!("{seconds}.{nanos:09}");
    for _ in 0..3 {
        let shorter = text.strip_suffix("000").map(str::to_owned);
        text = shorter.unwrap_or(text);
    }
    let text = text.strip_suffix('.').unwrap_or(&text);
    Some(Value::String(format!("{text}s")))
}
