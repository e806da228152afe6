//! Values as Compose writes them.

use crate::spec::Quantity;

/// A text that nothing is put into.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

pub(super) fn literals(words: &[String]) -> Option<Vec<String>> {
    (!words.is_empty()).then(|| words.iter().map(|word| literal(word)).collect())
}

/// Processors, like `0.5`; never `0`, which Compose reads as no limit.
pub(super) fn processors(quantity: &Quantity) -> String {
    let milli = quantity.milli().max(1);
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Bytes; Compose's own units differ from those of agent.toml.
pub(super) fn bytes(quantity: &Quantity) -> String {
    format!("{}b", quantity.milli().div_ceil(1000).max(1))
}
