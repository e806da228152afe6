//! Log files: replicas' output, and the edge's own.
//!
//! Replicas hold their log open themselves, so that it goes on when the edge is killed. A file is
//! therefore turned by copying and emptying it; writers append, so they go on at its new end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
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
/// Of one that grew far beyond that in between only the end is kept: a disk is never filled twice.
pub(super) fn turn(path: &Path, largest: u64) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(file) if file.len() >= largest => shift_and_empty(path, largest),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// What another run of the replica wrote becomes an older log, so that nobody takes it for this one's.
pub(super) fn begin(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(file) if file.len() > 0 => shift_and_empty(path, LARGEST),
        _ => Ok(()),
    }
}

fn shift_and_empty(path: &Path, most: u64) -> io::Result<()> {
    for old in (1..OLD_ONES).rev().filter(|&old| older(path, old).exists()) {
        std::fs::rename(older(path, old), older(path, old + 1))?;
    }
    let mut log = OpenOptions::new().read(true).write(true).open(path)?;
    let end = log.metadata()?.len();
    log.seek(SeekFrom::Start(end.saturating_sub(most)))?;
    let old = older(path, 1);
    let mut copy = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&old)?;
    io::copy(&mut (&log).take(most), &mut copy)?;
    log.set_len(0)
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
            turn(&path, 8).unwrap();
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
    fn a_log_that_begins_anew_leaves_what_was_written_before_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        begin(&path).unwrap();
        assert!(!path.exists());
        writeln!(open(&path).unwrap(), "an earlier run").unwrap();
        begin(&path).unwrap();
        begin(&path).unwrap();
        let text = |path: PathBuf| std::fs::read_to_string(path).unwrap();
        assert_eq!(text(path.clone()), "");
        assert_eq!(text(older(&path, 1)), "an earlier run\n");
        assert!(!older(&path, 2).exists());
    }

    #[test]
    fn a_log_that_is_not_there_has_nothing_to_turn_or_to_tell() {
        let path = Path::new("/nonexistent/a.log");
        turn(path, 1).unwrap();
        note(path, "lost");
        assert_eq!(last_lines(path, 3), "");
    }
}
