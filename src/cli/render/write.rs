//! Files into a folder that may hold others: what agentctl did not write stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::list::List;
use super::{What, many};
use crate::advice::advice;
use crate::cli::exit::Exit;
use crate::cli::show::Shown;
use crate::image;
use crate::render::Files;

pub(super) fn into(
    folder: &Path,
    what: What,
    files: &Files,
    force: bool,
    shown: &mut Shown,
) -> Result<Exit> {
    let mut list = List::read(folder)?;
    if folder.exists() {
        within(folder, files)?;
    }
    if !force && folder.exists() {
        foreign(folder, files, &list)?;
    }
    let all: Vec<(&str, &str)> = files.iter().collect();
    let written = many::each(
        &all,
        || (),
        |(path, text), ()| write(&folder.join(path), text),
    );
    written.into_iter().collect::<Result<()>>()?;
    let removed = gone(folder, what, files, &list)?;
    list.note(what, files);
    write(&List::path(folder), &list.text()?)?;
    tell(folder, files, &removed, shown);
    Ok(Exit::Done)
}

fn tell(folder: &Path, files: &Files, removed: &[String], shown: &mut Shown) {
    let paths: Vec<&str> = files.iter().map(|(path, _)| path).collect();
    let what = match paths.len() {
        0 => "nothing".to_owned(),
        1..=12 => paths.join(", "),
        many => format!("{many} files"),
    };
    let mut says = format!("wrote {what} into {}", folder.display());
    if !removed.is_empty() {
        says += &format!("\nremoved {}", removed.join(", "));
    }
    let more = json!({ "folder": folder, "files": paths, "removed": removed });
    shown.result("written", says, more);
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
    let there = image::text(&folder.join(path));
    let list = List::read(folder).unwrap_or_default();
    there.is_ok_and(|there| list.has(path, there.as_bytes()))
}

/// Refuses what no file can take the place of: a folder, and a link, which would lead out of this one.
fn within(folder: &Path, files: &Files) -> Result<()> {
    if let Some((path, _)) = files.iter().find(|(path, _)| folder.join(path).is_dir()) {
        return Err(advice(
            format!(
                "{} is a folder, and a file of that name is to be written",
                folder.join(path).display()
            ),
            "take it away, or name another folder with -o",
        ));
    }
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
fn foreign(folder: &Path, files: &Files, list: &List) -> Result<()> {
    for (path, text) in files.iter() {
        let there = match fs::read(folder.join(path)) {
            Ok(there) => there,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("could not read {path}")),
        };
        if !list.has(path, &there) && there != text.as_bytes() {
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
fn gone(folder: &Path, what: What, files: &Files, list: &List) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    let left = list.left(what, files).into_iter();
    for name in left.filter(|path| link(folder, path).is_none()) {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|there| list.has(name, &there)) {
            fs::remove_file(&path)
                .with_context(|| format!("could not remove {}", path.display()))?;
            removed.push(name.to_owned());
        }
    }
    Ok(removed)
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
