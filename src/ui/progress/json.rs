//! Events and heartbeats for programs, one object per line; docs/json.md names the fields.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Title;
use crate::analysis::Verdict;
use crate::release::ReleaseId;
use crate::rollout::{Event, Stamp};
use crate::spec::Percent;
use crate::ui::console::Console;
use crate::ui::history::End;
use crate::ui::say::Moment;
use crate::ui::serving::Serving;
use crate::ui::status::phase;
use crate::ui::{say, words};

/// Milliseconds between two heartbeats.
const BEAT: u64 = 5_000;

#[derive(Debug, Default)]
pub(super) struct Heart {
    last: Option<Stamp>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(serialize_with = "words::stamp")]
    at: Stamp,
    #[serde(flatten)]
    title: &'a Title,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum What<'a> {
    Event(&'a Event),
    Heartbeat(Box<Heartbeat<'a>>),
    Result(Ending<'a>),
}

#[derive(Serialize)]
struct Heartbeat<'a> {
    phase: &'static str,
    step: usize,
    steps: usize,
    weight: Percent,
    doing: String,
    releases: BTreeMap<ReleaseId, Serving>,
    gates: &'a [Verdict],
}

#[derive(Serialize)]
struct Ending<'a> {
    #[serde(flatten)]
    end: End,
    exit: u8,
    from: Option<ReleaseId>,
    to: ReleaseId,
    url: Option<&'a str>,
    took_ms: u64,
}

impl Heart {
    pub(super) fn event(
        &mut self,
        console: &mut Console,
        title: &Title,
        now: &Moment,
        event: &Event,
    ) {
        write(console, title, now.at, What::Event(event));
    }

    pub(super) fn glimpse(&mut self, console: &mut Console, title: &Title, now: &Moment) {
        let due = self
            .last
            .is_none_or(|last| now.at.0.saturating_sub(last.0) >= BEAT);
        if due {
            self.last = Some(now.at);
            write(
                console,
                title,
                now.at,
                What::Heartbeat(Box::new(heartbeat(now))),
            );
        }
    }
}

pub(super) fn result(console: &mut Console, title: &Title, now: &Moment, exit: u8) {
    let (rollout, plan) = (now.rollout, now.rollout.plan());
    let finished = rollout.finished().unwrap_or(now.at);
    let ending = Ending {
        end: End(rollout.outcome().cloned()),
        exit,
        from: plan.from,
        to: plan.to,
        url: now.seen.url.as_deref(),
        took_ms: finished.0.saturating_sub(rollout.started().0),
    };
    write(console, title, now.at, What::Result(ending));
}

fn heartbeat<'a>(now: &Moment<'a>) -> Heartbeat<'a> {
    let (rollout, plan) = (now.rollout, now.rollout.plan());
    let releases = Serving::lately(rollout, now.seen).into_iter();
    Heartbeat {
        phase: phase(rollout.phase()).0,
        step: say::step(rollout),
        steps: say::steps(plan),
        weight: now.seen.shares.get(&plan.to).copied().unwrap_or_default(),
        doing: say::doing(now).paint(false),
        releases: releases.map(|serving| (serving.release, serving)).collect(),
        gates: now.verdicts,
    }
}

fn write(console: &mut Console, title: &Title, at: Stamp, what: What) {
    console.json(&Document { at, title, what });
}
