//! What one compose.yaml needs beyond its agent: the other environments, and the ways between the
//! folders; and how it is printed.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::{Exit, Files, Shown};
use crate::advice::{Advise, advice};
use crate::cli::args::{Render, What};
use crate::cli::site::Project;
use crate::render::{Stack, without_effect};
use crate::spec::Spec;

const MAIN: &str = "compose.yaml";

pub(super) fn stack(project: &Project, args: &Render) -> Result<Stack> {
    if args.what != Some(What::Compose) {
        return Ok(Stack::default());
    }
    let (out, folder) = (whole(&out(project, args))?, whole(project.folder())?);
    Ok(Stack {
        environments: others(project)?,
        home: way(&out, &folder)?,
        back: way(&folder, &out)?,
        is_ready: args.image.is_some(),
    })
}

/// Where compose.yaml is going to lie; printed text most often becomes a file right here.
fn out(project: &Project, args: &Render) -> PathBuf {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("."));
    match args.file.len() {
        0 | 1 => out,
        _ => out.join(&project.loaded.spec.agent.name),
    }
}

/// Every environment of the file, where none was asked for.
fn others(project: &Project) -> Result<BTreeMap<String, Spec>> {
    if project.loaded.environment.is_some() {
        return Ok(BTreeMap::new());
    }
    let load = |name: &String| {
        let other = project.in_environment(name).advise(
            format!("could not read the environment {name}, which may add services"),
            "mend it, or render one environment alone: -e NAME",
        )?;
        Ok((name.clone(), other.loaded.spec))
    };
    project.loaded.environments.iter().map(load).collect()
}

/// The path from the root, links followed as far as the path is there.
fn whole(path: &Path) -> Result<PathBuf> {
    let here = env::current_dir().context("could not find out the current folder")?;
    let path = here.join(path);
    let there = path.ancestors().find_map(|known| {
        let found = fs::canonicalize(known).ok()?;
        Some(found.join(path.strip_prefix(known).ok()?))
    });
    Ok(plain(&there.unwrap_or(path)))
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
        plain
    })
}

/// From one folder to another, like `../..`; `.` where they are the same.
fn way(from: &Path, to: &Path) -> Result<String> {
    let pairs = from.components().zip(to.components());
    let shared = pairs.take_while(|(from, to)| from == to).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let down = to.components().skip(shared);
    let way: PathBuf = up.chain(down).collect();
    match way.to_str() {
        Some("") => Ok(".".to_owned()),
        Some(way) => Ok(way.to_owned()),
        None => Err(advice(
            format!("{} is not UTF-8, and compose.yaml is", way.display()),
            "name another folder: -o FOLDER",
        )),
    }
}

/// What Compose does not do, so that nobody counts on it.
pub(super) fn warnings(project: &Project, what: What) -> Vec<String> {
    let paths = match what {
        What::Compose => without_effect(&project.loaded.spec),
        _ => Vec::new(),
    };
    let says = |path: &str| format!("{path} has no effect in Compose");
    paths.into_iter().map(says).collect()
}

/// compose.yaml alone: the other files are no YAML of the same stream.
pub(super) fn print(files: &Files, shown: &mut Shown) -> Result<Exit> {
    let main = files.iter().filter(|(path, _)| path.ends_with(MAIN));
    let texts: Vec<&str> = main.map(|(_, text)| text).collect();
    let [text] = texts.as_slice() else {
        return Err(advice(
            "several agents do not fit into one compose.yaml",
            "-o FOLDER writes each into a folder of its own",
        ));
    };
    shown.text(text);
    let others: Vec<&str> = files
        .iter()
        .map(|(path, _)| path)
        .filter(|path| *path != MAIN)
        .collect();
    shown.note(format!(
        "{} belong to it; -o FOLDER writes them too",
        others.join(", ")
    ));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_from_one_folder_to_another() {
        let cases = [
            ("/a/b", "/a/b", "."),
            ("/a/b/deploy/compose", "/a/b", "../.."),
            ("/a/b", "/a/b/deploy", "deploy"),
            ("/tmp/out", "/home/me/agent", "../../home/me/agent"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(way(Path::new(from), Path::new(to)).unwrap(), expected);
        }
    }

    #[test]
    fn paths_become_plain() {
        assert_eq!(plain(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }
}
