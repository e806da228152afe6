//! Values of secrets that whoever asks judges and sources has: those that the last deploy kept, and
//! what agent.toml names since then.

use anyhow::Result;

use super::site::{Project, variable};
use crate::target::secrets::{self, Values};

/// # Errors
/// Where one that is wanted was not kept, and is not here either.
pub(crate) fn values<'n>(
    project: &Project,
    wanted: impl Iterator<Item = &'n String>,
    kept: Values,
) -> Result<Values> {
    let spec = &project.loaded.spec;
    let missing = wanted.filter(|name| !kept.contains_key(*name));
    let missing = missing.filter_map(|name| Some((name.clone(), spec.secrets.get(name)?.clone())));
    let fetched = secrets::fetch(&missing.collect(), project.folder(), &variable)?;
    Ok(kept.into_iter().chain(fetched).collect())
}
