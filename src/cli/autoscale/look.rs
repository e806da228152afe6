//! What runs, and what is to be decided of it now.

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{LESS, Less, Scaler};
use crate::advice::{Advise, advice};
use crate::analysis::{Decision, Moment, Turn, Work, decide};
use crate::cli::journaled::{self, Journaled, history};
use crate::cli::site::{now, variable};
use crate::journal::{Owner, Store};
use crate::release::ReleaseId;
use crate::rollout::Stamp;
use crate::spec::Percent;
use crate::target::Target;
use crate::ui;

pub(super) enum Look {
    /// Nothing can be scaled now, and why.
    Busy(String),
    Decided(Decided),
}

pub(super) struct Decided {
    /// Of the rollout that it would be.
    pub(super) number: u64,
    pub(super) release: ReleaseId,
    pub(super) live: u32,
    /// What is kept in mind already.
    pub(super) before: Option<Less>,
    pub(super) decision: Decision,
}

impl Scaler<'_> {
    pub(super) async fn look(&self, work: &[Work], fence: u64) -> Result<Look> {
        let past = journaled::read(self.store).await?;
        let stable = history(&past).stable();
        let (Some(last), Some(release)) = (past.last(), stable) else {
            return Err(advice(
                format!("nothing of {} is deployed here", self.project.site.name()),
                "deploy it first: agentctl deploy",
            ));
        };
        if last.rollout.can_go_on() {
            return Ok(Look::Busy(self.unfinished(last).await?));
        }
        let seen = self.project.site.target(fence).await?.observe().await?;
        let live = seen.releases.get(&release).map(|live| live.wanted);
        match live.filter(|_| seen.shares.get(&release) == Some(&Percent::FULL)) {
            None => Ok(Look::Busy(format!(
                "{} is stopped: agentctl deploy starts it",
                self.project.site.name()
            ))),
            Some(live) => {
                let (number, changed) = (last.number + 1, last.rollout.finished());
                let before = self.before().await?;
                let decision = decide(&self.scale, &self.moment(work, live, changed, before)?);
                Ok(Look::Decided(Decided {
                    number,
                    release,
                    live,
                    before,
                    decision,
                }))
            }
        }
    }

    fn moment<'w>(
        &self,
        work: &'w [Work],
        live: u32,
        changed: Option<Stamp>,
        less: Option<Less>,
    ) -> Result<Moment<'w>> {
        let now = now();
        Ok(Moment {
            now: now.0,
            clock: clock(now, &self.project.loaded.spec.agent.time_zone)?,
            live,
            changed: changed.map(|at| at.0),
            less,
            work,
        })
    }

    async fn before(&self) -> Result<Option<Less>> {
        match self.store.get(LESS).await? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{LESS} is not what agentctl wrote")),
            None => Ok(None),
        }
    }

    async fn unfinished(&self, last: &Journaled) -> Result<String> {
        let me = Owner::here(variable);
        let holder = self.store.holder().await?.map(|holder| holder.owner);
        let number = last.number;
        Ok(match holder.filter(|owner| !owner.is_gone(&me)) {
            Some(owner) => format!("rollout {number} is walked by {owner}: nothing is scaled"),
            None => format!(
                "rollout {number} has not ended: nothing is scaled; {}",
                ui::next(&last.rollout)
            ),
        })
    }
}

/// What the agent's own clock shows.
fn clock(at: Stamp, zone: &str) -> Result<DateTime> {
    let zone = TimeZone::get(zone).advise(
        format!("the time zone {zone} is not known here"),
        "agent.time_zone; on Debian the package tzdata has them",
    )?;
    let at = Timestamp::from_millisecond(at.0.try_into()?)?;
    Ok(at.to_zoned(zone).datetime())
}

impl Decided {
    /// What the sources said, and what follows.
    pub(super) fn says(&self) -> String {
        format!("{}: {}", self.decision.because, self.decision.says)
    }
}

impl Look {
    /// Whether something is to be changed or kept in mind.
    pub(super) fn acts(&self) -> bool {
        match self {
            Self::Busy(_) => false,
            Self::Decided(Decided {
                before, decision, ..
            }) => decision.less != *before || matches!(decision.turn, Turn::Up | Turn::Down),
        }
    }

    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Busy(_) => "busy",
            Self::Decided(decided) => match decided.decision.turn {
                Turn::Up => "up",
                Turn::Down => "down",
                Turn::Keep => "keep",
                Turn::Wait => "wait",
            },
        }
    }

    /// For a person.
    pub(super) fn says(&self) -> String {
        match self {
            Self::Busy(says) => says.clone(),
            Self::Decided(decided) => decided.says(),
        }
    }

    /// For a program.
    pub(super) fn as_json(&self) -> Value {
        match self {
            Self::Busy(says) => json!({ "says": says }),
            Self::Decided(decided) => json!({
                "release": decided.release,
                "live": decided.live,
                "wanted": decided.decision.wanted,
                "replicas": decided.decision.replicas,
                "says": decided.says(),
            }),
        }
    }

    /// Whether it would be news to who has seen that one: figures alone are none.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Busy(one), Self::Busy(other)) => one == other,
            (Self::Decided(one), Self::Decided(other)) => {
                let same = |decided: &Decided| {
                    let decision = &decided.decision;
                    (
                        decided.release,
                        decided.live,
                        decision.turn,
                        decision.replicas,
                    )
                };
                same(one) == same(other)
            }
            _ => false,
        }
    }
}
