//! What a reply says it used.

/// `None`: it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) tokens: Option<u64>,
    /// Millionths of the agent's currency.
    pub(crate) cost_micros: Option<u64>,
}
