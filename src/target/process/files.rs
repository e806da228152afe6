//! The agent's files as part of a release: hashed, and kept as a copy that no later edit reaches.

mod parts;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::StateDir;
use crate::advice::{Advise, advice};
use crate::release::{Artifact, Identity};

/// A release is copied whole, so a tree that is this large is there by mistake.
const MOST_BYTES: u64 = 1 << 30;
const MOST_FILES: usize = 100_000;

/// Never part of a release: what tools write beside the files.
const LEFT_OUT: [&str; 2] = [".git", "__pycache__"];

/// What belongs to a release: paths below a folder, without the ones to leave out.
pub(crate) struct Tree {
    root: PathBuf,
    paths: Vec<String>,
    leave_out: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Relative to the root.
    path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Folder,
    File { executable: bool, bytes: u64 },
    Link(PathBuf),
}

impl Tree {
    /// `leave_out` are paths such as agent.toml itself and files with secrets.
    pub(crate) fn new(root: &Path, paths: &[String], leave_out: &[PathBuf]) -> Self {
        let absolute = |path: &PathBuf| plain(&root.join(path));
        Self {
            root: root.to_owned(),
            paths: paths.to_vec(),
            leave_out: leave_out.iter().map(absolute).collect(),
        }
    }

    /// The hash of every path, kind, executable bit and byte; nothing else decides it.
    pub(crate) fn identity(&self) -> Result<Identity> {
        let mut hash = Sha256::new();
        for entry in self.entries()? {
            entry.digest_into(&self.root, &mut hash)?;
        }
        Ok(Identity::from_digest(&hash.finalize()))
    }

    /// # Errors
    /// Where it could not be part of a release, whatever is in its files.
    pub(crate) fn is_there(&self) -> Result<()> {
        self.entries().map(drop)
    }

    /// Keeps a copy; the answer is the identity of what was copied, even if someone edits the
    /// files meanwhile.
    pub(crate) fn keep(&self, dir: &StateDir) -> Result<Identity> {
        let copy = dir
            .all_files()
            .join(format!("incoming.{}", std::process::id()));
        remove(&copy)?;
        fs::create_dir_all(&copy).with_context(|| format!("could not make {}", copy.display()))?;
        for entry in self.entries()? {
            entry.copy(&self.root, &copy)?;
        }
        let identity = Self::new(&copy, &[".".to_owned()], &[]).identity()?;
        let place = dir.files(&identity);
        match place.exists() {
            true => remove(&copy)?,
            false => fs::rename(&copy, &place)
                .with_context(|| format!("could not keep the files in {}", place.display()))?,
        }
        Ok(identity)
    }

    /// Sorted, each once.
    fn entries(&self) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        let mut bytes = 0;
        for path in &self.paths {
            let start = plain(Path::new(path));
            if !self.root.join(&start).exists() {
                return Err(advice(
                    format!("{path} does not exist beside agent.toml"),
                    "name in run.files what the agent needs; build it first if it is built",
                ));
            }
            self.parents(&start, &mut found);
            self.walk(&start, &mut found, &mut bytes)?;
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn parents(&self, start: &Path, found: &mut Vec<Entry>) {
        let folders = start.ancestors().skip(1);
        found.extend(
            folders
                .filter(|path| !path.as_os_str().is_empty())
                .map(Entry::folder),
        );
    }

    fn walk(&self, path: &Path, found: &mut Vec<Entry>, bytes: &mut u64) -> Result<()> {
        let full = opened(plain(&self.root.join(path)));
        if self.leave_out.contains(&full) || left_out(path) {
            return Ok(());
        }
        let entry = Entry::look(path, &full)?;
        let is_folder = entry.kind == Kind::Folder;
        if let Kind::File { bytes: size, .. } = entry.kind {
            *bytes += size;
        }
        if *bytes > MOST_BYTES || found.len() > MOST_FILES {
            return Err(self.too_large());
        }
        if !path.as_os_str().is_empty() {
            found.push(entry);
        }
        if is_folder {
            for child in fs::read_dir(&full).with_context(|| unreadable(&full))? {
                self.walk(&path.join(child?.file_name()), found, bytes)?;
            }
        }
        Ok(())
    }

    fn too_large(&self) -> anyhow::Error {
        advice(
            format!(
                "the files below {} are more than 1 GiB, or more than {MOST_FILES}",
                self.root.display()
            ),
            "name just what the agent needs in run.files",
        )
    }
}

impl Entry {
    fn folder(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            kind: Kind::Folder,
        }
    }

    fn look(path: &Path, full: &Path) -> Result<Self> {
        let meta = fs::symlink_metadata(full).with_context(|| unreadable(full))?;
        let kind = if meta.is_dir() {
            Kind::Folder
        } else if meta.is_symlink() {
            Kind::Link(fs::read_link(full).with_context(|| unreadable(full))?)
        } else if meta.is_file() {
            Kind::File {
                executable: meta.permissions().mode() & 0o111 != 0,
                bytes: meta.len(),
            }
        } else {
            bail!("{} is neither a file, a folder nor a link", full.display());
        };
        Ok(Self {
            path: path.to_owned(),
            kind,
        })
    }

    fn digest_into(&self, root: &Path, hash: &mut Sha256) -> Result<()> {
        let path = self.path.as_os_str().as_encoded_bytes();
        hash.update((path.len() as u64).to_le_bytes());
        hash.update(path);
        match &self.kind {
            Kind::Folder => hash.update(b"d"),
            Kind::Link(to) => {
                hash.update(b"l");
                hash.update(Sha256::digest(to.as_os_str().as_encoded_bytes()));
            }
            Kind::File { executable, .. } => {
                hash.update(if *executable { b"x" } else { b"f" });
                hash.update(digest_file(&root.join(&self.path))?);
            }
        }
        Ok(())
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let (source, copy) = (from.join(&self.path), to.join(&self.path));
        match &self.kind {
            Kind::Folder => fs::create_dir_all(&copy),
            Kind::Link(target) => symlink(target, &copy),
            Kind::File { .. } => fs::copy(&source, &copy).and_then(|_| sync(&copy)),
        }
        .advise(
            format!("could not copy {}", source.display()),
            "files that belong to a release must be readable; name others in run.files",
        )
    }
}

/// A copy that a power cut halved would be taken for the release for ever.
fn sync(path: &Path) -> std::io::Result<()> {
    fs::File::open(path)?.sync_all()
}

fn digest_file(path: &Path) -> Result<Vec<u8>> {
    let mut file = fs::File::open(path).with_context(|| unreadable(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).with_context(|| unreadable(path))? {
            0 => return Ok(hash.finalize().to_vec()),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn left_out(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| LEFT_OUT.iter().any(|left| name == *left))
}

fn unreadable(path: &Path) -> String {
    format!("could not read {}", path.display())
}

impl StateDir {
    /// Removes every copy but these.
    pub(crate) fn keep_only(&self, kept: &[&Artifact]) -> Result<()> {
        let kept: Vec<PathBuf> = kept
            .iter()
            .filter_map(|artifact| match artifact {
                Artifact::Files(identity) => Some(self.files(identity)),
                Artifact::Image(_) => None,
            })
            .collect();
        let folder = self.all_files();
        for entry in fs::read_dir(&folder).with_context(|| unreadable(&folder))? {
            let path = entry?.path();
            if !kept.contains(&path) {
                remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Without `.` in it.
fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}

/// What a plain path is opened as: the folder that agentctl runs in has no name in it.
fn opened(path: PathBuf) -> PathBuf {
    match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path,
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(root: &Path) -> Tree {
        Tree::new(root, &[".".to_owned()], &[PathBuf::from("agent.toml")])
    }

    fn sample() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("app.py"), "print(1)").unwrap();
        fs::write(dir.path().join("agent.toml"), "x").unwrap();
        fs::create_dir_all(dir.path().join("lib/__pycache__")).unwrap();
        fs::write(dir.path().join("lib/a.py"), "a").unwrap();
        symlink("a.py", dir.path().join("lib/b.py")).unwrap();
        dir
    }

    #[test]
    fn the_same_tree_elsewhere_is_the_same_release() {
        assert_eq!(
            tree(sample().path()).identity().unwrap(),
            tree(sample().path()).identity().unwrap()
        );
    }

    #[test]
    fn every_edit_that_counts_changes_the_identity() {
        type Edit = fn(&Path);
        let edits: [(&str, Edit, bool); 7] = [
            (
                "content",
                |p| fs::write(p.join("app.py"), "print(2)").unwrap(),
                true,
            ),
            (
                "a new file",
                |p| fs::write(p.join("new"), "").unwrap(),
                true,
            ),
            (
                "an empty folder",
                |p| fs::create_dir(p.join("new")).unwrap(),
                true,
            ),
            (
                "a link",
                |p| {
                    fs::remove_file(p.join("lib/b.py")).unwrap();
                    symlink("c.py", p.join("lib/b.py")).unwrap();
                },
                true,
            ),
            (
                "executable",
                |p| {
                    fs::set_permissions(p.join("app.py"), PermissionsExt::from_mode(0o755))
                        .unwrap();
                },
                true,
            ),
            (
                "agent.toml itself",
                |p| fs::write(p.join("agent.toml"), "y").unwrap(),
                false,
            ),
            (
                "a cache",
                |p| fs::write(p.join("lib/__pycache__/a.pyc"), "y").unwrap(),
                false,
            ),
        ];
        for (what, edit, counts) in edits {
            let dir = sample();
            let before = tree(dir.path()).identity().unwrap();
            edit(dir.path());
            let changed = before != tree(dir.path()).identity().unwrap();
            assert_eq!(changed, counts, "{what}");
        }
    }

    #[test]
    fn the_copy_has_the_identity_of_the_tree() {
        let (dir, state) = (sample(), tempfile::tempdir().unwrap());
        let root = state.path().display().to_string();
        let place = StateDir::of(&move |_| Some(root.clone()), "bot", None).unwrap();
        let identity = tree(dir.path()).keep(&place).unwrap();
        assert_eq!(identity, tree(dir.path()).identity().unwrap());
        assert!(place.files(&identity).join("lib/b.py").is_symlink());
        assert!(!place.files(&identity).join("agent.toml").exists());
        assert_eq!(tree(dir.path()).keep(&place).unwrap(), identity);
    }

    #[test]
    fn the_folder_that_agentctl_runs_in_has_no_name() {
        let here = Tree::new(
            Path::new("."),
            &[".".to_owned()],
            &[PathBuf::from("target")],
        );
        let there = Tree::new(
            &std::env::current_dir().unwrap(),
            &[".".to_owned()],
            &[PathBuf::from("target")],
        );
        assert_eq!(here.entries().unwrap(), there.entries().unwrap());
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let dir = sample();
        let missing = Tree::new(dir.path(), &["target/agent".to_owned()], &[]);
        let message = missing.identity().unwrap_err().to_string();
        assert_eq!(message, "target/agent does not exist beside agent.toml");
    }
}
