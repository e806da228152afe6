//! Requests that wait for the holder. All functions need the lock.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::files;
use crate::journal::{Asked, Corrupt, format};

#[derive(Default, Serialize, Deserialize)]
struct Waiting {
    requests: Vec<Asked>,
}

pub(super) fn add(file: &Path, request: Asked) -> Result<()> {
    let mut waiting = read(file)?;
    if !waiting.requests.contains(&request) {
        waiting.requests.push(request);
    }
    files::replace(file, format::versioned(&waiting)?.as_bytes())
}

/// Empties the file, which is to remove it.
pub(super) fn take(file: &Path, rollout: u64) -> Result<Vec<Asked>> {
    let mut waiting = read(file)?;
    files::remove(file)?;
    waiting
        .requests
        .retain(|request| request.rollout == rollout);
    Ok(waiting.requests)
}

/// Those for this rollout, which stay until they are known to be taken; others are dropped.
pub(super) fn look(file: &Path, rollout: u64, taken: &[Asked]) -> Result<Vec<Asked>> {
    let mut waiting = read(file)?;
    let before = waiting.requests.len();
    let stays = |request: &Asked| request.rollout == rollout && !taken.contains(request);
    waiting.requests.retain(stays);
    match waiting.requests.len() {
        0 => files::remove(file)?,
        left if left < before => files::replace(file, format::versioned(&waiting)?.as_bytes())?,
        _ => {}
    }
    Ok(waiting.requests)
}

fn read(file: &Path) -> Result<Waiting> {
    let Some(bytes) = files::read(file)? else {
        return Ok(Waiting::default());
    };
    format::parse(&bytes, file, |says| Corrupt {
        file: file.to_owned(),
        line: 1,
        says: says.to_owned(),
        hint: "remove the file and ask again",
    })
}
