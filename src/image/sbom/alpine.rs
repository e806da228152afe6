//! apk's list: `lib/apk/db/installed`, a letter for each field.

use super::package::{Kind, Licence, Package};

pub(super) fn packages(text: &str) -> Vec<Package> {
    let stanzas = text.split("\n\n");
    stanzas.filter_map(package).collect()
}

fn package(stanza: &str) -> Option<Package> {
    let field = |letter: &str| {
        let mut lines = stanza.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(key, _)| *key == letter)?;
        Some(value.to_owned())
    };
    Some(Package {
        kind: Kind::Apk,
        name: field("P")?,
        version: field("V")?,
        arch: field("A"),
        licence: field("L")
            .filter(|text| !text.is_empty())
            .map(Licence::Name),
    })
}
