//! Folders that images are built from: like people's own in numbers and sizes, and of no value.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::place::{Place, repository};

/// Of the file names; every fifth to third of five is left out of the context.
const SIZES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 73];
const FILES_A_FOLDER: usize = 100;

#[derive(Clone, Copy)]
pub(crate) struct Tree {
    pub(crate) files: usize,
}

impl Tree {
    /// Bytes that are sent: two of five files.
    pub(crate) fn sent(self) -> u64 {
        let all = (0..self.files).filter(|file| !is_ignored(*file));
        all.map(|file| size(file) as u64).sum()
    }

    /// An agent whose image is all of the tree that is not ignored. The text is this repository's.
    pub(crate) fn write(self, place: &Place, repository: Option<&str>) -> Result<()> {
        let text = sources()?;
        let project = place.project();
        fs::write(project.join("agent.toml"), spec(repository))?;
        fs::write(project.join("Dockerfile"), "FROM scratch\nCOPY . /\n")?;
        fs::write(project.join(".dockerignore"), "node_modules\n")?;
        for file in 0..self.files {
            let top = if is_ignored(file) {
                "node_modules"
            } else {
                "src"
            };
            let folder = project.join(format!("{top}/{}", file / FILES_A_FOLDER));
            fs::create_dir_all(&folder)?;
            let start = file * 7919 % (text.len() - size(file));
            let mut bytes = text[start..start + size(file)].to_vec();
            bytes[0] = b' ';
            fs::write(folder.join(format!("{file}.py")), bytes)?;
        }
        Ok(())
    }
}

fn is_ignored(file: usize) -> bool {
    file % 5 < 3
}

fn size(file: usize) -> usize {
    SIZES[file / 5 % SIZES.len()] * 1000
}

fn spec(repository: Option<&str>) -> String {
    let repository = repository.map(|name| format!("[image]\nrepository = \"{name}\"\n"));
    format!(
        "[agent]\nname = \"figures-agent\"\nversion = \"1.0.0\"\n\n[build]\nruntime = \
         \"dockerfile\"\n\n[run]\ncommand = [\"/agent\"]\n\n[health]\nready = \"/ready\"\n\n{}",
        repository.unwrap_or_default()
    )
}

/// The documents: text without a secret, wherever it is cut.
fn sources() -> Result<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(repository().join("docs"))?
        .map(|file| Ok(file?.path()))
        .collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "md"));
    files.sort();
    let mut text = Vec::new();
    for file in files {
        text.extend(fs::read(file)?);
    }
    Ok(text)
}

/// What makes it another image than before.
pub(crate) fn change(project: &Path, to: &str) -> Result<()> {
    Ok(fs::write(project.join("value"), to)?)
}

/// Takes the images of these repositories out of the engine.
pub(crate) fn forget(repositories: &[&str]) {
    for repository in repositories {
        let listed = Command::new("docker")
            .args(["images", "--quiet", repository])
            .output();
        let ids = listed.map(|listed| listed.stdout).unwrap_or_default();
        for id in String::from_utf8_lossy(&ids).lines() {
            let _ = Command::new("docker").args(["rmi", "--force", id]).output();
        }
    }
}
