//! What a linter found, and what is known of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::repository;

#[derive(Debug)]
pub(super) struct Finding {
    rule: String,
    /// Below the folder that was looked through.
    file: String,
    #[expect(dead_code, reason = "shown where a test fails")]
    says: String,
}

/// A line of `lints.txt`: tool, rule, files, and the reason.
#[derive(Debug)]
pub(super) struct Known {
    rule: String,
    /// With `*` for anything.
    files: String,
}

impl Known {
    pub(super) fn read(tool: &str) -> Vec<Self> {
        let text = fs::read_to_string(repository().join("tests/lints.txt")).unwrap();
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut known = Vec::new();
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(words.len() > 4, "a reason is missing: {line}");
            if words[0] == tool {
                let [rule, files] = [words[1], words[2]].map(str::to_owned);
                known.push(Self { rule, files });
            }
        }
        known
    }

    pub(super) fn covers(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && matches(&self.files, &finding.file)
    }
}

fn matches(pattern: &str, file: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == file;
    };
    let Some(left) = file.strip_prefix(start) else {
        return false;
    };
    (0..=left.len()).any(|at| left.is_char_boundary(at) && matches(rest, &left[at..]))
}

#[test]
fn patterns() {
    let file = "chat-bot/kubernetes/deployment.yaml";
    for pattern in [file, "*", "*.yaml", "chat-bot/*", "chat-*/*/dep*"] {
        assert!(matches(pattern, file), "{pattern}");
    }
    for pattern in ["", "*.yml", "chat", "*/deployment"] {
        assert!(!matches(pattern, file), "{pattern}");
    }
}

pub(super) fn hadolint(tool: &Path, folder: &Path) -> Vec<Finding> {
    let files = files(folder).into_iter();
    let ran = Command::new(tool)
        .args(["--no-fail", "--format", "json"])
        .args(files.filter(|file| file.ends_with("Dockerfile")))
        .output()
        .unwrap();
    let found: Vec<Value> = serde_json::from_slice(&ran.stdout).unwrap();
    let below = |file: &str| {
        let path = Path::new(file).strip_prefix(folder).unwrap();
        path.display().to_string()
    };
    let one = |one: &Value| Finding {
        rule: text(&one["code"]),
        file: below(one["file"].as_str().unwrap()),
        says: format!("line {}: {}", one["line"], text(&one["message"])),
    };
    found.iter().map(one).collect()
}

/// All files below a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    };
    paths.flat_map(below).collect()
}

/// One run over all files: it takes seconds to start.
pub(super) fn checkov(tool: &Path, folder: &Path) -> Vec<Finding> {
    let ran = Command::new(tool)
        .args([
            "--directory",
            ".",
            "--quiet",
            "--compact",
            "--skip-download",
        ])
        .args(["--soft-fail", "--output", "json", "--framework"])
        .args(["dockerfile", "kubernetes", "github_actions", "gitlab_ci"])
        .current_dir(folder)
        // Where GitHub looks for pipelines is hidden.
        .env("CKV_IGNORE_HIDDEN_DIRECTORIES", "false")
        .env("LOG_LEVEL", "ERROR")
        .env_remove("BC_API_KEY")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    let reports: Vec<Value> = match serde_json::from_slice(&ran.stdout) {
        Ok(Value::Array(reports)) => reports,
        Ok(report) => vec![report],
        Err(why) => panic!("{why}\n{told}"),
    };
    assert!(
        reports
            .iter()
            .all(|report| report["summary"]["parsing_errors"] == 0),
        "{reports:#?}"
    );
    let failed = |report: &Value| report["results"]["failed_checks"].as_array().cloned();
    let failed = reports.iter().filter_map(failed).flatten();
    let one = |one: Value| Finding {
        rule: text(&one["check_id"]),
        file: below(&text(&one["file_path"]), folder),
        says: format!("{}: {}", text(&one["resource"]), text(&one["check_name"])),
    };
    failed.map(one).collect()
}

/// Some of its checks name files from the folder around, or from the root.
fn below(file: &str, folder: &Path) -> String {
    let folder = format!("{}/", folder.display());
    let file = file.strip_prefix(&folder).unwrap_or(file);
    file.trim_start_matches('/').to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
