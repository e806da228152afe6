//! What tells that a file is still the one that was looked at, and as it was then.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

/// Not every file system keeps all of them: where one stands still, another moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    pub(super) fn of(data: &Metadata) -> Self {
        Self {
            file: (data.dev(), data.ino()),
            size: data.len(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// In seconds since 1970.
    pub(super) fn last(&self) -> i64 {
        self.modified.0.max(self.changed.0)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// On a file system that keeps no time of change, say.
    #[test]
    fn another_file_is_another_whatever_the_clock_says() {
        let dir = tempfile::tempdir().unwrap();
        let marks = ["a", "b"].map(|name| {
            let path = dir.path().join(name);
            fs::write(&path, "1").unwrap();
            let mark = Mark::of(&fs::metadata(path).unwrap());
            let (modified, changed) = ((0, 0), (0, 0));
            Mark {
                modified,
                changed,
                ..mark
            }
        });
        assert_ne!(marks[0], marks[1]);
        let touched = Mark {
            modified: (1, 0),
            ..marks[0]
        };
        assert_ne!(marks[0], touched);
        assert_eq!(touched.last(), 1);
    }
}
