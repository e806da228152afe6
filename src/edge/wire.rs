//! A TCP connection as hyper reads and writes it.
//!
//! A head with a small body goes out as one piece: gathering pieces costs the kernel more than
//! copying a few of them here. Larger ones are gathered, and copied by the kernel only.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const SMALL: usize = 1024;

pub(super) struct Wire(TokioIo<TcpStream>);

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(TokioIo::new(stream))
    }

    fn io(self: Pin<&mut Self>) -> Pin<&mut TokioIo<TcpStream>> {
        Pin::new(&mut self.get_mut().0)
    }
}

impl Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<Result<()>> {
        self.io().poll_read(cx, buf)
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        self.io().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.io().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let io = self.io();
        match pieces {
            [piece] => io.poll_write(cx, piece),
            _ => match joined(pieces, &mut [0; SMALL]) {
                Some(whole) => io.poll_write(cx, whole),
                None => io.poll_write_vectored(cx, pieces),
            },
        }
    }
}

/// `None`: there is no room for all of it.
fn joined<'a>(pieces: &[IoSlice<'_>], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut end = 0;
    for piece in pieces {
        let next = end + piece.len();
        room.get_mut(end..next)?.copy_from_slice(piece);
        end = next;
    }
    room.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_room_is_joined_whole() {
        let pieces = [b"head".as_slice(), b"", b"body"].map(IoSlice::new);
        assert_eq!(joined(&pieces, &mut [0; 8]), Some(b"headbody".as_slice()));
        assert_eq!(joined(&pieces, &mut [0; 7]), None);
        assert_eq!(joined(&[], &mut [0; 7]), Some(b"".as_slice()));
    }
}
