//! `CheckRequest` as it lies in memory: the few fields that a decision needs, borrowed.
//!
//! Read by hand and not with the generated types, for three reasons: a body, a certificate
//! and metadata are stepped over and never copied; a header that is no UTF-8 is a header that
//! matches nothing, not a message that cannot be read (an error would be an allow under
//! `failure_mode_allow`); and a header that comes twice is seen twice.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::limits::ENVOY_HEADERS_MAX;

/// The bytes are no message, or one beyond its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// One header. Its name may be in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header<'m> {
    /// The name.
    pub name: &'m [u8],
    /// The value, not yet looked at.
    pub value: &'m [u8],
}

impl Header<'_> {
    /// Whether it has this name, which is in lower case.
    #[must_use]
    #[inline]
    pub const fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl std::fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value may be a credential.
        let name = String::from_utf8_lossy(self.name);
        f.debug_struct("Header")
            .field("name", &name)
            .finish_non_exhaustive()
    }
}

/// The part about HTTP.
#[derive(Debug, Clone, Default)]
pub struct Http<'m> {
    /// Envoy's request id.
    pub id: &'m [u8],
    /// The method, as it came.
    pub method: &'m [u8],
    /// The request target with its query.
    pub path: &'m [u8],
    /// The host, perhaps with a port.
    pub host: &'m [u8],
    /// From `headers` or `header_map`, in order.
    pub headers: Vec<Header<'m>>,
    /// Something came in `headers`.
    plain: bool,
    /// Something came in `header_map`.
    raw: bool,
}

impl Http<'_> {
    /// Both `headers` and `header_map` were sent: nobody can tell which counts.
    #[must_use]
    pub const fn has_two_maps(&self) -> bool {
        self.plain && self.raw
    }
}

/// What the filter's `context_extensions` say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extensions<'m> {
    /// `postern.permission`.
    pub permission: Option<&'m [u8]>,
    /// `postern.resource`.
    pub resource: Option<&'m [u8]>,
    /// Another key of ours, or one that was said twice: a mistake of the operator.
    pub misspelt: bool,
}

/// What is read of a request.
#[derive(Debug, Clone, Default)]
pub struct Check<'m> {
    /// `None` of a network-level check.
    pub http: Option<Http<'m>>,
    /// `source.address`: the text of an IP address, or nothing.
    pub source_address: &'m [u8],
    /// `source.principal`.
    pub source_principal: &'m [u8],
    /// `context_extensions`.
    pub extensions: Extensions<'m>,
}

/// What the keys of our own context extensions begin with.
const EXTENSION_PREFIX: &[u8] = b"postern.";

/// Reads an encoded `CheckRequest`. Of a message that is sent in parts the parts are merged,
/// as in every protobuf library.
///
/// # Errors
/// The bytes are no message of this form, or hold too many headers.
pub fn read(message: &[u8]) -> Result<Check<'_>, Unreadable> {
    let mut check = Check::default();
    each(message, |field, value| match field {
        1 => attributes(value?, &mut check),
        _ => Ok(()),
    })?;
    Ok(check)
}

fn attributes<'m>(message: &'m [u8], check: &mut Check<'m>) -> Result<(), Unreadable> {
    each(message, |field, value| match field {
        1 => source(value?, check),
        4 => each(value?, |field, value| match field {
            2 => http(value?, check.http.get_or_insert_default()),
            _ => Ok(()),
        }),
        10 => extension(value?, &mut check.extensions),
        _ => Ok(()),
    })
}

fn source<'m>(message: &'m [u8], check: &mut Check<'m>) -> Result<(), Unreadable> {
    each(message, |field, value| {
        match field {
            // Address.socket_address.address
            1 => each(value?, |field, value| match field {
                1 => each(value?, |field, value| {
                    if field == 2 {
                        check.source_address = value?;
                    }
                    Ok(())
                }),
                _ => Ok(()),
            })?,
            4 => check.source_principal = value?,
            _ => {}
        }
        Ok(())
    })
}

fn http<'m>(message: &'m [u8], http: &mut Http<'m>) -> Result<(), Unreadable> {
    each(message, |field, value| {
        match field {
            1 => http.id = value?,
            2 => http.method = value?,
            3 => {
                http.plain = true;
                header(value?, &mut http.headers)?;
            }
            4 => http.path = value?,
            5 => http.host = value?,
            13 => each(value?, |field, value| match field {
                1 => {
                    http.raw = true;
                    header(value?, &mut http.headers)
                }
                _ => Ok(()),
            })?,
            _ => {}
        }
        Ok(())
    })
}

/// An entry of `headers` (key 1, value 2), or of `header_map` (key 1, value 2, raw value 3).
fn header<'m>(message: &'m [u8], headers: &mut Vec<Header<'m>>) -> Result<(), Unreadable> {
    let (mut name, mut text, mut raw) = (&[][..], &[][..], &[][..]);
    each(message, |field, value| {
        match field {
            1 => name = value?,
            2 => text = value?,
            3 => raw = value?,
            _ => {}
        }
        Ok(())
    })?;
    if headers.is_empty() {
        headers.reserve(HEADERS_USUAL);
    }
    let value = if raw.is_empty() { text } else { raw };
    headers.push(Header { name, value });
    if !raw.is_empty() && !text.is_empty() && raw != text {
        // Two values: a header that came twice.
        headers.push(Header { name, value: text });
    }
    if headers.len() > ENVOY_HEADERS_MAX {
        return Err(Unreadable);
    }
    Ok(())
}

/// A browser's request through a proxy has some twenty.
const HEADERS_USUAL: usize = 24;

fn extension<'m>(message: &'m [u8], extensions: &mut Extensions<'m>) -> Result<(), Unreadable> {
    let (mut key, mut text) = (&[][..], &[][..]);
    each(message, |field, value| {
        match field {
            1 => key = value?,
            2 => text = value?,
            _ => {}
        }
        Ok(())
    })?;
    if !key.starts_with(EXTENSION_PREFIX) {
        return Ok(());
    }
    let place = match key {
        b"postern.permission" => &mut extensions.permission,
        b"postern.resource" => &mut extensions.resource,
        _ => {
            extensions.misspelt = true;
            return Ok(());
        }
    };
    extensions.misspelt |= place.replace(text).is_some();
    Ok(())
}

/// A field's bytes; an error if the field is sent as a number.
type Field<'m> = Result<&'m [u8], Unreadable>;

/// Calls `take` with the number and bytes of each field.
fn each<'m>(
    mut message: &'m [u8],
    mut take: impl FnMut(u32, Field<'m>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    while !message.is_empty() {
        let (field, wire_type) = decode_key(&mut message).map_err(|_| Unreadable)?;
        if wire_type == WireType::LengthDelimited {
            let length = decode_varint(&mut message).map_err(|_| Unreadable)?;
            let length = usize::try_from(length).map_err(|_| Unreadable)?;
            let (value, rest) = message.split_at_checked(length).ok_or(Unreadable)?;
            message = rest;
            take(field, Ok(value))?;
        } else {
            skip_field(wire_type, field, &mut message, DecodeContext::default())
                .map_err(|_| Unreadable)?;
            take(field, Err(Unreadable))?;
        }
    }
    Ok(())
}
