//! An environment laid over the base: tables merge, lists and single values replace.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::origin::starts;

/// Lays `over` on `base` and notes where its values begin.
pub(super) fn lay<'t>(over: DeTable<'t>, base: &mut DeTable<'t>, noted: &mut BTreeSet<usize>) {
    for (key, value) in over {
        // Two sources of one secret exclude each other, so the names merge and the sources do not.
        let deep = key.get_ref() != "secrets";
        lay_value(key, value, base, noted, deep);
    }
}

fn lay_value<'t>(
    key: Spanned<DeString<'t>>,
    value: Spanned<DeValue<'t>>,
    base: &mut DeTable<'t>,
    noted: &mut BTreeSet<usize>,
    deep: bool,
) {
    let span = value.span();
    match (value.into_inner(), below(base, key.get_ref())) {
        (DeValue::Table(over), Some(below)) if deep => merge(over, below, noted),
        (DeValue::Table(over), Some(below)) => {
            over.into_iter()
                .for_each(|(key, value)| replace(key, value, below, noted));
        }
        (value, _) => replace(key, Spanned::new(span, value), base, noted),
    }
}

fn below<'a, 't>(base: &'a mut DeTable<'t>, key: &str) -> Option<&'a mut DeTable<'t>> {
    match base.get_mut(key)?.get_mut() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn merge<'t>(over: DeTable<'t>, base: &mut DeTable<'t>, noted: &mut BTreeSet<usize>) {
    for (key, value) in over {
        lay_value(key, value, base, noted, true);
    }
}

fn replace<'t>(
    key: Spanned<DeString<'t>>,
    value: Spanned<DeValue<'t>>,
    base: &mut DeTable<'t>,
    noted: &mut BTreeSet<usize>,
) {
    starts(&value, noted);
    // Inserting alone would keep the old key, and with it the old place.
    base.remove(key.get_ref().as_ref());
    base.insert(key, value);
}
