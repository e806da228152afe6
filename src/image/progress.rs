//! What a build or a push tells of itself while it runs.

/// Steps are counted from 0 in the order in which they begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Begun {
        step: usize,
        name: String,
    },
    /// What a step wrote: text as it came, not always whole lines.
    Said {
        step: usize,
        text: String,
    },
    /// Bytes that were moved, of how many where that is known.
    Moved {
        step: usize,
        bytes: u64,
        of: Option<u64>,
    },
    /// What a person should know of, and can do nothing about yet.
    Warned {
        text: String,
    },
    Ended {
        step: usize,
        how: Ended,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Done,
    /// It was there already.
    Cached,
    Failed,
}
