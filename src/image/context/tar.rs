//! A context as the engine reads it: a tar that is made while it is sent.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::poll_fn;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc::{Sender, channel};

use super::{Context, Entry, Kind, file};

/// 1980-01-02: zip files, that some tools make of these files, can be no older.
const TIME: u64 = 315_619_200;
const BLOCK: usize = 128 << 10;
/// Blocks that wait for the engine.
const WAITING: usize = 4;

impl Context {
    /// Files in `extra` take the place of those that have the same name. Inside a runtime only.
    pub(crate) fn tar(
        &self,
        extra: Vec<(String, Vec<u8>)>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static + use<> {
        let (sender, mut receiver) = channel(WAITING);
        let (root, entries) = (self.root.clone(), self.entries.clone());
        tokio::task::spawn_blocking(move || send(&root, entries, extra, &sender));
        poll_fn(move |context| receiver.poll_recv(context))
    }
}

/// Where nobody reads any more, there is nobody to tell.
fn send(
    root: &Path,
    entries: Vec<Entry>,
    extra: Vec<(String, Vec<u8>)>,
    sender: &Sender<io::Result<Bytes>>,
) {
    let blocks = Blocks {
        sender,
        block: Vec::with_capacity(BLOCK),
    };
    if let Err(error) = write(root, entries, extra, blocks) {
        let _ = sender.blocking_send(Err(error));
    }
}

fn write(
    root: &Path,
    entries: Vec<Entry>,
    extra: Vec<(String, Vec<u8>)>,
    blocks: Blocks<'_>,
) -> io::Result<()> {
    let mut extra: BTreeMap<String, Vec<u8>> = extra.into_iter().collect();
    let mut tar = Builder::new(blocks);
    for entry in entries {
        if !extra.contains_key(&entry.path) {
            append(&mut tar, root, &entry)?;
        }
    }
    while let Some((path, text)) = extra.pop_first() {
        let mut header = header(EntryType::Regular, text.len() as u64, 0o644);
        tar.append_data(&mut header, path, text.as_slice())?;
    }
    tar.into_inner()?.flush()
}

fn append(tar: &mut Builder<Blocks<'_>>, root: &Path, entry: &Entry) -> io::Result<()> {
    let path = PathBuf::from(&entry.path);
    match &entry.kind {
        Kind::Folder { mode } => {
            let mut header = header(EntryType::Directory, 0, *mode);
            tar.append_data(&mut header, path.join(""), io::empty())
        }
        Kind::Link { target } => {
            let mut header = header(EntryType::Symlink, 0, 0o777);
            tar.append_link(&mut header, path, target)
        }
        Kind::File { size, mode, mark } => {
            let mut header = header(EntryType::Regular, *size, *mode);
            let file = file::open(root, &entry.path, *mark)?;
            tar.append_data(&mut header, path, file)
        }
    }
}

fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(TIME);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Gathers what is written into blocks, and waits while enough of them wait.
struct Blocks<'a> {
    sender: &'a Sender<io::Result<Bytes>>,
    block: Vec<u8>,
}

impl Write for Blocks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..fits]);
        if self.block.len() == BLOCK {
            self.flush()?;
        }
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.blocking_send(Ok(block.into())).map_err(gone)
    }
}
