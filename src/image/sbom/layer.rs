//! One layer: a tar that says of files in those below that they are gone, by names of its own.

use std::io::Read;

use anyhow::{Context, Result, bail};
use tar::{Archive, Entry};

use super::found::{Layer, finding, tells};

const GONE: &str = ".wh.";
const EMPTIED: &str = ".wh..wh..opq";
/// A list of packages is far smaller.
const LARGEST: u64 = 64 << 20;

pub(super) fn layer(tar: impl Read) -> Result<Layer> {
    let mut layer = Layer::default();
    for entry in Archive::new(tar).entries()? {
        let mut entry = entry?;
        let path = plain(&entry.path_bytes());
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let beside = |name: &str| format!("{folder}/{name}").trim_matches('/').to_owned();
        match name.strip_prefix(GONE) {
            Some(_) if name == EMPTIED => layer.emptied.push(folder.to_owned()),
            Some(name) => layer.removed.push(beside(name)),
            None => add(&mut layer, &mut entry, &path)?,
        }
    }
    Ok(layer)
}

fn add(layer: &mut Layer, entry: &mut Entry<impl Read>, path: &str) -> Result<()> {
    let kind = entry.header().entry_type();
    if !tells(path) || kind.is_dir() {
        return Ok(());
    }
    let found = match kind.is_hard_link() {
        true => linked(layer, entry),
        false => finding(path, &text(entry, path)?),
    };
    match found {
        Some(found) => _ = layer.files.insert(path.to_owned(), found),
        // It tells nothing, and hides what the same file told below.
        None => layer.removed.push(path.to_owned()),
    }
    Ok(())
}

/// The same file by another name, which comes first.
fn linked(layer: &Layer, entry: &Entry<impl Read>) -> Option<super::found::Finding> {
    let target = plain(&entry.link_name_bytes()?);
    layer.files.get(&target).cloned()
}

fn text(entry: &mut Entry<impl Read>, path: &str) -> Result<String> {
    if entry.size() > LARGEST {
        bail!("/{path} in it has more than {} MB", LARGEST >> 20);
    }
    let mut bytes = Vec::new();
    let read = entry.read_to_end(&mut bytes);
    read.with_context(|| format!("could not read /{path} in it"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `./a/b/` is `a/b`.
fn plain(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    let path = path.strip_prefix("./").unwrap_or(&path);
    path.trim_matches('/').to_owned()
}
