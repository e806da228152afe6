//! The folder that an edge lives in: its files' names, and the way to its socket.
//!
//! Invariant: only its owner may look inside (0700), because of the socket and the secrets.

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// `sun_path` has 108 bytes, the closing zero among them.
const LONGEST_SOCKET_PATH: usize = 107;

/// Where orders are taken.
pub(super) const SOCKET: &str = "edge.sock";
/// Where a successor takes over.
pub(super) const HEIR: &str = "heir.sock";

#[derive(Clone, Debug)]
pub(super) struct Home(PathBuf);

impl Home {
    /// Makes the folder where it is missing, and closes it to others.
    pub(super) fn make(dir: &Path) -> Result<Home> {
        let made = || -> io::Result<PathBuf> {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir.join("logs"))?;
            std::fs::set_permissions(dir, Permissions::from_mode(0o700))?;
            dir.canonicalize()
        };
        made()
            .map(Home)
            .with_context(|| format!("cannot make the edge's folder {}", dir.display()))
    }

    /// `None`: there is no such folder.
    pub(super) fn find(dir: &Path) -> Option<Home> {
        dir.canonicalize().ok().map(Home)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("edge.lock")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.0.join(SOCKET)
    }

    pub(super) fn snapshot(&self) -> PathBuf {
        self.0.join("edge.json")
    }

    /// What is left of the snapshot after an edge has ended: there is nothing to go on with, but
    /// late orders stay refused.
    pub(super) fn fence(&self) -> PathBuf {
        self.0.join("edge.fence")
    }

    pub(super) fn counts(&self) -> PathBuf {
        self.0.join("counts.json")
    }

    /// Where requests are kept that were copied, with both answers.
    pub(super) fn pairs(&self) -> PathBuf {
        self.0.join("pairs")
    }

    pub(super) fn secrets(&self) -> PathBuf {
        self.0.join("secrets.json")
    }

    /// The edge's own log.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("edge.log")
    }

    pub(super) fn replica_log(&self, replica: impl std::fmt::Display) -> PathBuf {
        self.0.join("logs").join(format!("{replica}.log"))
    }

    /// What the markers of this edge's replicas begin with.
    pub(super) fn marker(&self) -> String {
        format!("{}#", self.0.display())
    }

    /// A path to a socket here that the kernel takes, however long the folder's own is; it holds as
    /// long as the file beside it is open.
    pub(super) fn way_to(&self, socket: &str) -> io::Result<(PathBuf, Option<File>)> {
        let straight = self.0.join(socket);
        if straight.as_os_str().len() <= LONGEST_SOCKET_PATH {
            return Ok((straight, None));
        }
        let dir = File::open(&self.0)?;
        let short = format!("/proc/self/fd/{}/{socket}", dir.as_raw_fd());
        Ok((short.into(), Some(dir)))
    }
}
