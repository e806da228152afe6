use serde::Serialize;

/// What one probe came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Probed {
    pub(crate) name: String,
    pub(crate) suite: Option<String>,
    pub(crate) millis: u64,
    /// What was not as expected.
    pub(crate) failure: Option<String>,
}
