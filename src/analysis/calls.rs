use serde::{Deserialize, Serialize};

use super::measures::{apart, less, ratio, together, within};

/// What agents told of their calls through OpenTelemetry, over one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// Of the model.
    pub(crate) model: u64,
    /// Those by time taken: (upper bound in microseconds, count), bounds rising.
    pub(crate) latency: Vec<(u64, u64)>,
    /// Tokens that those read and wrote.
    pub(crate) tokens: u64,
    /// Of tools, and those of them that failed.
    pub(crate) tool: u64,
    pub(crate) tool_errors: u64,
}

impl Calls {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Seconds within which this share of the model's calls ended, rounded up to a bucket.
    pub(crate) fn latency(&self, share: f64) -> Option<f64> {
        within(&self.latency, share)
    }

    /// From 0 to 1.
    pub(crate) fn tool_error_rate(&self) -> Option<f64> {
        ratio(self.tool_errors, self.tool)
    }

    pub(crate) fn tokens_per_call(&self) -> Option<f64> {
        ratio(self.tokens, self.model).filter(|_| self.tokens > 0)
    }

    /// Both stretches of time together.
    pub(super) fn plus(self, more: &Self) -> Self {
        Self {
            model: self.model.saturating_add(more.model),
            latency: together(self.latency, &more.latency),
            tokens: self.tokens.saturating_add(more.tokens),
            tool: self.tool.saturating_add(more.tool),
            tool_errors: self.tool_errors.saturating_add(more.tool_errors),
        }
    }

    /// What came after that; `None` where it was not all counted before this.
    pub(super) fn minus(&self, before: &Self) -> Option<Self> {
        Some(Self {
            model: self.model.checked_sub(before.model)?,
            latency: apart(&self.latency, &before.latency)?,
            tokens: self.tokens.checked_sub(before.tokens)?,
            tool: self.tool.checked_sub(before.tool)?,
            tool_errors: self.tool_errors.checked_sub(before.tool_errors)?,
        })
    }

    /// What was counted since an earlier look of the same stretch.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            model: self.model.saturating_sub(earlier.model),
            latency: less(&self.latency, &earlier.latency),
            tokens: self.tokens.saturating_sub(earlier.tokens),
            tool: self.tool.saturating_sub(earlier.tool),
            tool_errors: self.tool_errors.saturating_sub(earlier.tool_errors),
        }
    }
}
