//! Protobuf in and out, with the codes of SPEC 15 for what cannot be read.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::{Buf as _, BufMut as _, Bytes};
use prost::encoding::{DecodeContext, decode_key, skip_field};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic_prost::ProstEncoder;

use crate::limits::{
    BATCH_MAX, DECODE_PATH_MAX, ENVOY_ANSWER_BYTES, RESPONSE_BUFFER_BYTES, RESPONSE_YIELD_BYTES,
};
use crate::model::outcome::Violation;
use crate::wire::envoy::response::Response;
use crate::wire::proto::postern::v1;
use crate::wire::status::Failure;

/// The codec of a method that takes `Q` and answers `A`.
#[derive(Debug, Clone)]
pub struct Protobuf<Q, A>(PhantomData<(Q, A)>);

impl<Q, A> Default for Protobuf<Q, A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

fn settings() -> BufferSettings {
    BufferSettings::new(RESPONSE_BUFFER_BYTES, RESPONSE_YIELD_BYTES)
}

impl<Q, A> Codec for Protobuf<Q, A>
where
    Q: Message + Default + Bounded + Send + 'static,
    A: Message + Send + 'static,
{
    type Encode = A;
    type Decode = Q;
    type Encoder = ProstEncoder<A>;
    type Decoder = Requests<Q>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(settings())
    }

    fn decoder(&mut self) -> Self::Decoder {
        Requests {
            seen: false,
            message: PhantomData,
        }
    }
}

/// Reads requests; what is no message is the caller's mistake.
#[derive(Debug)]
pub struct Requests<Q> {
    /// A unary call has one message.
    seen: bool,
    message: PhantomData<Q>,
}

/// A request whose size in memory is bounded before it is decoded.
pub trait Bounded {
    /// Looks at the encoded message.
    ///
    /// # Errors
    /// It holds more than its bound.
    fn check(_encoded: &[u8]) -> Result<(), Status> {
        Ok(())
    }
}

impl Bounded for v1::AuthorizeRequest {}
impl Bounded for v1::VerifyKeyRequest {}
impl Bounded for v1::ExplainRequest {}
impl Bounded for v1::CompareSnapshotRequest {}
impl Bounded for v1::ListResourcesRequest {}
impl Bounded for v1::ListPrincipalsRequest {}
impl Bounded for v1::ListPermissionsRequest {}
impl Bounded for v1::GetEffectiveOrgPolicyRequest {}

impl Bounded for v1::BatchAuthorizeRequest {
    /// An empty item is two bytes on the wire and hundreds in memory: a message at its bound
    /// would take a gigabyte before it could be refused.
    fn check(mut encoded: &[u8]) -> Result<(), Status> {
        let mut items = 0_usize;
        // What cannot be skipped cannot be decoded: the decoder says so.
        while let Ok((tag, wire_type)) = decode_key(&mut encoded) {
            items = items.saturating_add(1);
            if items > BATCH_MAX {
                let violation = Violation {
                    field: "requests".into(),
                    description: format!("more than {BATCH_MAX}; expected 1 to {BATCH_MAX}"),
                };
                return Err(Failure::Invalid(vec![violation]).status(""));
            }
            if skip_field(wire_type, tag, &mut encoded, DecodeContext::default()).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// The codec of `Check`: the message is read where it lies, and an answer that is no
/// [`Response`] cannot be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checks;

impl Codec for Checks {
    type Encode = Response;
    type Decode = Bytes;
    type Encoder = CheckAnswers;
    type Decoder = CheckMessages;

    fn encoder(&mut self) -> Self::Encoder {
        CheckAnswers
    }

    fn decoder(&mut self) -> Self::Decoder {
        CheckMessages { seen: false }
    }
}

/// Writes answers to `Check`.
#[derive(Debug, Clone, Copy)]
pub struct CheckAnswers;

impl Encoder for CheckAnswers {
    type Item = Response;
    type Error = Status;

    fn encode(&mut self, answer: Response, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(answer.encoded());
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(ENVOY_ANSWER_BYTES, RESPONSE_YIELD_BYTES)
    }
}

/// Takes messages of `Check` as bytes.
#[derive(Debug)]
pub struct CheckMessages {
    /// A unary call has one message.
    seen: bool,
}

impl Decoder for CheckMessages {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        if std::mem::replace(&mut self.seen, true) {
            return Err(Status::invalid_argument(MORE_THAN_ONE));
        }
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        settings()
    }
}

const MORE_THAN_ONE: &str = "more than one message; expected one";

impl<Q: Message + Default + Bounded> Decoder for Requests<Q> {
    type Item = Q;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Q>, Status> {
        if std::mem::replace(&mut self.seen, true) {
            return Err(Status::invalid_argument(MORE_THAN_ONE));
        }
        // One message is one piece of memory.
        Q::check(buffer.chunk())?;
        match Q::decode(buffer) {
            Ok(request) => Ok(Some(request)),
            // prost says which field; it quotes no content.
            Err(error) => Err(Status::invalid_argument(no_message(&error))),
        }
    }

    fn buffer_settings(&self) -> BufferSettings {
        settings()
    }
}

/// The innermost place is the wrong one; the path to it may be a hundred fields long, too
/// long for the headers that a client takes.
fn no_message(error: &prost::DecodeError) -> String {
    let text = error.to_string();
    let mut parts: Vec<&str> = text.split(": ").collect();
    if parts.len() > DECODE_PATH_MAX {
        let from = parts.len().saturating_sub(DECODE_PATH_MAX);
        parts = parts.split_off(from);
        parts.insert(0, "...");
    }
    format!("no such message: {}", parts.join(": "))
}
