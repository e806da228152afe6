//! `node_modules/NAME/package.json`.

use serde_json::Value;

use super::package::{Kind, Licence, Package};

/// Files of that name deeper inside a package tell of no package.
pub(super) fn is_package(path: &str) -> bool {
    let Some(folder) = path.strip_suffix("/package.json") else {
        return false;
    };
    let mut parts = folder.rsplit('/').skip(1);
    match parts.next() {
        Some("node_modules") => true,
        Some(scope) => scope.starts_with('@') && parts.next() == Some("node_modules"),
        None => false,
    }
}

/// Some packages carry files of that name that are no JSON, for their own tests.
pub(super) fn package(text: &str) -> Option<Package> {
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let field = |name: &str| json.get(name)?.as_str().map(str::to_owned);
    let old = || {
        json.get("license")?
            .get("type")?
            .as_str()
            .map(str::to_owned)
    };
    Some(Package {
        kind: Kind::Npm,
        name: field("name")?,
        version: field("version")?,
        arch: None,
        licence: field("license").or_else(old).map(Licence::Name),
    })
}
