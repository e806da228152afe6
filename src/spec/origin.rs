//! Where each value of the merged file was written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::Source;

/// One value's place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) value: Range<usize>,
    line: usize,
    /// Written in the environment's section.
    overlaid: bool,
}

/// By path: keys joined with dots as TOML writes them, places in a list by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origins {
    file: String,
    environment: Option<String>,
    places: BTreeMap<String, Place>,
}

impl Origins {
    /// `overlaid` holds where the values that came from the environment begin.
    pub(super) fn new(
        source: &Source<'_>,
        environment: Option<&str>,
        table: &DeTable<'_>,
        overlaid: &BTreeSet<usize>,
    ) -> Self {
        let mut places = BTreeMap::new();
        let mut note = |path: String, value: Range<usize>| {
            let line = source.line(value.start);
            let overlaid = overlaid.contains(&value.start);
            places.insert(
                path,
                Place {
                    value,
                    line,
                    overlaid,
                },
            );
        };
        walk_table(table, "", &mut note);
        Self {
            file: source.file.to_owned(),
            environment: environment.map(str::to_owned),
            places,
        }
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// The place of this value, or of the nearest table around it that is written down.
    pub(super) fn span(&self, path: &str) -> Range<usize> {
        match (self.places.get(path), path.rsplit_once('.')) {
            (Some(place), _) => place.value.clone(),
            (None, Some((around, _))) => self.span(around),
            (None, None) => 0..0,
        }
    }

    /// `agent.toml:12`, `environment staging, agent.toml:40` or `default`.
    pub(super) fn describe(&self, path: &str) -> String {
        match (self.places.get(path), &self.environment) {
            (None, _) => "default".to_owned(),
            (Some(place), Some(name)) if place.overlaid => {
                format!("environment {name}, {}:{}", self.file, place.line)
            }
            (Some(place), _) => format!("{}:{}", self.file, place.line),
        }
    }
}

/// Calls `note` with the path and the place of everything in `table`.
fn walk_table(table: &DeTable<'_>, path: &str, note: &mut impl FnMut(String, Range<usize>)) {
    for (key, value) in table {
        walk(value, join(path, key.get_ref()), note);
    }
}

fn walk(value: &Spanned<DeValue<'_>>, path: String, note: &mut impl FnMut(String, Range<usize>)) {
    match value.get_ref() {
        DeValue::Table(table) => walk_table(table, &path, note),
        DeValue::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, format!("{path}.{at}"), note);
            }
        }
        _ => {}
    }
    note(path, value.span());
}

/// Where all that `value` holds begins, itself included.
pub(super) fn starts(value: &Spanned<DeValue<'_>>, into: &mut BTreeSet<usize>) {
    walk(value, String::new(), &mut |_, span| {
        into.insert(span.start);
    });
}

/// The path of `key` inside `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    let key = super::show::key(key);
    match path {
        "" => key,
        path => format!("{path}.{key}"),
    }
}
