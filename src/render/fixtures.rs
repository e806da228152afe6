//! What tests of rendering share: an agent.toml as text becomes what rendering knows.

use std::collections::BTreeMap;

use super::{BuildFolder, Input, Stack, Templates, Traffic};
use crate::spec::{Loaded, Spec};

#[track_caller]
pub(super) fn load(text: &str, environment: Option<&str>) -> Loaded {
    let loaded = Spec::load(text, "agent.toml", environment, &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

#[track_caller]
pub(super) fn input(text: &str) -> Input {
    input_in(text, None)
}

#[track_caller]
pub(super) fn input_in(text: &str, environment: Option<&str>) -> Input {
    let loaded = load(text, environment);
    Input {
        spec: loaded.spec,
        target: loaded.target,
        environment: loaded.environment,
        image: "bot:1".to_owned(),
        folder: BuildFolder::default(),
        prompts: BTreeMap::new(),
        release: None,
        secret_values: None,
        traffic: Traffic::default(),
        stack: Stack::default(),
    }
}

/// With these names in the folder that is built from.
pub(super) fn holding(entries: &[&str]) -> BuildFolder {
    BuildFolder {
        entries: entries.iter().map(|name| (*name).to_owned()).collect(),
        ..BuildFolder::default()
    }
}

pub(super) fn templates() -> Templates {
    Templates::new(BTreeMap::new())
}
