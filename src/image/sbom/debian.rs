//! dpkg's list: `var/lib/dpkg/status`, or one file for each package in images without dpkg.

use super::package::{Kind, Package};

pub(super) fn packages(text: &str) -> Vec<Package> {
    let stanzas = text.split("\n\n");
    stanzas.filter_map(package).collect()
}

fn package(stanza: &str) -> Option<Package> {
    let field = |name: &str| {
        let mut lines = stanza.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned())
    };
    // Removed packages stay in the list for their settings.
    let installed = field("Status").is_none_or(|status| status.ends_with(" installed"));
    let package = Package {
        kind: Kind::Deb,
        name: field("Package")?,
        version: field("Version")?,
        arch: field("Architecture"),
        licence: None,
    };
    installed.then_some(package)
}
