//! An edge gives its place to another program's, and no request notices.
//!
//! The successor waits at a socket in the folder and asks. It gets, as open files, the folder's lock
//! and the socket that clients come to: neither is free for a moment, so nobody is refused. Then it
//! hears, line by line, which replicas still have requests of the predecessor's, and stops none under
//! them, until the connection ends with the predecessor.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;

use anyhow::{Context, Result, bail};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::{AsyncBufReadExt, BufReader, Interest, Lines};
use tokio::net::UnixStream;

use super::client::Edge;
use super::control;
use super::home::{HEIR, Home};
use super::table::Guests;

/// The first message is this, so that an end of the connection is told from it.
const FIRST: &[u8] = b"\n";

/// What an edge begins with.
pub(super) struct Start {
    pub(super) lock: File,
    /// From the edge whose place it takes.
    pub(super) inherited: Option<Inherited>,
}

pub(super) struct Inherited {
    /// `None`: no address was open.
    pub(super) listener: Option<TcpListener>,
    /// Who the predecessor still has, at first and later.
    pub(super) first: Vec<Guests>,
    pub(super) guests: Lines<BufReader<UnixStream>>,
}

/// Takes the place of the edge that answers in this folder.
pub(super) async fn succeed(home: &Home, edge: &Edge) -> Result<Start> {
    let heir = control::open(home, HEIR).context("cannot open a socket to take over at")?;
    let taken = async {
        edge.succeed().await?;
        let (guests, _) = heir.accept().await?;
        let mut files = first(&guests).await?.into_iter();
        let lock = files.next().context("it gave no lock")?;
        let mut guests = BufReader::new(guests).lines();
        let told = guests.next_line().await?.context("it ended meanwhile")?;
        anyhow::Ok(Start {
            lock: File::from(lock),
            inherited: Some(Inherited {
                listener: files.next().map(TcpListener::from),
                first: serde_json::from_str(&told)?,
                guests,
            }),
        })
    };
    let taken = taken.await;
    let _ = std::fs::remove_file(home.way_to(HEIR)?.0);
    taken.context("could not take over from the edge that runs")
}

async fn first(stream: &UnixStream) -> Result<Vec<OwnedFd>> {
    loop {
        stream.readable().await?;
        match stream.try_io(Interest::READABLE, || files(stream)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(files) if files.is_empty() => bail!("it ended meanwhile"),
            files => return Ok(files?),
        }
    }
}

fn files(stream: impl AsFd) -> io::Result<Vec<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0; FIRST.len()];
    let into = &mut [IoSliceMut::new(&mut text)];
    recvmsg(stream, into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let messages = control.drain();
    Ok(messages
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        })
        .flatten()
        .collect())
}

/// To whoever waits in this folder.
pub(super) fn heir(home: &Home) -> io::Result<StdStream> {
    let (path, _dir) = home.way_to(HEIR)?;
    StdStream::connect(path)
}

pub(super) fn give(
    heir: &StdStream,
    lock: &File,
    listener: Option<&TcpListener>,
) -> io::Result<()> {
    let listener = listener.map(AsFd::as_fd);
    let files: Vec<_> = [Some(lock.as_fd()), listener]
        .into_iter()
        .flatten()
        .collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let text = &[IoSlice::new(FIRST)];
    sendmsg(heir, text, &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
