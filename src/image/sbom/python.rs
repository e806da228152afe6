//! What pip and its like leave beside each package: `METADATA`, `PKG-INFO`.

use super::package::{Kind, Licence, Package};

/// Some put the whole text of theirs there.
const LONGEST_NAME: usize = 100;

pub(super) fn package(text: &str) -> Option<Package> {
    // What follows the first empty line is a description, and may look like a field.
    let fields = || text.lines().take_while(|line| !line.is_empty());
    let field = |name: &str| {
        let mut pairs = fields().filter_map(|line| line.split_once(':'));
        let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let value = value.trim();
        (!value.is_empty() && value != "UNKNOWN").then(|| value.to_owned())
    };
    let name = field("License").filter(|text| text.len() <= LONGEST_NAME);
    let expression = field("License-Expression").map(Licence::Expression);
    Some(Package {
        kind: Kind::Pypi,
        name: field("Name")?,
        version: field("Version")?,
        arch: None,
        licence: expression.or(name.map(Licence::Name)),
    })
}
