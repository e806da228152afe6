//! What the replicas wrote: one file each, kept by the edge.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::StateDir;
use crate::release::ReleaseId;
use crate::target::Log;

/// Lines are looked for in this much of a file's end.
const TAIL: u64 = 256 * 1024;

/// The last lines of every replica of a release, by replica number.
pub(super) fn last(dir: &StateDir, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
    let mut logs = files(dir, release)?
        .into_iter()
        .map(|(replica, path)| {
            let text = tail(&path).with_context(|| format!("could not read {}", path.display()))?;
            Ok(Log {
                release,
                replica,
                sidecar: None,
                lines: last_lines(&text, lines),
            })
        })
        .collect::<Result<Vec<Log>>>()?;
    logs.sort_by_key(|log| log.replica);
    Ok(logs)
}

fn files(dir: &StateDir, release: ReleaseId) -> Result<Vec<(u32, PathBuf)>> {
    let folder = dir.path().join("logs");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("could not read {}", folder.display()))?,
    };
    entries
        .map(|entry| Ok(entry?.path()))
        .filter_map(|path| match path {
            Ok(path) => replica_of(&path, release).map(|replica| Ok((replica, path))),
            Err(error) => Some(Err(error)),
        })
        .collect()
}

/// The replica whose file this is: `r13-2.log`.
fn replica_of(path: &Path, release: ReleaseId) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    let number = name.strip_prefix(&format!("{release}-"))?;
    number.strip_suffix(".log")?.parse().ok()
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn last_lines(text: &str, most: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(most);
    lines[from..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replicas_file_is_told_by_its_name() {
        let cases = [
            ("r13-2.log", Some(2)),
            ("r1-2.log", None),
            ("r13-2.log.1", None),
            ("r133-2.log", None),
        ];
        for (name, replica) in cases {
            assert_eq!(
                replica_of(Path::new(name), ReleaseId(13)),
                replica,
                "{name}"
            );
        }
    }

    #[test]
    fn the_last_lines_in_their_order() {
        assert_eq!(last_lines("a\nb\nc\n", 2), ["b", "c"]);
        assert_eq!(last_lines("a", 2), ["a"]);
        assert_eq!(last_lines("", 2), Vec::<String>::new());
    }
}
