//! Recorded traffic as the judges see it: reply by reply, in order.

use std::collections::HashMap;

use super::{How, Judged, Observation, What};
use crate::analysis::judges::{
    Arm, Cap, Finding, Kind, Latency, Missing, Rates, Risk, Share, Spend, Thresholds, Unit,
};
use crate::spec::Percent;

/// Quantiles of all replies that a reply is slow beyond.
const SLOW: [f64; 3] = [0.50, 0.95, 0.99];

/// What a conversation counts with at most, in medians of all: one that costs more must not decide
/// alone.
const CAP: f64 = 20.0;

/// One reply.
struct Item {
    time: f64,
    unit: usize,
    /// It begins its conversation.
    begins: bool,
    /// Its conversation had not failed before.
    fails: bool,
    /// The longest time of its replies, and what they cost together: told with the last of them.
    /// Replies of one conversation are no independent witnesses.
    latency: Option<f64>,
    cost: Option<f64>,
}

/// A conversation, or a reply that belongs to none.
struct Whole {
    arm: Option<Arm>,
    weight: Option<Percent>,
    failed: bool,
    latency: Option<f64>,
    cost: Option<f64>,
    last: usize,
}

pub(crate) struct Trial {
    items: Vec<Item>,
    wholes: Vec<Whole>,
    thresholds: Option<Thresholds>,
    cap: Option<Cap>,
}

impl Trial {
    /// In the order of their time.
    ///
    /// # Errors
    /// The name of a conversation that is said to be of both releases.
    pub(crate) fn of(observations: &[Observation]) -> Result<Self, String> {
        let mut trial = Self {
            items: Vec::new(),
            wholes: Vec::new(),
            thresholds: None,
            cap: None,
        };
        let mut names = HashMap::new();
        for observation in observations {
            trial.see(observation, &mut names)?;
        }
        for (unit, whole) in trial.wholes.iter().enumerate() {
            debug_assert_eq!(trial.items[whole.last].unit, unit);
            trial.items[whole.last].cost = whole.cost;
            trial.items[whole.last].latency = whole.latency;
        }
        let latencies = trial.items.iter().filter_map(|item| item.latency);
        trial.thresholds = thresholds(latencies.collect());
        let costs = trial.wholes.iter().filter_map(|whole| whole.cost);
        trial.cap =
            quantile(&mut costs.collect::<Vec<_>>(), 0.5).and_then(|median| Cap::new(CAP * median));
        Ok(trial)
    }

    fn see<'o>(
        &mut self,
        observation: &'o Observation,
        names: &mut HashMap<&'o str, usize>,
    ) -> Result<(), String> {
        let known = observation.conversation.as_deref();
        let known_as = known.and_then(|name| names.get(name).copied());
        let unit = known_as.unwrap_or(self.wholes.len());
        if known_as.is_none() {
            names.extend(known.map(|name| (name, unit)));
            self.wholes.push(Whole {
                arm: observation.arm,
                weight: observation.weight,
                failed: false,
                latency: None,
                cost: None,
                last: 0,
            });
        }
        let whole = &mut self.wholes[unit];
        if whole.arm != observation.arm {
            return Err(known.unwrap_or_default().to_owned());
        }
        let fails = observation.failed && !whole.failed;
        whole.failed |= observation.failed;
        whole.last = self.items.len();
        if let Some(cost) = observation.cost {
            *whole.cost.get_or_insert(0.0) += cost;
        }
        if let Some(seconds) = observation.latency {
            whole.latency = Some(whole.latency.unwrap_or(0.0).max(seconds));
        }
        self.items.push(Item {
            time: observation.time,
            unit,
            begins: known_as.is_none(),
            fails,
            latency: None,
            cost: None,
        });
        Ok(())
    }

    pub(super) fn units(&self) -> usize {
        self.wholes.len()
    }

    /// Replies that say no release are the stable one's.
    pub(super) fn arm_of(&self, unit: usize) -> Arm {
        self.wholes[unit].arm.unwrap_or(Arm::Stable)
    }

    pub(super) fn share_of(&self, unit: usize, how: &How) -> Share {
        let weight = self.wholes[unit].weight;
        let told = weight.and_then(|weight| Share::new(f64::from(weight.hundredths()) / 1e4));
        told.unwrap_or(how.share)
    }

    /// What there is to judge.
    pub(super) fn whats(&self) -> impl Iterator<Item = What> {
        let latency = self.thresholds.as_ref().map(|_| What::Latency);
        let cost = self.cap.map(|_| What::CostPerConversation);
        [Some(What::ErrorRate), latency, cost].into_iter().flatten()
    }

    pub(super) fn run(&self, how: &How, arm_of: impl Fn(usize) -> Arm) -> Run<'_> {
        let mut run = Run::new(self, how);
        for item in &self.items {
            run.see(item, arm_of(item.unit), self.share_of(item.unit, how));
        }
        run
    }
}

fn thresholds(mut latencies: Vec<f64>) -> Option<Thresholds> {
    let quantiles = SLOW.map(|share| quantile(&mut latencies, share));
    let usable = quantiles
        .into_iter()
        .flatten()
        .filter(|seconds| *seconds > 0.0);
    Thresholds::frozen(usable)
}

fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil().max(1.0) as usize;
    values.get(rank - 1).copied()
}

/// A judge's first word that is not "unclear".
type Word = Option<(Finding, f64, u64)>;

/// One pass over the traffic, with the judges asked at every reply.
pub(super) struct Run<'t> {
    trial: &'t Trial,
    share: Option<Share>,
    errors: Rates,
    latency: Option<Latency>,
    spend: Option<Spend>,
    risks: Vec<(What, Risk)>,
    words: Vec<Word>,
    open: Vec<Option<Unit>>,
    begun: u64,
    seen: [Seen; 2],
}

/// Of one release.
#[derive(Clone, Default)]
struct Seen {
    units: u64,
    failed: u64,
    latencies: Vec<f64>,
    costs: Vec<f64>,
}

impl<'t> Run<'t> {
    fn new(trial: &'t Trial, how: &How) -> Self {
        let whats: Vec<What> = trial.whats().collect();
        let kinds: Vec<Kind> = whats.iter().map(|what| what.kind()).collect();
        let risks = how.promise().split(&kinds);
        Self {
            trial,
            share: None,
            errors: Rates::new(how.margin),
            latency: trial
                .thresholds
                .clone()
                .map(|all| Latency::new(all, how.margin)),
            spend: trial.cap.map(|cap| Spend::new(cap, how.margin)),
            words: vec![None; whats.len()],
            risks: whats.into_iter().zip(risks).collect(),
            open: trial.wholes.iter().map(|_| None).collect(),
            begun: 0,
            seen: [Seen::default(), Seen::default()],
        }
    }

    fn see(&mut self, item: &Item, arm: Arm, share: Share) {
        if self.share != Some(share) {
            self.step(share);
        }
        let seen = &mut self.seen[usize::from(arm == Arm::Candidate)];
        if item.begins {
            self.begun += 1;
            seen.units += 1;
            self.open[item.unit] = self.errors.begin(arm);
        }
        if item.fails {
            seen.failed += 1;
            let unit = self.open[item.unit].take();
            unit.into_iter().for_each(|unit| self.errors.fail(unit));
        }
        if let (Some(latency), Some(seconds)) = (&mut self.latency, item.latency) {
            seen.latencies.push(seconds);
            latency.see(arm, seconds);
        }
        if let (Some(spend), Some(cost)) = (&mut self.spend, item.cost) {
            seen.costs.push(cost);
            spend.see(arm, cost);
        }
        self.ask(item.time);
    }

    fn step(&mut self, share: Share) {
        self.share = Some(share);
        self.errors.step(share);
        self.latency
            .iter_mut()
            .for_each(|latency| latency.step(share));
        self.spend.iter_mut().for_each(|spend| spend.step(share));
    }

    /// A release that was stopped stays stopped.
    fn ask(&mut self, time: f64) {
        for at in 0..self.words.len() {
            let (what, risk) = self.risks[at];
            if self.words[at].is_none() {
                let finding = self.finding(what, risk);
                let word = (finding, time, self.begun);
                self.words[at] = (finding != Finding::Unclear).then_some(word);
            } else if matches!(self.words[at], Some((Finding::Pass, ..)))
                && self.finding(what, risk) == Finding::Fail
            {
                self.words[at] = Some((Finding::Fail, time, self.begun));
            }
        }
    }

    fn finding(&self, what: What, risk: Risk) -> Finding {
        let found = match what {
            What::ErrorRate => Some(self.errors.finding(risk)),
            What::Latency => self.latency.as_ref().map(|judge| judge.finding(risk)),
            What::CostPerConversation => self.spend.as_ref().map(|judge| judge.finding(risk)),
        };
        found.unwrap_or(Finding::Unclear)
    }

    pub(super) fn failed(&self) -> impl Iterator<Item = What> {
        let pairs = self.risks.iter().zip(&self.words);
        let failed = pairs.filter(|(_, word)| matches!(word, Some((Finding::Fail, ..))));
        failed.map(|((what, _), _)| *what)
    }

    pub(super) fn judged(self) -> Vec<Judged> {
        let pairs = self.risks.iter().zip(&self.words);
        pairs
            .map(|((what, risk), word)| self.told(*what, *risk, *word))
            .collect()
    }

    fn told(&self, what: What, risk: Risk, word: Word) -> Judged {
        let began = self.trial.items.first().map_or(0.0, |item| item.time);
        let [stable, candidate] = &self.seen;
        Judged {
            what,
            finding: word.map_or(Finding::Unclear, |(finding, ..)| finding),
            after_s: word.map(|(_, time, _)| time - began),
            after_units: word.map(|(_, _, units)| units),
            stable: what.figure(stable),
            candidate: what.figure(candidate),
            evidence: self.evidence(what),
            bound: risk.bound(),
            missing: word.is_none().then(|| self.missing(what)),
        }
    }

    fn evidence(&self, what: What) -> f64 {
        let evidence = match what {
            What::ErrorRate => Some(self.errors.worse()),
            What::Latency => self.latency.as_ref().map(Latency::worse),
            What::CostPerConversation => self.spend.as_ref().map(Spend::worse),
        };
        evidence.unwrap_or(0.0)
    }

    fn missing(&self, what: What) -> String {
        let missing = match what {
            What::ErrorRate => Missing::of_rates(&self.errors),
            What::Latency => {
                let slowest = self.latency.as_ref().and_then(Latency::slowest);
                slowest.map_or(Missing::Everything, Missing::of_rates)
            }
            What::CostPerConversation => {
                let spend = self.spend.as_ref();
                spend.map_or(Missing::Everything, Missing::of_spend)
            }
        };
        let last = self.trial.items.last().map_or(0.0, |item| item.time);
        let first = self.trial.items.first().map_or(0.0, |item| item.time);
        let counted = self.trial.units() as f64;
        let per_second = (last > first).then(|| counted / (last - first));
        missing.says("conversations", what.counted(), per_second, what.harm())
    }
}

impl What {
    fn kind(self) -> Kind {
        match self {
            Self::ErrorRate => Kind::Errors,
            Self::Latency => Kind::Latency,
            Self::CostPerConversation => Kind::Spend,
        }
    }

    fn counted(self) -> &'static str {
        match self {
            Self::ErrorRate => "errors",
            Self::Latency => "slow replies",
            Self::CostPerConversation => "cost",
        }
    }

    fn harm(self) -> &'static str {
        match self {
            Self::ErrorRate => "a doubling of errors",
            Self::Latency => "twice as many slow conversations",
            Self::CostPerConversation => "a doubling of the cost",
        }
    }

    /// The share that failed, the 95th percentile, the mean.
    fn figure(self, seen: &Seen) -> Option<f64> {
        match self {
            Self::ErrorRate => (seen.units > 0).then(|| seen.failed as f64 / seen.units as f64),
            Self::Latency => quantile(&mut seen.latencies.clone(), 0.95),
            Self::CostPerConversation => {
                let count = seen.costs.len() as f64;
                (count > 0.0).then(|| seen.costs.iter().sum::<f64>() / count)
            }
        }
    }
}
