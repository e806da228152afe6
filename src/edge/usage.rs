//! What a reply says it used: in headers, or in the end of its body as it streams past.

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use serde::Deserialize;

static TOKENS: HeaderName = HeaderName::from_static("x-agentctl-tokens");
static COST: HeaderName = HeaderName::from_static("x-agentctl-cost");
static TOOL_CALLS: HeaderName = HeaderName::from_static("x-agentctl-tool-calls");
static STEPS: HeaderName = HeaderName::from_static("x-agentctl-steps");

/// `None`: it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) tokens: Option<u64>,
    /// Millionths of the agent's currency.
    pub(crate) cost_micros: Option<u64>,
    pub(crate) tool_calls: Option<u64>,
    /// Calls of the model.
    pub(crate) steps: Option<u64>,
}

impl Usage {
    /// From a reply's headers, or from its trailers.
    pub(crate) fn in_headers(headers: &HeaderMap) -> Self {
        Self {
            tokens: number(headers, &TOKENS).map(whole),
            cost_micros: number(headers, &COST).map(micros),
            tool_calls: number(headers, &TOOL_CALLS).map(whole),
            steps: number(headers, &STEPS).map(whole),
        }
    }

    /// What is not told here is taken from `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.or(other.tokens),
            cost_micros: self.cost_micros.or(other.cost_micros),
            tool_calls: self.tool_calls.or(other.tool_calls),
            steps: self.steps.or(other.steps),
        }
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<f64> {
    let text = headers.get(name)?.to_str().ok()?;
    text.trim().parse().ok().filter(|number| is_amount(*number))
}

fn is_amount(number: f64) -> bool {
    number.is_finite() && number >= 0.0
}

/// Of one reply: whatever it tells, the sum has room for the next ones, which would seem to use nothing
/// otherwise.
const MOST: u64 = 1 << 53;

fn whole(amount: f64) -> u64 {
    (amount as u64).min(MOST)
}

fn micros(cost: f64) -> u64 {
    whole((cost * 1e6).round())
}

/// The last bytes of a reply, in which `usage` is looked for.
#[derive(Default)]
pub(crate) struct Tail(Vec<u8>);

const TAIL: usize = 16 * 1024;

impl Tail {
    /// `None`: usage cannot be read from such a reply.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.as_bytes();
        let plain = !headers.contains_key(CONTENT_ENCODING);
        (plain && (is_json(kind) || kind.starts_with(b"text/event-stream"))).then(Self::default)
    }

    pub(crate) fn push(&mut self, data: &Bytes) {
        let new = &data[data.len().saturating_sub(TAIL)..];
        // Old bytes go in large steps, so that each is moved once at most.
        if self.0.len() + new.len() > 2 * TAIL {
            let keep = TAIL - new.len();
            self.0.drain(..self.0.len().saturating_sub(keep));
        }
        self.0.extend_from_slice(new);
    }

    pub(crate) fn usage(&self) -> Usage {
        let tail = &self.0[self.0.len().saturating_sub(TAIL)..];
        let mut told = Told::default();
        for at in memchr::memmem::rfind_iter(tail, b"\"usage\"") {
            if told.is_complete() {
                break;
            }
            told.fill(told_at(&tail[at + b"\"usage\"".len()..]));
        }
        told.usage()
    }
}

/// `application/json`, `application/problem+json` and the like.
pub(crate) fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next();
    let kind = kind.unwrap_or_default().trim_ascii().to_ascii_lowercase();
    kind.starts_with(b"application/") && kind.ends_with(b"json") && !kind.ends_with(b"ndjson")
}

/// As model providers spell it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    total_tokens: Option<f64>,
    #[serde(alias = "prompt_tokens")]
    input_tokens: Option<f64>,
    #[serde(alias = "completion_tokens")]
    output_tokens: Option<f64>,
    cost: Option<f64>,
    tool_calls: Option<f64>,
    steps: Option<f64>,
}

impl Told {
    fn is_complete(&self) -> bool {
        self.total_tokens.is_some() || (self.input_tokens.is_some() && self.output_tokens.is_some())
    }

    /// A stream may tell its input first and its output last.
    fn fill(&mut self, earlier: Self) {
        self.total_tokens = self.total_tokens.or(earlier.total_tokens);
        self.input_tokens = self.input_tokens.or(earlier.input_tokens);
        self.output_tokens = self.output_tokens.or(earlier.output_tokens);
        self.cost = self.cost.or(earlier.cost);
        self.tool_calls = self.tool_calls.or(earlier.tool_calls);
        self.steps = self.steps.or(earlier.steps);
    }

    fn usage(&self) -> Usage {
        let amount = |told: Option<f64>| told.filter(|told| is_amount(*told));
        let parts = [self.input_tokens, self.output_tokens].map(amount);
        let parts = parts.into_iter().flatten().reduce(|a, b| a + b);
        Usage {
            tokens: amount(self.total_tokens).or(parts).map(whole),
            cost_micros: amount(self.cost).map(micros),
            tool_calls: amount(self.tool_calls).map(whole),
            steps: amount(self.steps).map(whole),
        }
    }
}

/// Nothing if what follows the name is no object: `null` in all but the last event, say.
fn told_at(after_name: &[u8]) -> Told {
    let value = after_name.trim_ascii_start().strip_prefix(b":");
    let value = value.unwrap_or_default();
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<Option<Told>>();
    let first = values.next().and_then(Result::ok);
    first.flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests;
