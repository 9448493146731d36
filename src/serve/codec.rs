//! Protobuf in and out, with the codes of SPEC 15 for what cannot be read.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

use crate::limits::{DECODE_PATH_MAX, RESPONSE_BUFFER_BYTES, RESPONSE_YIELD_BYTES};

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
    Q: Message + Default + Send + 'static,
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

impl<Q: Message + Default> Decoder for Requests<Q> {
    type Item = Q;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Q>, Status> {
        if std::mem::replace(&mut self.seen, true) {
            let expected = "more than one message; expected one";
            return Err(Status::invalid_argument(expected));
        }
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
