//! What is rendered, before it is written anywhere.

use std::collections::BTreeMap;

/// Files in memory, by their path below the folder that they are written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(BTreeMap<String, String>);

impl Files {
    pub(crate) fn add(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.0.insert(path.into(), text.into());
    }

    pub(crate) fn one(path: impl Into<String>, text: impl Into<String>) -> Self {
        let mut files = Self::default();
        files.add(path, text);
        files
    }

    pub(crate) fn extend(&mut self, below: &str, more: Self) {
        for (path, text) in more.0 {
            self.add(format!("{below}{path}"), text);
        }
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(text) = self.0.remove(from) {
            self.add(to, text);
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.0.iter();
        files.map(|(path, text)| (path.as_str(), text.as_str()))
    }
}
