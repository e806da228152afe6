//! What git knows of the folder that is built from.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, anyhow};

/// As many digits as stay unique in any repository that people work in.
const SHORT: usize = 12;

/// Whatever a person has set: a file that git does not know is in the image too.
const NEW_FILES: &str = "--untracked-files=normal";

/// Where CI says which branch it took a detached commit from.
const BRANCHES: [&str; 9] = [
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "BRANCH_NAME",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "BITBUCKET_BRANCH",
    "DRONE_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The whole hash.
    pub(crate) hash: String,
    pub(crate) branch: Option<String>,
    /// Below the folder something differs from the commit.
    pub(crate) is_dirty: bool,
    /// RFC 3339.
    pub(crate) date: String,
    /// Without credentials.
    pub(crate) origin: Option<String>,
}

impl Commit {
    /// `None`: there is no git, no repository, or no commit in it.
    pub(crate) fn of(
        folder: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        let args = ["status", "--porcelain=v2", "--branch", NEW_FILES, "--", "."];
        let Some(status) = git(folder, args)? else {
            return Ok(None);
        };
        let header = |name: &str| {
            let prefix = format!("# branch.{name} ");
            let found = status.lines().find_map(|line| line.strip_prefix(&prefix));
            found
                .filter(|value| !value.starts_with('('))
                .map(str::to_owned)
        };
        let Some(hash) = header("oid") else {
            return Ok(None);
        };
        let date = git(folder, ["log", "-1", "--format=%cI"])?;
        let origin = git(
            folder,
            ["config", "--default", "", "--get", "remote.origin.url"],
        )?;
        let of_ci = || {
            BRANCHES
                .iter()
                .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        };
        Ok(Some(Self {
            hash,
            branch: header("head").or_else(of_ci),
            is_dirty: status.lines().any(|line| !line.starts_with('#')),
            date: date.unwrap_or_default().trim().to_owned(),
            origin: origin
                .map(|url| without_credentials(url.trim()))
                .filter(|url| !url.is_empty()),
        }))
    }

    /// Marks it as dirty where one of these files, which say how is built, differs from the commit.
    pub(crate) fn with(mut self, folder: &Path, files: [&str; 2]) -> Result<Self> {
        let [one, other] = files;
        let args = ["status", "--porcelain", NEW_FILES, "--", one, other];
        let status = git(folder, args)?;
        self.is_dirty |= status.is_some_and(|status| !status.trim().is_empty());
        Ok(self)
    }

    pub(crate) fn short(&self) -> &str {
        self.hash.get(..SHORT).unwrap_or(&self.hash)
    }
}

/// What it wrote; a repository's own settings start no programs.
fn git<const N: usize>(folder: &Path, args: [&str; N]) -> Result<Option<String>> {
    let ran = Command::new("git")
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"])
        .args([folder.as_os_str()])
        .args(args.map(OsStr::new))
        .env("LC_ALL", "C")
        .output();
    let output = match ran {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        ran => ran.context("could not run git")?,
    };
    match output.status.success() {
        true => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
        false => refused(&output, folder),
    }
}

fn refused(output: &Output, folder: &Path) -> Result<Option<String>> {
    let said = String::from_utf8_lossy(&output.stderr);
    match said.contains("not a git repository") {
        true => Ok(None),
        false => Err(anyhow!("{}", said.trim()))
            .with_context(|| format!("git could not look at {}", folder.display())),
    }
}

fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    // A token may stand behind the path as well.
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn run(folder: &Path, args: &str) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let mut command = Command::new("git");
        let output = command
            .current_dir(folder)
            .args(identity)
            .args(args.split(' '))
            .output();
        assert!(output.as_ref().unwrap().status.success(), "{output:?}");
    }

    fn look(folder: &Path) -> Option<Commit> {
        Commit::of(folder, &|name| {
            (name == "CI_COMMIT_REF_NAME").then(|| "ci".to_owned())
        })
        .unwrap()
    }

    #[test]
    fn a_folder_is_described_by_its_commit() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look(dir.path()), None);
        run(dir.path(), "init -q -b feature/x");
        assert_eq!(look(dir.path()), None);
        std::fs::create_dir(dir.path().join("agent")).unwrap();
        std::fs::write(dir.path().join("agent/a"), "1").unwrap();
        run(dir.path(), "add .");
        run(dir.path(), "commit -q -m a");
        run(
            dir.path(),
            "remote add origin https://u:p@example.com/a.git",
        );
        let commit = look(dir.path()).unwrap();
        assert_eq!((commit.short().len(), commit.is_dirty), (12, false));
        assert_eq!(commit.branch.as_deref(), Some("feature/x"));
        assert_eq!(commit.origin.as_deref(), Some("https://example.com/a.git"));
        assert!(
            commit.date.parse::<jiff::Timestamp>().is_ok(),
            "{}",
            commit.date
        );

        std::fs::write(dir.path().join("beside"), "1").unwrap();
        assert!(look(dir.path()).unwrap().is_dirty);
        let agent = look(&dir.path().join("agent")).unwrap();
        assert!(!agent.is_dirty);
        assert!(agent.with(dir.path(), ["a", "beside"]).unwrap().is_dirty);
        run(dir.path(), "config status.showUntrackedFiles no");
        assert!(look(dir.path()).unwrap().is_dirty);
        run(dir.path(), "checkout -q --detach");
        assert_eq!(look(dir.path()).unwrap().branch.as_deref(), Some("ci"));
    }

    #[test]
    fn a_place_is_told_without_its_password() {
        let cases = [
            ("https://u:p@a.io/x.git", "https://a.io/x.git"),
            ("https://token@a.io", "https://a.io"),
            ("https://a.io/x@y", "https://a.io/x@y"),
            ("https://u:p@a.io/x?token=t#u", "https://a.io/x"),
            ("git@a.io:x.git", "git@a.io:x.git"),
        ];
        for (url, clean) in cases {
            assert_eq!(without_credentials(url), clean);
        }
    }
}
