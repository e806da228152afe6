//! Files into a folder that may hold others: what agentctl did not write stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::many;
use crate::advice::advice;
use crate::cli::exit::Exit;
use crate::cli::show::Shown;
use crate::release::Identity;
use crate::render::Files;

/// What was written into the folder, by the hash of each file.
const LIST: &str = ".agentctl-rendered";

pub(super) fn into(folder: &Path, files: &Files, force: bool, shown: &mut Shown) -> Result<Exit> {
    let known = known(folder)?;
    if folder.exists() {
        within(folder, files)?;
    }
    if !force && folder.exists() {
        foreign(folder, files, &known)?;
    }
    let all: Vec<(&str, &str)> = files.iter().collect();
    let written = many::each(
        &all,
        || (),
        |(path, text), ()| write(&folder.join(path), text),
    );
    written.into_iter().collect::<Result<()>>()?;
    gone(folder, files, &known)?;
    note(folder, files)?;
    let paths: Vec<&str> = files.iter().map(|(path, _)| path).collect();
    let what = match paths.len() {
        0 => "nothing".to_owned(),
        1..=12 => paths.join(", "),
        many => format!("{many} files"),
    };
    let says = format!("wrote {what} into {}", folder.display());
    shown.result("written", says, json!({ "folder": folder, "files": paths }));
    Ok(Exit::Done)
}

/// One file that the user is going to edit.
pub(super) fn copy(path: &Path, text: &str, force: bool) -> Result<()> {
    match path.exists() && !force {
        true => Err(advice(
            format!("{} is there already", path.display()),
            "edit it, or write it anew with --force",
        )),
        false => write(path, text),
    }
}

/// Whether this file is as agentctl wrote it there.
pub(super) fn is_ours(folder: &Path, path: &str) -> bool {
    let there = fs::read(folder.join(path)).map(|bytes| hash(&bytes));
    let known = known(folder).unwrap_or_default();
    there.is_ok_and(|there| known.get(path) == Some(&there))
}

type Known = BTreeMap<String, String>;

fn known(folder: &Path) -> Result<Known> {
    let path = folder.join(LIST);
    match fs::read(&path) {
        Ok(bytes) => {
            listed(&bytes).with_context(|| format!("{} is not what agentctl wrote", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Known::new()),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

/// The list may come from somebody else: no path in it leads out of the folder.
fn listed(bytes: &[u8]) -> Result<Known> {
    let known: Known = serde_json::from_slice(bytes)?;
    for path in known.keys() {
        let mut parts = Path::new(path).components();
        let inside = parts.all(|part| matches!(part, Component::Normal(_)));
        ensure!(inside, "{path} is not in the folder");
    }
    Ok(known)
}

/// Refuses a link, which would lead out of the folder.
fn within(folder: &Path, files: &Files) -> Result<()> {
    match files.iter().find_map(|(path, _)| link(folder, path)) {
        None => Ok(()),
        Some(link) => Err(advice(
            format!(
                "{} is a link, and may lead out of the folder",
                link.display()
            ),
            "take it away, or name another folder with -o",
        )),
    }
}

/// The first link on the way to a file.
fn link(folder: &Path, path: &str) -> Option<PathBuf> {
    let parts = Path::new(path).components();
    let mut steps = parts.scan(folder.to_owned(), |at, part| {
        at.push(part);
        Some(at.clone())
    });
    steps.find(|at| at.is_symlink())
}

/// Refuses where a file is in the way that is not as agentctl left it.
fn foreign(folder: &Path, files: &Files, known: &Known) -> Result<()> {
    for (path, text) in files.iter() {
        let there = match fs::read(folder.join(path)) {
            Ok(there) => there,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("could not read {path}")),
        };
        let ours = known.get(path) == Some(&hash(&there));
        if !ours && there != text.as_bytes() {
            return Err(advice(
                format!(
                    "{} is not as agentctl wrote it",
                    folder.join(path).display()
                ),
                "keep it by another name, or overwrite it with --force",
            ));
        }
    }
    Ok(())
}

/// Removes what was written before, is not any more, and was not touched since.
fn gone(folder: &Path, files: &Files, known: &Known) -> Result<()> {
    let still = |path: &str| files.iter().any(|(kept, _)| kept == path);
    let old = known.iter().filter(|(path, _)| !still(path));
    for (path, hash_then) in old.filter(|(path, _)| link(folder, path).is_none()) {
        let path = folder.join(path);
        if fs::read(&path).is_ok_and(|there| hash(&there) == *hash_then) {
            fs::remove_file(&path)
                .with_context(|| format!("could not remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn note(folder: &Path, files: &Files) -> Result<()> {
    let written: Known = files
        .iter()
        .map(|(path, text)| (path.to_owned(), hash(text.as_bytes())))
        .collect();
    let text = serde_json::to_string_pretty(&written)? + "\n";
    write(&folder.join(LIST), &text)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let there = match fs::write(path, text) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)
                .with_context(|| format!("could not make {}", folder.display()))?;
            fs::write(path, text)
        }
        written => written,
    };
    there.with_context(|| format!("could not write {}", path.display()))
}

fn hash(bytes: &[u8]) -> String {
    Identity::of(bytes).to_string()
}
