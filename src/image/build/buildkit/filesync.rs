//! Files on demand: BuildKit is told what there is, and asks for what it needs of it.
//!
//! First a stat for each, in the order of a walk, then the contents by the number of the stat. One
//! thread reads the files, so that no more than a few chunks are in memory.

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::{Bytes, BytesMut};
use hyper::body::Frame;
use hyper::header::HeaderMap;
use tokio::sync::mpsc;

use super::Offer;
use super::grpc::{Code, Messages, Reply, end, put, streamed};
use super::messages::{Packet, Stat, What};
use crate::image::context::{Context, Entry, Kind};

/// BuildKit knows the Dockerfile under this name.
const DOCKERFILE: &str = "Dockerfile";
const CHUNK: usize = 64 * 1024;
/// Chunks that wait for the connection.
const WAITING: usize = 4;
/// The same for all files, as is their owner, so that the same tree makes the same layers; no zip
/// file can be older. 1980-01-02, in nanoseconds since 1970.
const CHANGED: i64 = 315_619_200 * 1_000_000_000;

const FOLDER: u32 = 1 << 31;
const LINK: u32 = 1 << 27;

/// What one call is about, in the order in which it is told.
pub(super) enum Tree {
    Dockerfile(Bytes),
    Context(Arc<Context>, Vec<usize>),
}

/// What BuildKit wants next.
enum Wanted {
    File(u32),
    Nothing,
}

pub(super) fn serve(headers: &HeaderMap, messages: Messages, offer: &Offer) -> Result<Reply> {
    let tree = Tree::of(headers, offer);
    let (asking, wanted) = mpsc::unbounded_channel();
    let (frames, sent) = mpsc::channel(WAITING);
    tokio::spawn(listen(messages, asking));
    tokio::task::spawn_blocking(move || {
        let mut sender = Sender::new(frames);
        let code = match send(&tree, wanted, &mut sender) {
            Ok(()) => Code::Ok,
            Err(error) => sender.fail(&error),
        };
        sender.end(code);
    });
    streamed(sent)
}

/// No more can wait there than there are files.
async fn listen(mut messages: Messages, asking: mpsc::UnboundedSender<Wanted>) {
    while let Ok(Some(packet)) = messages.next::<Packet>().await {
        let wanted = match What::try_from(packet.what) {
            Ok(What::Request) => Wanted::File(packet.id),
            Ok(What::End) => Wanted::Nothing,
            _ => return,
        };
        if asking.send(wanted).is_err() {
            return;
        }
    }
}

fn send(
    tree: &Tree,
    mut wanted: mpsc::UnboundedReceiver<Wanted>,
    sender: &mut Sender,
) -> Result<()> {
    for number in 0..tree.len() {
        sender.put(What::Stat, 0, tree.stat(number), Bytes::new())?;
    }
    sender.put(What::Stat, 0, None, Bytes::new())?;
    loop {
        let next = match wanted.try_recv() {
            Ok(next) => next,
            Err(_) => {
                sender.flush()?;
                let next = wanted.blocking_recv();
                next.context("BuildKit broke off")?
            }
        };
        match next {
            Wanted::File(number) => content(tree, number, sender)?,
            Wanted::Nothing => return sender.put(What::End, 0, None, Bytes::new()),
        }
    }
}

fn content(tree: &Tree, number: u32, sender: &mut Sender) -> Result<()> {
    let mut file = tree.open(number as usize)?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
        let is_last = chunk.is_empty();
        // The empty one says that this was all.
        sender.put(What::Data, number, None, chunk.into())?;
        if is_last {
            return Ok(());
        }
    }
}

impl Tree {
    fn of(headers: &HeaderMap, offer: &Offer) -> Self {
        let text = |value: &hyper::header::HeaderValue| value.to_str().ok().map(str::to_owned);
        if headers.get("dir-name").and_then(text).as_deref() == Some("dockerfile") {
            return Self::Dockerfile(offer.dockerfile.clone().into());
        }
        let followed = match headers.contains_key("followpaths-encoded") {
            true => Vec::new(),
            false => headers
                .get_all("followpaths")
                .iter()
                .filter_map(text)
                .collect(),
        };
        let context = offer.context.clone();
        let chosen = chosen(&context.entries, &followed);
        Self::Context(context, chosen)
    }

    fn len(&self) -> usize {
        match self {
            Self::Dockerfile(_) => 1,
            Self::Context(_, chosen) => chosen.len(),
        }
    }

    fn stat(&self, number: usize) -> Option<Stat> {
        match self {
            Self::Dockerfile(text) => Some(Stat {
                path: DOCKERFILE.to_owned(),
                mode: 0o644,
                size: text.len() as i64,
                changed: CHANGED,
                target: String::new(),
            }),
            Self::Context(context, chosen) => {
                Some(stat(context.entries.get(*chosen.get(number)?)?))
            }
        }
    }

    fn open(&self, number: usize) -> Result<Box<dyn Read>> {
        match self {
            Self::Dockerfile(text) => Ok(Box::new(std::io::Cursor::new(text.clone()))),
            Self::Context(context, chosen) => {
                let entry = chosen
                    .get(number)
                    .and_then(|index| context.entries.get(*index));
                let Some(entry) = entry else {
                    bail!("BuildKit asks for a file that it was not told of");
                };
                Ok(Box::new(context.open(entry)?))
            }
        }
    }
}

pub(super) fn stat(entry: &Entry) -> Stat {
    let (mode, size, target) = match &entry.kind {
        Kind::File { size, mode, .. } => (mode & 0o777, *size as i64, String::new()),
        Kind::Folder { mode } => (FOLDER | mode & 0o777, 0, String::new()),
        Kind::Link { target } => (LINK | 0o777, 0, target.clone()),
    };
    Stat {
        path: entry.path.clone(),
        mode,
        size,
        changed: CHANGED,
        target,
    }
}

/// What lies at, below or above the paths that BuildKit will look at, in the order of a walk; all
/// of it where a link on such a path may lead elsewhere.
pub(super) fn chosen(entries: &[Entry], followed: &[String]) -> Vec<usize> {
    let paths: Vec<&str> = followed.iter().map(|path| fixed(path)).collect();
    let is_on_way = |path: &str| paths.iter().any(|wanted| is_below(wanted, path));
    let leads_away =
        |entry: &Entry| matches!(entry.kind, Kind::Link { .. }) && is_on_way(&entry.path);
    let is_all = paths.is_empty() || entries.iter().any(leads_away);
    let is_wanted = |entry: &Entry| {
        let below = || paths.iter().any(|wanted| is_below(&entry.path, wanted));
        is_all || is_on_way(&entry.path) || below()
    };
    let mut chosen: Vec<usize> = (0..entries.len())
        .filter(|index| is_wanted(&entries[*index]))
        .collect();
    chosen.sort_by(|a, b| {
        let parts = |index: &usize| entries[*index].path.split('/');
        parts(a).cmp(parts(b))
    });
    chosen
}

/// The folder or file that a pattern names before its first wildcard.
fn fixed(pattern: &str) -> &str {
    let pattern = pattern.trim_start_matches("./").trim_matches('/');
    let pattern = if pattern == "." { "" } else { pattern };
    match pattern.find(['*', '?', '[', '\\']) {
        Some(wild) => pattern[..wild]
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder),
        None => pattern,
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Small packets go together.
struct Sender {
    frames: mpsc::Sender<Frame<Bytes>>,
    buffer: BytesMut,
}

impl Sender {
    fn new(frames: mpsc::Sender<Frame<Bytes>>) -> Self {
        Self {
            frames,
            buffer: BytesMut::new(),
        }
    }

    fn put(&mut self, what: What, id: u32, stat: Option<Stat>, data: Bytes) -> Result<()> {
        let what = what.into();
        let packet = Packet {
            what,
            stat,
            id,
            data,
        };
        put(&packet, &mut self.buffer)?;
        match self.buffer.len() < CHUNK {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let full = self.buffer.split().freeze();
        match full.is_empty() {
            true => Ok(()),
            false => Ok(self.frames.blocking_send(Frame::data(full))?),
        }
    }

    /// BuildKit says the reason in its own error.
    fn fail(&mut self, error: &anyhow::Error) -> Code {
        let text = Bytes::from(format!("{error:#}"));
        match self.put(What::Error, 0, None, text) {
            Ok(()) => Code::Ok,
            Err(_) => Code::Internal,
        }
    }

    fn end(mut self, code: Code) {
        let _ = self.flush();
        let _ = self.frames.blocking_send(end(code));
    }
}
