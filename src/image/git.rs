//! What git knows of the folder that is built from.

use std::ffi::OsStr;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// As many digits as stay unique in any repository that people work in.
const SHORT: usize = 12;

/// Whatever a person has set: a file that git does not know is in the image too.
const NEW_FILES: &str = "--untracked-files=normal";

/// What a hook of git has set for its own repository: it would be looked at instead of the folder's.
const OF_ANOTHER: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

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
    /// Without credentials.
    pub(crate) origin: Option<String>,
}

/// Why git tells nothing of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    NoGit,
    /// There is no repository, or no commit in it.
    NoCommit,
    /// It is somebody else's, say; what git said, and what helps.
    Refused {
        folder: PathBuf,
        said: String,
        hint: String,
    },
}

impl Commit {
    pub(crate) fn of(
        folder: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Unknown> {
        let args = ["status", "--porcelain=v2", "--branch", NEW_FILES, "--", "."];
        let status = git(folder, args)?;
        let header = |name: &str| {
            let prefix = format!("# branch.{name} ");
            let found = status.lines().find_map(|line| line.strip_prefix(&prefix));
            found
                .filter(|value| !value.starts_with('('))
                .map(str::to_owned)
        };
        let hash = header("oid").ok_or(Unknown::NoCommit)?;
        let origin = git(
            folder,
            ["config", "--default", "", "--get", "remote.origin.url"],
        )?;
        let of_ci = || {
            BRANCHES
                .iter()
                .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        };
        Ok(Self {
            hash,
            branch: header("head").or_else(of_ci),
            is_dirty: status.lines().any(|line| !line.starts_with('#')),
            origin: Some(without_credentials(origin.trim())).filter(|url| !url.is_empty()),
        })
    }

    /// Marks it as dirty where one of these files, which say how is built, differs from the commit.
    pub(crate) fn with(mut self, folder: &Path, files: [&str; 2]) -> Result<Self, Unknown> {
        let [one, other] = files;
        let args = ["status", "--porcelain", NEW_FILES, "--", one, other];
        self.is_dirty |= match git(folder, args) {
            Err(Unknown::NoCommit) => false,
            status => !status?.trim().is_empty(),
        };
        Ok(self)
    }

    pub(crate) fn short(&self) -> &str {
        self.hash.get(..SHORT).unwrap_or(&self.hash)
    }
}

/// What git leaves out by its `.gitignore`, below the folder: files, and whole folders with a `/` at
/// the end. What git does not tell is nothing.
pub(crate) fn ignored(folder: &Path) -> Vec<String> {
    let args = [
        "ls-files",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--directory",
        "-z",
    ];
    let listed = git(folder, args).unwrap_or_default();
    let paths = listed.split('\0').filter(|path| !path.is_empty());
    paths.map(str::to_owned).collect()
}

/// What it wrote; a repository's own settings start no programs.
fn git<const N: usize>(folder: &Path, args: [&str; N]) -> Result<String, Unknown> {
    let mut command = Command::new("git");
    for name in OF_ANOTHER {
        command.env_remove(name);
    }
    let ran = command
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"])
        .args([folder.as_os_str()])
        .args(args.map(OsStr::new))
        .env("LC_ALL", "C")
        .output();
    match ran {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Unknown::NoGit),
        Err(error) => Err(refused(folder, &error.to_string())),
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Err(failed(folder, &output)),
    }
}

fn failed(folder: &Path, output: &Output) -> Unknown {
    let said = String::from_utf8_lossy(&output.stderr);
    match said.contains("not a git repository") {
        true => Unknown::NoCommit,
        false => refused(folder, &said),
    }
}

/// Of a repository that is somebody else's git itself says what to type.
fn refused(folder: &Path, said: &str) -> Unknown {
    let mut lines = said.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let advised = lines.find(|line| line.starts_with("git config --global --add safe.directory"));
    let see = || format!("see what it says: git -C {} status", folder.display());
    Unknown::Refused {
        folder: folder.to_owned(),
        said: first.trim_start_matches("fatal: ").to_owned(),
        hint: advised.map_or_else(see, str::to_owned),
    }
}

impl Unknown {
    pub(crate) fn hint(&self) -> &str {
        match self {
            Self::NoGit => "there is no git on PATH: install it, or take it out of image.tags",
            Self::NoCommit => {
                "the folder has no git commit: make one, or take it out of image.tags"
            }
            Self::Refused { hint, .. } => hint,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGit => f.write_str("there is no git on PATH"),
            Self::NoCommit => f.write_str("there is no git commit"),
            Self::Refused { folder, said, .. } => {
                write!(f, "git could not look at {}: {said}", folder.display())
            }
        }
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

    fn look(folder: &Path) -> Result<Commit, Unknown> {
        Commit::of(folder, &|name| {
            (name == "CI_COMMIT_REF_NAME").then(|| "ci".to_owned())
        })
    }

    #[test]
    fn a_folder_is_described_by_its_commit() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look(dir.path()), Err(Unknown::NoCommit));
        run(dir.path(), "init -q -b feature/x");
        assert_eq!(look(dir.path()), Err(Unknown::NoCommit));
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
    fn what_git_ignores_is_listed_below_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), "init -q");
        for folder in ["in/out", "in/src", "beside"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        std::fs::write(dir.path().join(".gitignore"), "out/\n*.log\n").unwrap();
        for file in [
            "in/out/a",
            "in/out/b",
            "in/src/a.log",
            "in/src/a",
            "beside/b.log",
        ] {
            std::fs::write(dir.path().join(file), "1").unwrap();
        }
        run(dir.path(), "add .");
        let mut found = ignored(&dir.path().join("in"));
        found.sort();
        assert_eq!(found, ["out/", "src/a.log"]);
    }

    #[test]
    fn a_repository_of_somebody_else_says_what_to_type() {
        let said = "fatal: detected dubious ownership in repository at '/a'\n\
                    To add an exception for this directory, call:\n\n\
                    \tgit config --global --add safe.directory /a\n";
        let cases = [
            (
                said,
                "git config --global --add safe.directory /a",
                "git could not look at /a/b: detected dubious ownership in repository at '/a'",
            ),
            (
                "fatal: bad object HEAD",
                "see what it says: git -C /a/b status",
                "git could not look at /a/b: bad object HEAD",
            ),
        ];
        for (said, hint, says) in cases {
            let unknown = refused(Path::new("/a/b"), said);
            assert_eq!((unknown.hint(), &*unknown.to_string()), (hint, says));
        }
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
