//! How the journal is written down: one record a line, each with its checksum, so that a write that
//! was cut off is told from one that was damaged later.
//!
//! `checksum SPACE {"v":1,"seq":0,"fence":1,"at":0,"event":…} LF`; the checksum is the CRC-32 of
//! the JSON text, as eight hex digits.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Corrupt, Newer, Record};

#[cfg(test)]
mod tests;

/// The highest format that this agentctl reads, and the one that it writes.
pub(super) const FORMAT: u64 = 1;

#[derive(Serialize)]
struct Versioned<'a, T> {
    v: u64,
    #[serde(flatten)]
    content: &'a T,
}

#[derive(Deserialize)]
struct Version {
    v: u64,
}

/// Compact JSON with the format's number in front.
pub(super) fn versioned<T: Serialize>(content: &T) -> Result<String> {
    let v = FORMAT;
    serde_json::to_string(&Versioned { v, content }).context("cannot be written as JSON")
}

/// Reads what [`versioned`] wrote. Fails with [`Newer`], or with what `damaged` makes of a sentence.
pub(super) fn parse<T: DeserializeOwned>(
    json: &[u8],
    file: &Path,
    damaged: impl Fn(&str) -> Corrupt,
) -> Result<T> {
    let wrong = |error: serde_json::Error| damaged(&error.to_string());
    let Version { v: format } = serde_json::from_slice(json).map_err(wrong)?;
    if format > FORMAT {
        let file = file.to_owned();
        bail!(Newer { file, format });
    }
    Ok(serde_json::from_slice(json).map_err(wrong)?)
}

pub(super) fn line(record: &Record) -> Result<String> {
    let json = versioned(record)?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())))
}

/// The records of a file, and how many of its bytes they are: what follows was cut off while it
/// was written, and never counted.
#[derive(Debug, PartialEq)]
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    pub(super) whole: usize,
}

/// Fails with [`Corrupt`] or [`Newer`].
pub(super) fn records(bytes: &[u8], file: &Path) -> Result<Records> {
    let mut records = Vec::new();
    let mut whole = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let damaged = |says: &str| corrupt(file, records.len() + 1, says);
        let Some(json) = checked(line) else {
            match whole + line.len() == bytes.len() {
                true => break,
                false => bail!(damaged("its checksum is wrong")),
            }
        };
        let record = parse(json, file, damaged)?;
        if !follows(&record, &records) {
            bail!(damaged("it does not follow the record before it"));
        }
        whole += line.len();
        records.push(record);
    }
    Ok(Records { records, whole })
}

/// The JSON of a line that is complete and as it was written.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (checksum, json) = line.strip_suffix(b"\n")?.split_at_checked(9)?;
    let expected = format!("{:08x} ", crc32fast::hash(json));
    (checksum == expected.as_bytes()).then_some(json)
}

fn follows(record: &Record, before: &[Record]) -> bool {
    record.seq == before.len() as u64 && before.last().is_none_or(|last| last.fence <= record.fence)
}

pub(super) fn corrupt(file: &Path, line: usize, says: &str) -> Corrupt {
    Corrupt {
        file: file.to_owned(),
        line,
        says: says.to_owned(),
        hint: "restore the file from a backup; without one, move it away and run \
               `agentctl status` to see what runs",
    }
}
