//! One file of a context, read as it was when the context was.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::Mark;
use crate::advice::shown;

/// Opens no link and waits for no pipe, in case the file was replaced by one.
pub(super) fn open(root: &Path, path: &str, mark: Mark) -> io::Result<Whole> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(root.join(path), flags, Mode::empty())
        .map(File::from)
        .map_err(|error| named(path, &error.into()))?;
    let data = file.metadata()?;
    match data.is_file() && Mark::of(&data) == mark {
        true => Ok(Whole {
            file,
            path: path.to_owned(),
            left: mark.size(),
            mark,
        }),
        false => Err(other(path)),
    }
}

/// Exactly as many bytes as there were, or an error.
pub(super) struct Whole {
    file: File,
    path: String,
    left: u64,
    mark: Mark,
}

impl Whole {
    /// Its length alone does not tell: it may have been written over.
    fn is_as_it_was(&self) -> io::Result<bool> {
        Ok(Mark::of(&self.file.metadata()?) == self.mark)
    }
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self
            .file
            .read(buffer)
            .map_err(|error| named(&self.path, &error))?;
        match read {
            0 if self.left > 0 => Err(other(&self.path)),
            read if read as u64 > self.left => Err(other(&self.path)),
            read => {
                self.left -= read as u64;
                match self.left > 0 || self.is_as_it_was()? {
                    true => Ok(read),
                    false => Err(other(&self.path)),
                }
            }
        }
    }
}

fn other(path: &str) -> io::Error {
    io::Error::other(format!(
        "{} was changed while it was read: build again",
        shown(path)
    ))
}

fn named(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("could not read {}: {error}", shown(path)),
    )
}
