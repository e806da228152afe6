//! Which files a context is made of.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, FileType};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result};

use super::ignore::{Hits, Rules};
use super::{Entry, Kind, Mark};
use crate::advice::{Advise, advice, pattern, shown};

/// Sorted by the bytes of their paths.
pub(super) fn walk(root: &Path, rules: &Rules) -> Result<Vec<Entry>> {
    let mut walk = Walk {
        rules,
        found: Vec::new(),
        refused: Vec::new(),
    };
    walk.folder(root, "", &Hits::default())?;
    unsendable(walk.refused)?;
    walk.found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.found)
}

struct Walk<'a> {
    rules: &'a Rules,
    found: Vec<Entry>,
    refused: Vec<Refused>,
}

/// What no image holds.
struct Refused {
    /// As it is found from here: `./run/socket is a socket`.
    says: String,
    path: String,
}

impl Walk<'_> {
    fn folder(&mut self, place: &Path, path: &str, hits: &Hits) -> Result<()> {
        let hint = "leave it out in .dockerignore, or make it readable";
        let unreadable = || format!("could not read the folder {}", in_words(place));
        for child in fs::read_dir(place).advise(unreadable(), hint)? {
            self.child(&child.with_context(unreadable)?, path, hits)?;
        }
        Ok(())
    }

    fn child(&mut self, child: &DirEntry, above: &str, hits: &Hits) -> Result<()> {
        let place = child.path();
        let name = child.file_name();
        // What is no letter is one to a pattern.
        let path = match (above, name.to_string_lossy()) {
            ("", name) => name.into_owned(),
            (above, name) => format!("{above}/{name}"),
        };
        let hits = self.rules.hits(&path, hits);
        let ignored = self.rules.ignores(&hits);
        let is_folder = child.file_type()?.is_dir();
        match is_folder {
            _ if ignored && !(is_folder && self.rules.may_keep_below(&path)) => Ok(()),
            _ if name.to_str().is_none() => Err(no_utf8(&name, &path)),
            true => self.below(&place, path, &hits, ignored),
            false => {
                match kind(child, &path)? {
                    Ok(kind) => self.found.push(Entry { path, kind }),
                    Err(says) => self.refused.push(Refused { says, path }),
                }
                Ok(())
            }
        }
    }

    /// A folder that is left out is there nevertheless where something in it is kept.
    fn below(&mut self, place: &Path, path: String, hits: &Hits, ignored: bool) -> Result<()> {
        let before = self.found.len();
        self.folder(place, &path, hits)?;
        if !ignored || self.found.len() > before {
            let kind = Kind::Folder { mode: 0o755 };
            self.found.push(Entry { path, kind });
        }
        Ok(())
    }
}

/// All of them at once, so that one line after the other need not be found out.
fn unsendable(mut refused: Vec<Refused>) -> Result<()> {
    refused.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let says: Vec<_> = refused.iter().map(|one| one.says.as_str()).collect();
    let lines: Vec<_> = refused.iter().map(|one| pattern(&one.path)).collect();
    let (what, hint) = match says.as_slice() {
        [] => return Ok(()),
        [only] => (
            format!("{only}, no file"),
            "remove it, or leave it out in .dockerignore",
        ),
        all => (
            format!("no image holds these:\n  {}", all.join("\n  ")),
            "remove them, or leave them out in .dockerignore, each in a line",
        ),
    };
    Err(advice(what, format!("{hint}: {}", lines.join(", "))))
}

/// Or in words what it is that is no file.
fn kind(child: &DirEntry, path: &str) -> Result<Result<Kind, String>> {
    let place = child.path();
    let data = child
        .metadata()
        .with_context(|| format!("could not read {}", in_words(&place)))?;
    Ok(match data.file_type() {
        kind if kind.is_symlink() => Ok(link(&place, path)?),
        kind if kind.is_file() => Ok(Kind::File {
            size: data.len(),
            mode: if data.mode() & 0o111 == 0 {
                0o644
            } else {
                0o755
            },
            mark: Mark::of(&data),
        }),
        kind => Err(format!("{} is {}", in_words(&place), name_of(kind))),
    })
}

fn link(place: &Path, path: &str) -> Result<Kind> {
    let target = fs::read_link(place)
        .with_context(|| format!("could not read the link {}", in_words(place)))?;
    let text = target
        .to_str()
        .ok_or_else(|| no_utf8(target.as_os_str(), path));
    Ok(Kind::Link {
        target: text?.to_owned(),
    })
}

fn in_words(place: &Path) -> String {
    shown(place.to_string_lossy())
}

pub(super) fn name_of(kind: FileType) -> &'static str {
    match () {
        () if kind.is_socket() => "a socket",
        () if kind.is_fifo() => "a pipe",
        () => "a device",
    }
}

/// BuildKit takes no other names.
fn no_utf8(name: &OsStr, path: &str) -> anyhow::Error {
    advice(
        format!("{name:?}, which an image would get, is no name in UTF-8"),
        format!(
            "rename it, or leave it out in .dockerignore: {}",
            pattern(path)
        ),
    )
}
