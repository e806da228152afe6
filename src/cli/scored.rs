//! `agentctl analyze PAIRS --judge NAME`: what a shadow kept, scored by a model.

use std::fs;

use anyhow::{Context, Result};

use super::args::Analyze;
use super::exit::Exit;
use super::judges;
use super::show::Shown;
use super::site::{Project, now};
use crate::advice::{Advise, because};
use crate::analysis::judges::{Risk, Score, Scores};
use crate::analysis::{Finding, Pair, Sources, Verdict, judge_scores, pairs};
use crate::engine::probe::Turn;
use crate::engine::{Jury, Purses};
use crate::redact::Redactor;
use crate::spec::{Against, GateSource, Metric, MetricGate, ProbeRequest};
use crate::target::Reply;
use crate::target::secrets::Values;
use crate::ui::ScoredView;

const PAIRS: &str = "the file that rollout.shadow.capture names; agentctl status shows its path";

pub(crate) async fn run(args: &Analyze, judge: &str, shown: &mut Shown) -> Result<Exit> {
    let file = args.recorded.display();
    let text =
        fs::read_to_string(&args.recorded).with_context(|| format!("could not read {file}"))?;
    let all = pairs(&text).advise(format!("{file} holds no pairs of a shadow"), PAIRS)?;
    let some = drawn(&all, args.pairs as usize);
    let project = Project::load(&args.file)?;
    let judges = judges::judges(&project)?;
    let asked = judges.get(judge).ok_or_else(|| unknown(judge, &judges))?;
    let values = judges::values(&project, [asked].into_iter(), Values::new())?;
    let redactor = Redactor::new(&values);
    shown.keep_out(redactor.clone());
    let purses = Purses::default();
    let jury = Jury {
        judges: &judges,
        sources: &Sources {
            values,
            folder: project.folder().to_owned(),
        },
        redactor: &redactor,
        purses: &purses,
    };
    let (scores, verdict) = score(&jury, &gate(args, judge), args, &some).await?;
    let view = ScoredView {
        judge: judge.to_owned(),
        pairs: all.len(),
        scored: scores.0.len(),
        stable: scores.stable_mean(),
        candidate: scores.mean(),
        finding: verdict.finding,
        says: verdict.says,
        spent: purses.spent_on(judge),
    };
    let is_worse = view.finding == Finding::Fail;
    shown.console().show(&view, now());
    Ok(if is_worse { Exit::Undone } else { Exit::Done })
}

/// By lot, and the same ones each time: traffic may have a rhythm.
fn drawn(all: &[Pair], most: usize) -> Vec<&Pair> {
    let lot = |at: usize| *blake3::hash(&at.to_le_bytes()).as_bytes();
    let mut all: Vec<(usize, &Pair)> = all.iter().enumerate().collect();
    all.sort_by_cached_key(|(at, _)| lot(*at));
    all.truncate(most);
    all.into_iter().map(|(_, pair)| pair).collect()
}

/// As a gate that compares what it is told of both releases.
fn gate(args: &Analyze, judge: &str) -> MetricGate {
    MetricGate {
        name: Some(judge.to_owned()),
        against: Some(Against::Stable),
        worse_by: Some(args.worse_by),
        source: Some(GateSource::Judge {
            judge: judge.to_owned(),
        }),
        ..MetricGate::on(Metric::Sourced)
    }
}

/// Until it is found, or nothing more can be asked: then nothing more is spent.
async fn score(
    jury: &Jury<'_>,
    gate: &MetricGate,
    args: &Analyze,
    some: &[&Pair],
) -> Result<(Scores, Verdict)> {
    let risk = Risk::new(1.0 - args.confidence).context("confidence is between 0.5 and 1")?;
    let mut scores = Scores::default();
    let mut verdict = judge_scores(
        gate,
        &scores,
        risk,
        Some(&Err("there are no pairs".to_owned())),
    );
    for pair in some {
        let answer = one(jury, gate.label(), pair).await;
        scores.0.extend(answer.as_ref().ok());
        let answer = answer.map(|score| score.candidate.into());
        verdict = judge_scores(gate, &scores, risk, Some(&answer));
        if answer.is_err() || verdict.finding != Finding::Unclear {
            break;
        }
    }
    Ok((scores, verdict))
}

async fn one(jury: &Jury<'_>, judge: &str, pair: &Pair) -> Result<Score, String> {
    let turn = |text: String, status| Turn {
        request: ProbeRequest {
            method: pair.request.method.clone(),
            path: pair.request.path.clone(),
            headers: Default::default(),
            json: Some(pair.request.body.clone()),
        },
        reply: Reply {
            replica: 0,
            status,
            body: text,
            millis: 0,
            first_millis: None,
            says: None,
        },
    };
    let [stable, candidate] =
        [&pair.stable, &pair.candidate].map(|answer| turn(answer.text(), answer.status));
    Ok(Score {
        candidate: jury.score(judge, &[candidate]).await?,
        stable: Some(jury.score(judge, &[stable]).await?),
    })
}

fn unknown<T>(judge: &str, judges: &std::collections::BTreeMap<String, T>) -> anyhow::Error {
    let names: Vec<&str> = judges.keys().map(String::as_str).collect();
    let cause = match names.is_empty() {
        true => "agent.toml has no [judges]".to_owned(),
        false => format!("agent.toml has {}", names.join(", ")),
    };
    because(
        format!("there is no judge {judge}"),
        cause,
        "name one of [judges], or another agent.toml by -f",
    )
}
