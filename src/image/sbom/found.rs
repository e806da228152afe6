//! What the files of an image tell, and what is left of it once all layers lie on each other.

use std::collections::BTreeMap;

use super::package::{Os, Package};
use super::{alpine, debian, node, package, python};

/// By the file that tells of it.
pub(super) type Files = BTreeMap<String, Finding>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Os(Os),
    Packages(Vec<Package>),
}

/// What one layer adds, and what it takes away from those below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) files: Files,
    /// Files, or folders with all that is in them.
    pub(super) removed: Vec<String>,
    /// Folders whose contents are removed, and which stay.
    pub(super) emptied: Vec<String>,
}

/// By URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Packages {
    pub(super) os: Option<Os>,
    pub(super) by_url: BTreeMap<String, Package>,
}

enum Source {
    Os,
    Debian,
    Alpine,
    Python,
    Node,
}

/// Where packages are listed, whoever owns the folder above.
fn source(path: &str) -> Option<Source> {
    let name = path.rsplit('/').next()?;
    let one_of_debian = path
        .strip_prefix("var/lib/dpkg/status.d/")
        .is_some_and(|name| !name.ends_with(".md5sums"));
    match (path, name) {
        ("etc/os-release" | "usr/lib/os-release", _) => Some(Source::Os),
        ("var/lib/dpkg/status", _) => Some(Source::Debian),
        _ if one_of_debian => Some(Source::Debian),
        ("lib/apk/db/installed" | "usr/lib/apk/db/installed", _) => Some(Source::Alpine),
        (_, "METADATA") if path.ends_with(".dist-info/METADATA") => Some(Source::Python),
        (_, "PKG-INFO") if path.ends_with(".egg-info/PKG-INFO") => Some(Source::Python),
        (_, name) if name.ends_with(".egg-info") => Some(Source::Python),
        _ if node::is_package(path) => Some(Source::Node),
        _ => None,
    }
}

pub(super) fn tells(path: &str) -> bool {
    source(path).is_some()
}

pub(super) fn finding(path: &str, text: &str) -> Option<Finding> {
    let packages = match source(path)? {
        Source::Os => return package::os(text).map(Finding::Os),
        Source::Debian => debian::packages(text),
        Source::Alpine => alpine::packages(text),
        Source::Python => python::package(text).into_iter().collect(),
        Source::Node => node::package(text).into_iter().collect(),
    };
    Some(Finding::Packages(packages))
}

/// The layers from the lowest to the highest.
pub(super) fn together<'l>(layers: impl IntoIterator<Item = &'l Layer>) -> Packages {
    let mut files = Files::new();
    for layer in layers {
        files.retain(|path, _| !layer.hides(path));
        files.extend(layer.files.clone());
    }
    let os = files.values().find_map(|found| match found {
        Finding::Os(os) => Some(os.clone()),
        Finding::Packages(_) => None,
    });
    let packages = files.into_values().flat_map(|found| match found {
        Finding::Os(_) => Vec::new(),
        Finding::Packages(packages) => packages,
    });
    Packages {
        by_url: packages.map(|one| (one.url(os.as_ref()), one)).collect(),
        os,
    }
}

impl Layer {
    fn hides(&self, path: &str) -> bool {
        let below = |folder: &String| {
            let rest = path.strip_prefix(folder.as_str());
            rest.is_some_and(|rest| folder.is_empty() || rest.starts_with('/'))
        };
        let removed = |gone: &String| path == gone || below(gone);
        self.removed.iter().any(removed) || self.emptied.iter().any(below)
    }
}
