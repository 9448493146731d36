//! The response as proto3 JSON, driven by the descriptors: names in `lowerCamelCase`, words of
//! enums whole, 64-bit numbers as strings, what has its default left out.

use prost::Message as _;
use serde_json::Value;

use crate::wire::json;
use crate::wire::proto::postern::v1;

/// The response on several lines.
pub(super) fn response(response: &v1::ExplainResponse) -> String {
    let value = json::message("postern.v1.ExplainResponse", &response.encode_to_vec());
    format!("{:#}", value.unwrap_or(Value::Null))
}
