//! The folder that an image is built from: which files belong to it, their hash, and the stream
//! that the engine reads.
//!
//! Invariants: what is sent was looked through; the same tree makes the same bytes, whatever the
//! clock, the owner or the umask; no link is followed; memory does not grow with the files' sizes.

mod file;
mod glob;
mod hash;
mod ignore;
mod mark;
mod memory;
mod tar;
#[cfg(test)]
mod tests;
mod walk;

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Result;

pub(crate) use glob::Glob;
pub(crate) use hash::Looked;
pub(crate) use mark::Mark;
pub(crate) use memory::Memory;

use self::ignore::Rules;
use crate::advice::{Advise, advice, because, shown};

pub(crate) struct Context {
    pub(crate) root: PathBuf,
    /// Sorted by path, folders before what is in them.
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Below the root, with `/`.
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File {
        size: u64,
        /// 0644 or 0755: what a umask takes away decides nothing.
        mode: u32,
        /// What is sent later has to be what was looked through.
        mark: Mark,
    },
    Folder {
        mode: u32,
    },
    Link {
        target: String,
    },
}

impl Context {
    /// All below `root` but what the text of a `.dockerignore` leaves out.
    pub(crate) fn read(root: &Path, ignore_text: &str) -> Result<Self> {
        let rules = Rules::parse(ignore_text)?;
        Ok(Self {
            root: root.to_owned(),
            entries: walk::walk(root, &rules)?,
        })
    }

    /// But for this folder, and those that were made for it alone.
    pub(crate) fn without_folder(self, folder: &Path) -> Self {
        let mut rest = self.without(folder);
        if let (Ok(root), Ok(folder)) = (rest.root.canonicalize(), folder.canonicalize())
            && folder.starts_with(&root)
        {
            rest.forget_empty(&root, &folder);
        }
        rest
    }

    /// But for this file or folder: what is written because an image was made is no part of it.
    pub(crate) fn without(mut self, file: &Path) -> Self {
        let folder = match file.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        if let (Ok(folder), Some(name)) = (folder.canonicalize(), file.file_name())
            && let Ok(root) = self.root.canonicalize()
        {
            let file = folder.join(name);
            if !file.starts_with(&root) {
                return self;
            }
            self.entries
                .retain(|entry| !root.join(&entry.path).starts_with(&file));
        }
        self
    }

    fn forget_empty(&mut self, root: &Path, inner: &Path) {
        for folder in inner.ancestors().skip(1).take_while(|one| *one != root) {
            let within = |entry: &Entry| root.join(&entry.path).starts_with(folder);
            if self.entries.iter().filter(|entry| within(entry)).count() == 1 {
                self.entries
                    .retain(|entry| root.join(&entry.path) != folder);
            }
        }
    }

    /// Whether this file is a part of it, or something in this folder, which is written `a/`.
    pub(crate) fn has(&self, path: &str) -> bool {
        let at = self.entries.partition_point(|entry| *entry.path < *path);
        let next = self.entries.get(at);
        next.is_some_and(|next| {
            next.path == path || (path.ends_with('/') && next.path.starts_with(path))
        })
    }

    /// A file's contents, if they are what was looked through.
    pub(crate) fn open(&self, entry: &Entry) -> std::io::Result<impl Read + use<>> {
        match entry.kind {
            Kind::File { mark, .. } => file::open(&self.root, &entry.path, mark),
            _ => Err(std::io::Error::other(format!(
                "{} is no file",
                shown(&entry.path)
            ))),
        }
    }
}

/// The folder to build from; a link may not lead out of the folder of agent.toml.
pub(crate) fn find(home: &Path, context: &str) -> Result<PathBuf> {
    let hint = "context = \".\" under [build] is the folder of agent.toml";
    let place = home.join(context);
    let found = place
        .canonicalize()
        .advise(format!("could not find the folder {context}"), hint)?;
    if !found.starts_with(home.canonicalize()?) {
        let what = format!("{context} leads out of the folder of agent.toml");
        return Err(advice(
            what,
            "copy what is needed into it, or move agent.toml up",
        ));
    }
    match found.is_dir() {
        true => Ok(found),
        false => Err(advice(format!("{context} is no folder"), hint)),
    }
}

/// The text of a file by its name, a link's target too; a pipe would be waited for for ever.
pub(crate) fn text(path: &Path) -> std::io::Result<String> {
    let kind = path.metadata()?.file_type();
    match kind.is_file() || kind.is_dir() {
        true => std::fs::read_to_string(path),
        false => Err(std::io::Error::other(format!(
            "it is {}, no file",
            walk::name_of(kind)
        ))),
    }
}

/// What decides a build is looked through, hashed and seen by whoever reads the folder: a link to it
/// may not lead out of the context. One that is not there is for whoever reads it to say.
pub(crate) fn stays_inside(context: &Path, name: &str) -> Result<()> {
    let found = context.join(name).canonicalize();
    match (found, context.canonicalize()) {
        (Ok(found), Ok(context)) if !found.starts_with(&context) => {
            let found = shown(found.to_string_lossy());
            Err(because(
                format!("{name} leads out of the context"),
                format!("it is a link to {found}"),
                format!("put a copy in its place: cp --remove-destination {found} {name}"),
            ))
        }
        _ => Ok(()),
    }
}
