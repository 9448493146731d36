//! Watches whether a client has opened its connection: the HTTP/2 preface and a whole first
//! frame (RFC 9113 3.4). From then on the keep-alive pings tell whether somebody is there.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes before the length of the first frame.
const PREFACE: usize = 24;
/// Bytes of that length.
const LENGTH: usize = 3;
/// Bytes of a frame's head, the length included.
const HEAD: usize = 9;

/// A stream whose first bytes are watched; they pass as they are.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    opening: Option<Opening>,
}

#[derive(Debug)]
struct Opening {
    seen: usize,
    /// Length of the first frame, as far as it was seen.
    length: usize,
    done: Arc<AtomicBool>,
}

impl<S> Watched<S> {
    /// Watches `stream`; the flag is set when the connection is open.
    pub fn new(stream: S) -> (Self, Arc<AtomicBool>) {
        let done = Arc::new(AtomicBool::new(false));
        let opening = Some(Opening {
            seen: 0,
            length: 0,
            done: Arc::clone(&done),
        });
        (Self { stream, opening }, done)
    }
}

impl Opening {
    /// Takes the next bytes; whether the first frame is whole.
    fn take(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if (PREFACE..PREFACE + LENGTH).contains(&self.seen) {
                self.length = (self.length << 8) | usize::from(*byte);
            }
            self.seen = self.seen.saturating_add(1);
            if self.seen >= PREFACE + HEAD && self.seen - PREFACE - HEAD >= self.length {
                self.done.store(true, Ordering::Relaxed);
                return true;
            }
        }
        false
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(opening) = &mut self.opening
            && opening.take(buffer.filled().get(before..).unwrap_or_default())
        {
            self.opening = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::{Opening, PREFACE};

    #[test]
    fn a_connection_is_open_after_the_preface_and_one_whole_frame() {
        let mut bytes = vec![b'x'; PREFACE];
        bytes.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        for step in 1..bytes.len() {
            let mut opening = Opening {
                seen: 0,
                length: 0,
                done: std::sync::Arc::default(),
            };
            let (last, before) = bytes.split_last().unwrap();
            assert!(before.chunks(step).all(|chunk| !opening.take(chunk)));
            assert!(opening.take(&[*last]), "steps of {step}");
        }
    }
}
