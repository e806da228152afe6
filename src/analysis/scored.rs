//! What a gate makes of scores, and of what could not be asked.

use super::judge::{Evidence, Finding, Verdict};
use super::judges::{EARLY, Found, Risk, Scores, harm};
use crate::spec::{Bound, MetricGate};

/// Judges a gate by the scores of all its conversations; `answer` is what came of asking for more:
/// `None`, nothing yet. Invariant: where that failed, it has not passed.
pub(crate) fn judge_scores(
    gate: &MetricGate,
    scores: &Scores,
    risk: Risk,
    answer: Option<&Result<f64, String>>,
) -> Verdict {
    let name = gate.label();
    let asks = asks(gate, scores);
    let finding = overall(&asks, risk);
    let (finding, says) = match (finding, answer) {
        (Finding::Fail, _) => (finding, too_low(gate, scores, &asks, risk)),
        (_, None) if scores.0.is_empty() => {
            (Finding::Unclear, format!("{name} is being asked for"))
        }
        (_, Some(Err(says))) => (Finding::Unclear, format!("{name} is not known: {says}")),
        (Finding::Pass, _) => (finding, format!("{name} {}", figures(gate, scores, risk))),
        (Finding::Unclear, _) => (
            finding,
            format!("{name} {} {}", figures(gate, scores, risk), missing(&asks)),
        ),
    };
    Verdict {
        gate: name.to_owned(),
        finding,
        figure: scores.mean(),
        says,
        evidence: asks.last().map(|ask| evidence(&ask.found, risk)),
        both: false,
    }
}

/// One thing that is wanted of the scores.
struct Ask {
    found: Found,
    /// What it is below where it fails.
    bound: String,
    /// What has to be done until it passes: "show 0.8", "exclude a loss of 10 %".
    wants: String,
}

fn asks(gate: &MetricGate, scores: &Scores) -> Vec<Ask> {
    let least = gate.min.map(Bound::value).map(|least| Ask {
        found: scores.reaching(least),
        bound: shown(least),
        wants: format!("show {}", shown(least)),
    });
    let beside = gate.against.map(|_| Ask {
        found: scores.beside(gate.margin()),
        bound: format!(
            "{} of the stable release's",
            percent(1.0 - gate.margin().get())
        ),
        wants: format!("exclude a loss of {}", percent(harm(gate.margin()))),
    });
    least.into_iter().chain(beside).collect()
}

fn overall(asks: &[Ask], risk: Risk) -> Finding {
    let findings: Vec<Finding> = asks.iter().map(|ask| ask.found.finding(risk)).collect();
    match findings.as_slice() {
        [] => Finding::Unclear,
        all if all.contains(&Finding::Fail) => Finding::Fail,
        all if all.contains(&Finding::Unclear) => Finding::Unclear,
        _ => Finding::Pass,
    }
}

fn too_low(gate: &MetricGate, scores: &Scores, asks: &[Ask], risk: Risk) -> String {
    let missed = asks
        .iter()
        .find(|ask| ask.found.finding(risk) == Finding::Fail);
    let bound = missed.map_or("", |ask| ask.bound.as_str());
    format!(
        "{} {} is below {bound}",
        gate.label(),
        figures(gate, scores, risk)
    )
}

/// "0.84 (0.71 to 0.93, 20 replies), beside 0.9".
fn figures(gate: &MetricGate, scores: &Scores, risk: Risk) -> String {
    let mean = scores.mean().map_or_else(String::new, shown);
    let (from, to) = scores.spread(risk);
    let replies = match scores.0.len() {
        1 => "1 reply".to_owned(),
        some => format!("{some} replies"),
    };
    let beside = scores.stable_mean().filter(|_| gate.against.is_some());
    let beside = beside.map_or_else(String::new, |mean| format!(" beside {}", shown(mean)));
    format!(
        "{mean}{beside} ({} to {}, {replies})",
        shown(from),
        shown(to)
    )
}

fn missing(asks: &[Ask]) -> String {
    let open = |ask: &&Ask| ask.found.harmless() < EARLY.bound();
    let wanted: Vec<(&str, Option<u64>)> = asks
        .iter()
        .filter(open)
        .map(|ask| (ask.wants.as_str(), ask.found.missing()))
        .collect();
    let wants: Vec<&str> = wanted.iter().map(|(wants, _)| *wants).collect();
    let replies = wanted.iter().map(|(_, replies)| *replies);
    let most = replies
        .reduce(|one, other| Some(one?.max(other?)))
        .flatten();
    let wants = wants.join(" and ");
    match most {
        Some(replies) => format!("needs about {replies} more replies to {wants}"),
        None => format!("does not {wants} so far"),
    }
}

fn evidence(found: &Found, risk: Risk) -> Evidence {
    Evidence {
        worse: found.worse(),
        fails: risk.bound(),
        harmless: found.harmless(),
        passes: EARLY.bound(),
    }
}

fn shown(score: f64) -> String {
    format!("{}", (score * 100.0).round() / 100.0)
}

fn percent(part: f64) -> String {
    format!("{} %", (part * 1000.0).round() / 10.0)
}
