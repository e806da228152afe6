//! All that an image is built from.

use std::collections::BTreeMap;

/// All that an image is built from, but the files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recipe {
    /// The Dockerfile's text, for the engine that builds it.
    pub(crate) dockerfile: String,
    /// Its path in the context, where it is the agent's own.
    pub(crate) own: Option<String>,
    pub(crate) args: BTreeMap<String, String>,
    /// Names and values that are mounted while it is built.
    pub(crate) secrets: BTreeMap<String, String>,
    /// `linux/amd64`; `None`: the engine's own.
    pub(crate) platform: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Images in registries whose layers may be used again.
    pub(crate) cache_from: Vec<String>,
    /// The image is to say which steps made its layers, so that it can be such an image.
    pub(crate) is_cache: bool,
    /// `repository:tag`, given in one act once everything is done.
    pub(crate) tag: String,
}
