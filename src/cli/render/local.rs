//! What of a folder its dependencies are installed from: wheels, archives and packages that
//! requirements.txt and package.json name by their path.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::cli::manifests;

const REQUIREMENTS: &str = "requirements.txt";
/// Each is followed by a path.
const OPTIONS: [&str; 8] = [
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-e",
    "--editable",
    "-f",
    "--find-links",
];
const ARCHIVES: [&str; 3] = [".whl", ".tar.gz", ".zip"];

/// Of these entries; `.` where the folder itself is installed.
pub(super) fn entries(folder: &Path, all: &BTreeSet<String>) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    python(folder, REQUIREMENTS, &mut paths);
    node(&manifests::node(folder), &mut paths);
    let first = paths.iter().map(|path| first(path));
    first
        .filter(|name| *name == "." || all.contains(*name))
        .map(str::to_owned)
        .collect()
}

/// The entry that a path leads through.
fn first(path: &str) -> &str {
    let mut parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.next().unwrap_or(".")
}

/// A file of requirements may name others, by their path from its own folder.
fn python(folder: &Path, file: &str, paths: &mut BTreeSet<String>) {
    let text = manifests::text(folder, file).unwrap_or_default();
    for line in text.lines() {
        match requirement(line) {
            Some(("-r" | "--requirement" | "-c" | "--constraint", other)) => {
                let below = file.rsplit_once('/').map(|(below, _)| below);
                let path =
                    below.map_or_else(|| other.to_owned(), |below| format!("{below}/{other}"));
                if paths.insert(path.clone()) {
                    python(folder, &path, paths);
                }
            }
            Some((_, path)) => drop(paths.insert(path.to_owned())),
            None => (),
        }
    }
}

/// The option and the path, or no option and a path; `None` for what an index has.
fn requirement(line: &str) -> Option<(&str, &str)> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let (word, rest) = line.split_once([' ', '=']).unwrap_or((line, ""));
    if OPTIONS.contains(&word) {
        return Some((word, bare(rest.trim())));
    }
    let named = line
        .split_once(" @ ")
        .map_or(line, |(_, place)| place.trim());
    let path = bare(named);
    let path = path.strip_prefix("file:").unwrap_or(path);
    let is_path =
        path == "." || path.contains('/') || ARCHIVES.iter().any(|end| path.ends_with(end));
    (is_path && !path.starts_with('#')).then_some(("", path))
}

/// Without extras and markers.
fn bare(path: &str) -> &str {
    path.split([';', '[', ' ']).next().unwrap_or_default()
}

fn node(manifest: &Value, paths: &mut BTreeSet<String>) {
    let kinds = ["dependencies", "devDependencies", "optionalDependencies"];
    let named = kinds.iter().filter_map(|kind| manifest[kind].as_object());
    let places = named
        .flat_map(|named| named.values())
        .filter_map(Value::as_str);
    let prefixes = ["file:", "link:"];
    let local = places.filter_map(|place| {
        prefixes
            .iter()
            .find_map(|prefix| place.strip_prefix(prefix))
    });
    let workspaces = &manifest["workspaces"];
    let workspaces = workspaces.as_array().or(workspaces["packages"].as_array());
    let workspaces = workspaces.into_iter().flatten().filter_map(Value::as_str);
    paths.extend(local.chain(workspaces).map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is found of a folder in which each of these names is.
    fn found(files: &[(&str, &str)], names: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        entries(folder.path(), &names).into_iter().collect()
    }

    #[test]
    fn requirements_name_files_and_folders() {
        let cases: [(&str, &[&str]); 11] = [
            ("numpy==2 # wheels/x.whl\nwheels\n# ./wheels", &[]),
            ("./wheels/x.whl", &["wheels"]),
            (
                "x-1.0-py3-none-any.whl ; python_version > '3'",
                &["x-1.0-py3-none-any.whl"],
            ),
            ("--no-index\n--find-links wheels\nx", &["wheels"]),
            ("--find-links=./wheels/", &["wheels"]),
            ("-f https://example.com/wheels", &[]),
            ("-e ./lib[extra]", &["lib"]),
            ("x @ file:./lib/x.tar.gz", &["lib"]),
            ("git+https://example.com/x.git", &[]),
            (".", &["."]),
            ("../lib", &[]),
        ];
        let names = ["wheels", "lib", "numpy", "x-1.0-py3-none-any.whl"];
        for (text, wanted) in cases {
            assert_eq!(
                found(&[("requirements.txt", text)], &names),
                wanted,
                "{text}"
            );
        }
    }

    #[test]
    fn requirements_name_further_ones() {
        let files = [
            ("requirements.txt", "-r requirements/base.txt"),
            ("requirements/base.txt", "-c more.txt\n./wheels/x.whl"),
            ("requirements/more.txt", "-r base.txt"),
        ];
        assert_eq!(
            found(&files, &["requirements", "wheels"]),
            ["requirements", "wheels"]
        );
    }

    #[test]
    fn packages_name_archives_folders_and_workspaces() {
        let text = r#"{"dependencies": {"a": "file:a-1.tgz", "b": "^1"},
            "devDependencies": {"c": "link:./lib/c"}, "workspaces": ["packages/*"]}"#;
        let names = ["a-1.tgz", "b", "lib", "packages"];
        assert_eq!(
            found(&[("package.json", text)], &names),
            ["a-1.tgz", "lib", "packages"]
        );
    }
}
