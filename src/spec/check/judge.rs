//! Judges, and who names them.

use super::super::show::key;
use super::super::{Bound, Expect, LlmJudge, MetricGate, Rubric, Spec};
use super::{Check, source};

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    for (name, judge) in &spec.judges {
        self::judge(judge, &format!("judges.{}", key(name)), spec, check);
    }
    for (at, probe) in spec.rollout.probe.iter().enumerate() {
        let path = format!("rollout.probe.{at}");
        expectations(&probe.expect, &format!("{path}.expect.judge"), spec, check);
        for (turn, one) in probe.turns.iter().enumerate() {
            let path = format!("{path}.turns.{turn}.expect.judge");
            expectations(&one.expect, &path, spec, check);
        }
    }
}

fn judge(judge: &LlmJudge, path: &str, spec: &Spec, check: &mut Check<'_>) {
    if matches!(&judge.rubric, Rubric::Text(text) if text.trim().is_empty()) {
        let hint = "say what a good reply is, and what is wrong with a bad one";
        check.refuse_with(&format!("{path}.rubric"), "the rubric is empty", hint);
    }
    if judge.spend <= 0.0 {
        let hint = "spend = 2.0, in the currency of its prices, for a whole rollout";
        let message = "a judge needs a spend limit above 0";
        check.refuse_with(&format!("{path}.spend"), message, hint);
    }
    source::login(&judge.login, "judge", path, spec, check);
}

fn expectations(expect: &Expect, path: &str, spec: &Spec, check: &mut Check<'_>) {
    for name in expect.judge.keys() {
        is_there(name, &format!("{path}.{}", key(name)), spec, check);
    }
}

/// The judge of that name.
fn is_there<'s>(
    name: &str,
    path: &str,
    spec: &'s Spec,
    check: &mut Check<'_>,
) -> Option<&'s LlmJudge> {
    let judge = spec.judges.get(name);
    if judge.is_none() {
        let hint = format!(
            "[judges.{}] with its server, model, rubric, spend and price",
            key(name)
        );
        check.refuse_with(path, format!("there is no judge \"{name}\""), hint);
    }
    judge
}

/// A gate whose source is a judge.
pub(super) fn gate(gate: &MetricGate, name: &str, path: &str, spec: &Spec, check: &mut Check<'_>) {
    let at = format!("{path}.source.judge");
    if let Some(judge) = is_there(name, &at, spec, check) {
        has_conversations(judge, &at, spec, check);
    }
    let others = [
        (gate.max.is_some(), "max"),
        (!gate.range.is_empty(), "range"),
        (gate.window.is_some(), "window"),
        (gate.cap.is_some(), "cap"),
    ];
    for (_, key) in others.into_iter().filter(|(given, _)| *given) {
        let message = format!("{key} is not for the score of a judge");
        check.refuse_with(&format!("{path}.{key}"), message, "min = 0.8");
    }
    match gate.min {
        None if gate.against.is_none() => {
            let hint = "min = 0.8, or against = \"stable\", or both";
            check.refuse_with(path, "a gate on a score needs min or against", hint);
        }
        Some(Bound::Number(least)) if least > 0.0 && least < 1.0 => {}
        Some(_) => {
            let message = "the least score is above 0 and below 1";
            check.refuse_with(&format!("{path}.min"), message, "min = 0.8");
        }
        None => {}
    }
    margin(gate, path, check);
}

/// Twice the margin is what is excluded, and there is no more than all of a score.
fn margin(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    let path = format!("{path}.worse_by");
    match gate.worse_by {
        Some(_) if gate.against.is_none() => {
            let message = "worse_by is for a gate that compares";
            check.refuse_with(&path, message, "against = \"stable\"");
        }
        Some(margin) if margin >= 0.5 => {
            let hint = "worse_by = 0.05: a twentieth less is no harm";
            check.refuse_with(&path, "of a score worse_by is below 0.5", hint);
        }
        _ => {}
    }
}

fn has_conversations(judge: &LlmJudge, path: &str, spec: &Spec, check: &mut Check<'_>) {
    let suite = judge.suite.as_deref();
    let mut probes = spec.rollout.probe.iter();
    if probes.any(|probe| suite.is_none() || probe.suite.as_deref() == suite) {
        return;
    }
    let message = match suite {
        None => "there are no conversations that could be judged".to_owned(),
        Some(suite) => format!("no probe belongs to the suite \"{suite}\" that is to be judged"),
    };
    let hint = "a [[rollout.probe]] for each: a request, or turns";
    check.refuse_with(path, message, hint);
}
