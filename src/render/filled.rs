//! Keys that are there only where something stands behind them.

/// `None` where there is nothing: a template leaves such a key out.
pub(super) fn filled<C>(all: C) -> Option<C>
where
    for<'c> &'c C: IntoIterator,
{
    let is_empty = (&all).into_iter().next().is_none();
    (!is_empty).then_some(all)
}
