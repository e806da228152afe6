//! What a gate makes of scores, and of what could not be asked.

use super::figures::Answer;
use super::judge::{Evidence, Finding, Verdict};
use super::judges::{EARLY, Found, Risk, Scores, harm};
use crate::spec::{Bound, MetricGate};

/// Judges a gate by the scores of all its conversations; `answer` is what came of asking for more:
/// `None`, nothing yet. Invariant: where that failed, it has not passed.
pub(crate) fn judge_scores(
    gate: &MetricGate,
    scores: &Scores,
    risk: Risk,
    answer: Option<&Answer>,
) -> Verdict {
    let name = gate.label();
    let asks = asks(gate, scores);
    let risk = each(risk, asks.len());
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

/// Each of them may be wrong, and all together no more often than was promised.
fn each(risk: Risk, asks: usize) -> Risk {
    let part = risk.get() / asks.max(1) as f64;
    Risk::new(part).unwrap_or(risk)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::judges::Score;
    use crate::spec::{Against, Metric};

    fn scores(count: u32, stable: f64) -> Scores {
        let score = |at: u32| Score {
            candidate: 0.3 + 0.05 * (f64::from(at % 3) - 1.0),
            stable: Some(stable),
        };
        Scores((0..count).map(score).collect())
    }

    fn gate(against: Option<Against>) -> MetricGate {
        MetricGate {
            name: Some("quality".to_owned()),
            min: Some(Bound::Number(0.8)),
            against,
            ..MetricGate::on(Metric::Sourced)
        }
    }

    /// Where a gate asks two things, it stops a harmless release no more often than one that asks one.
    #[test]
    fn two_things_that_are_asked_share_the_risk() {
        let risk = Risk::new(0.01).unwrap();
        let fails_after = |gate: &MetricGate, risk| {
            let finding = |count| judge_scores(gate, &scores(count, 0.0), risk, None).finding;
            (1..100).find(|count| finding(*count) == Finding::Fail)
        };
        let [alone, both] = [gate(None), gate(Some(Against::Stable))];
        let half = Risk::new(0.005).unwrap();
        assert_eq!(fails_after(&both, risk), fails_after(&alone, half));
        assert_ne!(fails_after(&both, risk), fails_after(&alone, risk));
        let verdict = judge_scores(&both, &scores(3, 0.0), risk, None);
        assert!((verdict.evidence.unwrap().fails - half.bound()).abs() < 1e-9);
    }
}
