//! What verdicts come to: gates open, stay shut, or are waited for. Pure.

use crate::analysis::{Finding, Verdict};
use crate::rollout::Stamp;
use crate::spec::{MetricGate, Unclear};

/// What a person's yes is waited for at least until the next look.
pub(super) const LOOK: u64 = 1_000;

/// Whether the gates open now.
pub(super) enum Opening {
    Open,
    Shut(String),
    /// One cannot say, and has to: the hold is over.
    Silent(String),
    /// Until this stamp at least.
    Wait(Stamp),
    /// Both releases fail at once.
    Paused(String),
}

pub(super) struct Times {
    pub(super) now: Stamp,
    /// When the hold ends.
    pub(super) over: Stamp,
    pub(super) give_up: Stamp,
    /// Without a hold nobody could have seen anything when it is over.
    pub(super) is_held: bool,
}

/// `verdicts`: one for each gate, and maybe others beside them: of both releases, or that nothing is
/// known yet of one that has to be.
pub(super) fn opening(gates: &[&MetricGate], verdicts: &[Verdict], times: &Times) -> Opening {
    let Times {
        now,
        over,
        give_up,
        is_held,
    } = *times;
    if let Some(failed) = verdicts.iter().find(|v| v.finding == Finding::Fail) {
        return Opening::Shut(named(failed));
    }
    if let Some(both) = verdicts.iter().find(|verdict| verdict.both) {
        return Opening::Paused(named(both));
    }
    let passed = verdicts.iter().all(|v| v.finding == Finding::Pass);
    let is_early = passed && gates.iter().any(|gate| gate.early);
    if now < over && !is_early {
        return Opening::Wait(over);
    }
    // A source is asked even then.
    let policy = |gate: &MetricGate| match gate.unclear {
        Unclear::Fail if !is_held && gate.source.is_none() => Unclear::Wait,
        policy => policy,
    };
    let unclear = |wanted| {
        let pairs = gates.iter().zip(verdicts);
        pairs
            .filter(|(gate, _)| policy(gate) == wanted)
            .map(|(_, verdict)| verdict)
            .find(|verdict| verdict.finding == Finding::Unclear)
    };
    let unknown = verdicts[gates.len()..].first();
    match (unclear(Unclear::Fail), unclear(Unclear::Wait).or(unknown)) {
        (Some(verdict), _) => Opening::Silent(format!("{}, and the hold is over", named(verdict))),
        (None, Some(verdict)) if now >= give_up => {
            Opening::Shut(format!("{}, and patience is over", named(verdict)))
        }
        (None, Some(_)) => Opening::Wait(give_up),
        (None, None) if unclear(Unclear::Approve).is_some() => Opening::Wait(Stamp(now.0 + LOOK)),
        (None, None) => Opening::Open,
    }
}

/// A gate with a name of its own is told by it.
pub(super) fn named(verdict: &Verdict) -> String {
    match verdict.says.starts_with(&verdict.gate) {
        true => verdict.says.clone(),
        false => format!("{}: {}", verdict.gate, verdict.says),
    }
}
