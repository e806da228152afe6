//! Log files: replicas' output, and the edge's own.
//!
//! Replicas hold their log open themselves, so that it goes on when the edge is killed. A file is
//! therefore turned by copying and emptying it; writers append, so they go on at its new end.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(super) const LARGEST: u64 = 10 * 1024 * 1024;
const OLD_ONES: u32 = 3;

pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// `x.log` becomes `x.log.1` when it is `largest` or more, `x.log.1` becomes `x.log.2` and so on.
pub(super) fn turn(path: &Path, largest: u64) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(file) if file.len() >= largest => shift_and_empty(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn shift_and_empty(path: &Path) -> io::Result<()> {
    for old in (1..OLD_ONES).rev().filter(|&old| older(path, old).exists()) {
        std::fs::rename(older(path, old), older(path, old + 1))?;
    }
    std::fs::copy(path, older(path, 1))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

fn older(path: &Path, age: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{age}"));
    name.into()
}

/// Adds a line to the edge's own log. A full disk must not stop the edge, so a failure is let go.
pub(super) fn note(path: &Path, line: &str) {
    let now = humantime::format_rfc3339_millis(SystemTime::now());
    let _ = open(path).and_then(|mut log| log.write_all(format!("{now} {line}\n").as_bytes()));
}

/// The end of a log, for someone who wants to know why.
pub(super) fn last_lines(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_log_keeps_three_older_ones_and_its_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut writer = open(&path).unwrap();
        for round in 1..=5 {
            writeln!(writer, "round {round}").unwrap();
            turn(&path, 1).unwrap();
        }
        writeln!(writer, "after").unwrap();
        turn(&path, 1000).unwrap();
        let text = |path: PathBuf| std::fs::read_to_string(path).unwrap();
        assert_eq!(text(path.clone()), "after\n");
        assert_eq!(text(older(&path, 1)), "round 5\n");
        assert_eq!(text(older(&path, 3)), "round 3\n");
        assert!(!older(&path, 4).exists());
    }

    #[test]
    fn a_log_that_is_not_there_has_nothing_to_turn_or_to_tell() {
        let path = Path::new("/nonexistent/a.log");
        turn(path, 1).unwrap();
        note(path, "lost");
        assert_eq!(last_lines(path, 3), "");
    }
}
