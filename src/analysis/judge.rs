use serde::{Deserialize, Serialize};

use super::Measures;
use crate::spec::{Bound, Metric, MetricGate};

/// What a judge found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Pass,
    Fail,
    /// Too little was seen to say either.
    Unclear,
}

/// A finding with what led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) gate: String,
    pub(crate) finding: Finding,
    /// The measured figure, in the metric's unit; latencies in seconds.
    pub(crate) figure: Option<f64>,
    /// One sentence: the figure against its bound, or what is missing.
    pub(crate) says: String,
    /// Of a gate that compares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<Evidence>,
    /// The stable release beside it fails the gate as well: it is not the candidate's doing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) both: bool,
}

/// What a gate that compares goes by: natural logarithms of e-values, and what they must reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// That the candidate is worse; with `fails` the gate fails.
    pub(crate) worse: f64,
    pub(crate) fails: f64,
    /// That it does not do the harm that matters; with `passes` the gate passes.
    pub(crate) harmless: f64,
    pub(crate) passes: f64,
}

impl Verdict {
    /// Of a release that was not seen at all.
    pub(crate) fn nothing_seen(gate: &MetricGate) -> Self {
        let name = gate.metric.name();
        Self {
            gate: gate.name.clone().unwrap_or_else(|| name.to_owned()),
            finding: Finding::Unclear,
            figure: None,
            says: format!("{name} was not seen of both releases"),
            evidence: None,
            both: false,
        }
    }
}

/// Judges one metric gate on what was measured of the candidate at this weight.
pub(crate) fn judge(gate: &MetricGate, window: &Measures) -> Verdict {
    let name = gate.metric.name();
    let late = most_latency(gate).map(|most| window.with_late(most));
    let window = late.as_ref().unwrap_or(window);
    let figure = figure(gate.metric, window);
    let (finding, says) = match figure {
        _ if lacks_requests(gate, window) => (Finding::Unclear, missing(gate, window)),
        None => (
            Finding::Unclear,
            format!("{name} was not told by any {}", teller(gate.metric)),
        ),
        Some(value) => against_bounds(gate, value),
    };
    Verdict {
        gate: gate.name.clone().unwrap_or_else(|| name.to_owned()),
        finding,
        figure,
        says,
        evidence: None,
        both: false,
    }
}

/// In seconds.
fn most_latency(gate: &MetricGate) -> Option<f64> {
    let of_replies = matches!(
        gate.metric,
        Metric::LatencyP50 | Metric::LatencyP95 | Metric::LatencyP99
    );
    gate.most().filter(|_| of_replies).map(Bound::value)
}

fn teller(metric: Metric) -> &'static str {
    match metric.is_of_calls() {
        true => "replica",
        false => "reply",
    }
}

/// How much worse than the stable release's figure the candidate's may be where both fail a gate,
/// so that it is still not the candidate's doing.
const ALIKE: f64 = 2.0;

/// The same, where the stable release has traffic too: what both fail at once, alike, is found
/// unclear.
pub(crate) fn judge_beside(
    gate: &MetricGate,
    window: &Measures,
    stable: (&str, &Measures),
) -> Verdict {
    // It may have begun a moment later: half as much is enough to excuse.
    let enough = MetricGate {
        min_requests: gate.min_requests / 2,
        ..gate.clone()
    };
    let (mine, beside) = (judge(gate, window), judge(&enough, stable.1));
    let fail = mine.finding == Finding::Fail && beside.finding == Finding::Fail;
    match (mine.figure, beside.figure) {
        (Some(figure), Some(other)) if fail && alike(gate, figure, other) => Verdict {
            finding: Finding::Unclear,
            says: format!(
                "{}, and so is {}'s, {}",
                mine.says,
                stable.0,
                gate.metric.show(other)
            ),
            both: true,
            ..mine
        },
        _ => mine,
    }
}

fn alike(gate: &MetricGate, mine: f64, other: f64) -> bool {
    match gate.most().is_some_and(|most| mine > most.value()) {
        true => mine <= other * ALIKE,
        false => mine * ALIKE >= other,
    }
}

/// In the metric's unit; latencies in seconds.
pub(crate) fn figure(metric: Metric, window: &Measures) -> Option<f64> {
    match metric {
        Metric::ErrorRate => window.error_rate(),
        Metric::LatencyP50 => window.latency(0.50),
        Metric::LatencyP95 => window.latency(0.95),
        Metric::LatencyP99 => window.latency(0.99),
        Metric::Requests => Some(window.requests as f64),
        Metric::TokensPerRequest => window.tokens_per_request(),
        Metric::TokensPerConversation => window.tokens_per_conversation(),
        Metric::CostPerConversation => window.cost_per_conversation(),
        Metric::ToolCallsPerConversation => window.tool_calls_per_conversation(),
        Metric::StepsPerConversation => window.steps_per_conversation(),
        Metric::ModelLatencyP50 => window.calls.latency(0.50),
        Metric::ModelLatencyP95 => window.calls.latency(0.95),
        Metric::ModelLatencyP99 => window.calls.latency(0.99),
        Metric::TokensPerCall => window.calls.tokens_per_call(),
        Metric::ToolErrorRate => window.calls.tool_error_rate(),
        Metric::Sourced => None,
    }
}

fn lacks_requests(gate: &MetricGate, window: &Measures) -> bool {
    gate.metric != Metric::Requests && counted(gate.metric, window).0 < enough(gate)
}

/// Of none there is no figure.
fn enough(gate: &MetricGate) -> u64 {
    gate.min_requests.max(1)
}

/// What a metric is counted by, and what that is called.
fn counted(metric: Metric, window: &Measures) -> (u64, &'static str) {
    match metric {
        Metric::ToolErrorRate => (window.calls.tool, "calls of tools"),
        metric if metric.is_of_calls() => (window.calls.model, "calls of the model"),
        _ => (window.requests, "requests"),
    }
}

fn missing(gate: &MetricGate, window: &Measures) -> String {
    let of = match gate.window {
        None => "at this weight".to_owned(),
        Some(period) => format!("in {period}"),
    };
    let (seen, units) = counted(gate.metric, window);
    format!(
        "{} needs {} more {units} {of} ({seen} of {})",
        gate.metric.name(),
        enough(gate).saturating_sub(seen),
        enough(gate)
    )
}

pub(super) fn against_bounds(gate: &MetricGate, value: f64) -> (Finding, String) {
    let shown = gate.metric.show(value);
    let name = match gate.metric {
        Metric::Sourced => gate.label(),
        metric => metric.name(),
    };
    let above = gate.most().map(Bound::value).filter(|max| value > *max);
    let below = gate.least().map(Bound::value).filter(|min| value < *min);
    match (above, below) {
        (Some(max), _) => (
            Finding::Fail,
            format!("{name} {shown} is above {}", gate.metric.show(max)),
        ),
        (None, Some(min)) => below_minimum(gate, name, &shown, min),
        (None, None) => (Finding::Pass, format!("{name} {shown}")),
    }
}

/// A count that is still growing has not failed: it is not there yet.
fn below_minimum(gate: &MetricGate, name: &str, shown: &str, min: f64) -> (Finding, String) {
    let bound = gate.metric.show(min);
    match gate.metric {
        Metric::Requests => (Finding::Unclear, format!("{name} {shown} of {bound}")),
        _ => (Finding::Fail, format!("{name} {shown} is below {bound}")),
    }
}

impl Bound {
    /// Times in seconds.
    pub(crate) fn value(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Time(period) => period.get().as_secs_f64(),
        }
    }
}

impl Metric {
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::ErrorRate | Self::ToolErrorRate => format!("{:.1} %", value * 100.0),
            Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99 => seconds(value),
            Self::ModelLatencyP50 | Self::ModelLatencyP95 | Self::ModelLatencyP99 => seconds(value),
            Self::Requests
            | Self::TokensPerRequest
            | Self::TokensPerConversation
            | Self::TokensPerCall => format!("{value:.0}"),
            Self::ToolCallsPerConversation | Self::StepsPerConversation => format!("{value:.1}"),
            Self::CostPerConversation => format!("{value:.4}"),
            // In as few digits as tell it apart.
            Self::Sourced => format!("{}", (value * 1e4).round() / 1e4),
        }
    }
}

fn seconds(value: f64) -> String {
    match value < 1.0 {
        true => format!("{:.0} ms", value * 1000.0),
        false => format!("{value:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Period;

    fn gate(metric: Metric, max: Option<Bound>, min: Option<Bound>) -> MetricGate {
        MetricGate {
            max,
            min,
            ..MetricGate::on(metric)
        }
    }

    #[test]
    fn who_waits_for_longer_than_is_allowed_is_slow_already() {
        let most = gate(Metric::LatencyP95, Some(Bound::Time(Period::secs(2))), None);
        let silent = |micros: u64, count: u64| Measures {
            waiting: vec![(100_000, 40), (micros, count)],
            ..Measures::default()
        };
        let cases = [
            (silent(1_000_000, 40), Finding::Unclear),
            (silent(9_000_000, 19), Finding::Unclear),
            (silent(9_000_000, 20), Finding::Fail),
        ];
        for (window, finding) in cases {
            let verdict = judge(&most, &window);
            assert_eq!(verdict.finding, finding, "{}", verdict.says);
        }
        let mostly_quick = Measures {
            waiting: vec![(9_000_000, 5)],
            ..measured(100, 0)
        };
        assert_eq!(judge(&most, &mostly_quick).finding, Finding::Pass);
    }

    fn measured(requests: u64, errors: u64) -> Measures {
        Measures {
            requests,
            errors,
            latency: vec![(250_000, requests)],
            ..Measures::default()
        }
    }

    #[test]
    fn verdicts() {
        let rate = gate(Metric::ErrorRate, Some(Bound::Number(0.05)), None);
        let slow = gate(
            Metric::LatencyP95,
            Some(Bound::Time(Period::millis(200))),
            None,
        );
        let enough = gate(Metric::Requests, None, Some(Bound::Number(100.0)));
        let any = MetricGate {
            min_requests: 0,
            ..rate.clone()
        };
        let tokens = gate(Metric::TokensPerRequest, Some(Bound::Number(10.0)), None);
        let cases = [
            (
                &rate,
                measured(0, 0),
                Finding::Unclear,
                "error_rate needs 20 more requests at this weight (0 of 20)",
            ),
            (
                &rate,
                measured(19, 19),
                Finding::Unclear,
                "error_rate needs 1 more requests at this weight (19 of 20)",
            ),
            (
                &any,
                measured(0, 0),
                Finding::Unclear,
                "error_rate needs 1 more requests at this weight (0 of 1)",
            ),
            (&any, measured(1, 0), Finding::Pass, "error_rate 0.0 %"),
            (&rate, measured(20, 1), Finding::Pass, "error_rate 5.0 %"),
            (
                &rate,
                measured(20, 2),
                Finding::Fail,
                "error_rate 10.0 % is above 5.0 %",
            ),
            (
                &slow,
                measured(50, 0),
                Finding::Fail,
                "latency_p95 250 ms is above 200 ms",
            ),
            (
                &enough,
                measured(5, 0),
                Finding::Unclear,
                "requests 5 of 100",
            ),
            (&enough, measured(100, 0), Finding::Pass, "requests 100"),
            (
                &tokens,
                measured(50, 0),
                Finding::Unclear,
                "tokens_per_request was not told by any reply",
            ),
        ];
        for (gate, window, finding, says) in cases {
            let verdict = judge(gate, &window);
            assert_eq!((verdict.finding, verdict.says.as_str()), (finding, says));
        }
    }
}
