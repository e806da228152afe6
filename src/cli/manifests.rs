//! What the names and manifests in a project's folder tell; nothing where there is none, or none
//! that can be understood.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::image;

/// Names of the files and folders in it.
pub(crate) fn entries(folder: &Path) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("could not look into {}", folder.display()))?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect())
}

pub(crate) fn text(folder: &Path, name: &str) -> Option<String> {
    image::text(&folder.join(name)).ok()
}

/// Cargo.toml, as text and as table.
pub(crate) fn cargo(folder: &Path) -> Option<(String, toml::Table)> {
    let text = text(folder, "Cargo.toml")?;
    let manifest = toml::from_str(&text).ok()?;
    Some((text, manifest))
}

/// `project.name` in pyproject.toml, or Poetry's.
pub(crate) fn python_name(folder: &Path) -> Option<String> {
    let manifest: toml::Table = toml::from_str(&text(folder, "pyproject.toml")?).ok()?;
    let project = manifest.get("project");
    let poetry = || manifest.get("tool")?.get("poetry");
    let name = project.or_else(poetry)?.get("name")?.as_str()?;
    Some(name.to_owned())
}

/// `module` in go.mod.
pub(crate) fn go_module(folder: &Path) -> Option<String> {
    after(&text(folder, "go.mod")?, "module ")
}

/// package.json.
pub(crate) fn node(folder: &Path) -> Value {
    let text = text(folder, "package.json");
    let manifest = text.and_then(|text| serde_json::from_str(&text).ok());
    manifest.unwrap_or_default()
}

/// The rest of the first line that begins so.
pub(crate) fn after(text: &str, start: &str) -> Option<String> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(start))?;
    Some(line.trim().to_owned())
}
