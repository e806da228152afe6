use super::judge::figure;
use super::judges::{EARLY, Finding, Latency, Margin, Missing, Rates, Risk, Spend};
use super::{Evidence, Measures, SOME, Verdict};
use crate::spec::{Metric, MetricGate, Percent};

/// What a gate that compares goes by.
pub(crate) enum Judge {
    Errors(Rates),
    Latency {
        judge: Latency,
        /// What the candidate has begun and not answered is slow here: only so harm is excluded.
        cautious: Latency,
    },
    Spend(Spend),
}

impl Judge {
    fn finding(&self, risk: Risk) -> Finding {
        match self {
            Self::Errors(rates) => rates.finding(risk),
            Self::Spend(spend) => spend.finding(risk),
            Self::Latency { judge, cautious } => {
                match (judge.finding(risk), cautious.finding(risk)) {
                    (Finding::Fail, _) => Finding::Fail,
                    (_, Finding::Pass) => Finding::Pass,
                    _ => Finding::Unclear,
                }
            }
        }
    }

    fn worse(&self) -> f64 {
        match self {
            Self::Errors(rates) => rates.worse(),
            Self::Spend(spend) => spend.worse(),
            Self::Latency { judge, .. } => judge.worse(),
        }
    }

    fn harmless(&self) -> f64 {
        match self {
            Self::Errors(rates) => rates.harmless(),
            Self::Spend(spend) => spend.harmless(),
            Self::Latency { cautious, .. } => {
                let slowest = cautious.slowest();
                slowest.map_or(f64::NEG_INFINITY, Rates::harmless)
            }
        }
    }

    fn missing(&self) -> Missing {
        match self {
            Self::Errors(rates) => Missing::of_rates(rates),
            Self::Spend(spend) => Missing::of_spend(spend),
            Self::Latency { cautious, .. } => {
                let slowest = cautious.slowest();
                slowest.map_or(Missing::Everything, Missing::of_rates)
            }
        }
    }
}

/// A gate's judge, and what it is shown with.
pub(crate) struct Comparison<'a> {
    pub(crate) judge: &'a Judge,
    pub(crate) risk: Risk,
    /// Of the last step; both began at once.
    pub(crate) stable: &'a Measures,
    pub(crate) candidate: &'a Measures,
    /// Milliseconds since the Unix epoch.
    pub(crate) now: u64,
}

impl MetricGate {
    pub(crate) fn margin(&self) -> Margin {
        self.worse_by.and_then(Margin::new).unwrap_or(Margin::NONE)
    }

    /// The shares of the stable release's conversations that a gate on a latency looks at: its own,
    /// and what is slower still.
    pub(crate) fn quantiles(&self) -> &'static [f64] {
        match self.metric {
            Metric::LatencyP50 => &[0.50, 0.95, 0.99],
            Metric::LatencyP95 => &[0.95, 0.99],
            Metric::LatencyP99 => &[0.99],
            _ => &[],
        }
    }
}

/// Judges one gate that compares the candidate with the stable release.
pub(crate) fn compare(gate: &MetricGate, beside: &Comparison) -> Verdict {
    let name = gate.metric.name();
    let finding = beside.judge.finding(beside.risk);
    let says = match finding {
        Finding::Fail => format!("{name} {}, more than chance explains", beside.figures(gate)),
        Finding::Pass => format!(
            "{name} {}, {} is excluded",
            beside.figures(gate),
            harm(gate)
        ),
        Finding::Unclear => beside.missing(gate, name),
    };
    Verdict {
        gate: gate.name.clone().unwrap_or_else(|| name.to_owned()),
        finding,
        figure: compared(gate.metric, beside.candidate),
        says,
        evidence: Evidence::of(beside.judge, beside.risk),
        both: false,
    }
}

impl Evidence {
    fn of(judge: &Judge, risk: Risk) -> Option<Self> {
        let (worse, harmless) = (judge.worse(), judge.harmless());
        (worse.is_finite() && harmless.is_finite()).then_some(Self {
            worse,
            fails: risk.bound(),
            harmless,
            passes: EARLY.bound(),
        })
    }
}

impl Comparison<'_> {
    /// "4.0 % beside 1.0 % (10 % more is no harm)".
    fn figures(&self, gate: &MetricGate) -> String {
        let show = |measures| match compared(gate.metric, measures) {
            Some(figure) => gate.metric.show(figure),
            None => "nothing".to_owned(),
        };
        let margin = Percent::new(gate.margin().get() * 100.0).filter(|more| *more > Percent::ZERO);
        let margin = margin.map_or_else(String::new, |more| format!(" ({more} more is no harm)"));
        format!(
            "{} beside {}{margin}",
            show(self.candidate),
            show(self.stable)
        )
    }

    fn missing(&self, gate: &MetricGate, name: &str) -> String {
        let units = match self.stable.conversations + self.candidate.conversations {
            0 => "requests",
            _ => "conversations",
        };
        let missing = self.judge.missing();
        let mute = self.mute(gate.metric);
        if let Some((who, requests)) = mute.filter(|_| missing == Missing::Everything) {
            return format!(
                "{name} cannot be compared: none of {requests} replies of the {who} release told {}",
                what(gate.metric)
            );
        }
        let says = missing.says(units, what(gate.metric), self.per_second(), &harm(gate));
        match missing {
            Missing::Never => format!("{name} {} {says}", self.figures(gate)),
            _ => format!("{name} {says}"),
        }
    }

    /// Who has answered, and told nothing that the gate could go by: more of it will not help.
    fn mute(&self, metric: Metric) -> Option<(&'static str, u64)> {
        let both = [("stable", self.stable), ("candidate", self.candidate)];
        let is_mute = |(_, all): &(_, &Measures)| {
            metric.is_spend() && all.requests >= SOME && figure(metric, all).is_none()
        };
        let mute = both.into_iter().find(is_mute);
        mute.map(|(who, all)| (who, all.requests))
    }

    fn per_second(&self) -> Option<f64> {
        let begun = self.stable.begun + self.candidate.begun;
        let millis = self.now.saturating_sub(self.candidate.since);
        (begun > 0 && millis > 0).then(|| begun as f64 / (millis as f64 / 1e3))
    }
}

fn harm(gate: &MetricGate) -> String {
    // A margin on a latency is time, and not how many are slow.
    let margin = match gate.metric.is_latency() {
        true => Margin::NONE,
        false => gate.margin(),
    };
    let what = what(gate.metric);
    match margin.harm() {
        2.0 => format!("a doubling of {what}"),
        times => format!("{times:.1} times the {what}"),
    }
}

fn what(metric: Metric) -> &'static str {
    match metric {
        Metric::ErrorRate => "errors",
        Metric::LatencyP50 | Metric::LatencyP95 | Metric::LatencyP99 => "slow replies",
        Metric::Requests => "requests",
        Metric::TokensPerRequest | Metric::TokensPerConversation | Metric::TokensPerCall => {
            "tokens"
        }
        Metric::ModelLatencyP50 | Metric::ModelLatencyP95 | Metric::ModelLatencyP99 => "slow calls",
        Metric::ToolErrorRate => "errors of tools",
        Metric::CostPerConversation => "cost",
        Metric::ToolCallsPerConversation => "tool calls",
        Metric::StepsPerConversation => "steps",
        Metric::Sourced => "what the source counts",
    }
}

/// Where conversations are judged and not requests, the figure is theirs too.
pub(crate) fn compared(metric: Metric, measures: &Measures) -> Option<f64> {
    match metric {
        Metric::ErrorRate => {
            (measures.begun > 0).then(|| measures.failed as f64 / measures.begun as f64)
        }
        Metric::LatencyP50 => measures.slowest(0.50),
        Metric::LatencyP95 => measures.slowest(0.95),
        Metric::LatencyP99 => measures.slowest(0.99),
        metric => figure(metric, measures),
    }
}

#[cfg(test)]
mod tests {
    use super::super::judges::{Arm, Cap, Count, Share};
    use super::*;
    use crate::spec::Against;

    fn gate(worse_by: Option<f64>) -> MetricGate {
        MetricGate {
            against: Some(Against::Stable),
            worse_by,
            ..MetricGate::on(Metric::ErrorRate)
        }
    }

    fn measured((begun, failed): (u64, u64)) -> Measures {
        Measures {
            begun,
            failed,
            conversations: begun,
            ..Measures::default()
        }
    }

    #[test]
    fn what_more_of_the_same_does_not_exclude() {
        let gate = MetricGate {
            against: Some(Against::Stable),
            worse_by: Some(1.0),
            ..MetricGate::on(Metric::TokensPerConversation)
        };
        let mut spend = Spend::new(Cap::new(1_000.0).unwrap(), gate.margin());
        spend.step(Share::new(0.5).unwrap());
        for at in 0..50 {
            spend.see(Arm::Stable, f64::from(at % 5 + 40));
            spend.see(Arm::Candidate, f64::from(at % 5 + 130));
        }
        let used = |tokens| Measures {
            tokens,
            conversations: 50,
            token_requests: 50,
            ..Measures::default()
        };
        let comparison = Comparison {
            judge: &Judge::Spend(spend),
            risk: Risk::new(1e-9).unwrap(),
            stable: &used(2_100),
            candidate: &used(6_600),
            now: 1_000,
        };
        let verdict = compare(&gate, &comparison);
        assert_eq!(verdict.finding, Finding::Unclear);
        assert_eq!(
            verdict.says,
            "tokens_per_conversation 132 beside 42 (100 % more is no harm) does not exclude 3.0 times \
             the tokens so far, and more of the same will not"
        );
    }

    #[test]
    fn who_tells_nothing_is_named() {
        let gate = MetricGate {
            against: Some(Against::Stable),
            ..MetricGate::on(Metric::CostPerConversation)
        };
        let says = |requests| {
            let measures = Measures {
                requests,
                ..measured((requests, 0))
            };
            let comparison = Comparison {
                judge: &Judge::Spend(Spend::new(Cap::new(1.0).unwrap(), gate.margin())),
                risk: Risk::new(0.01).unwrap(),
                stable: &measures,
                candidate: &measures,
                now: 1_000,
            };
            compare(&gate, &comparison).says
        };
        assert_eq!(
            says(19),
            "cost_per_conversation needs conversations of both releases, to exclude a doubling of cost"
        );
        assert_eq!(
            says(240),
            "cost_per_conversation cannot be compared: none of 240 replies of the stable release told cost"
        );
    }

    #[test]
    fn in_words() {
        let cases = [
            (
                None,
                (9_000, 90),
                (1_000, 40),
                Finding::Fail,
                "error_rate 4.0 % beside 1.0 %, more than chance explains",
            ),
            (
                Some(0.1),
                (9_000, 90),
                (1_000, 50),
                Finding::Fail,
                "error_rate 5.0 % beside 1.0 % (10 % more is no harm), more than chance explains",
            ),
            (
                None,
                (90_000, 900),
                (10_000, 100),
                Finding::Pass,
                "error_rate 1.0 % beside 1.0 %, a doubling of errors is excluded",
            ),
            (
                None,
                (900, 9),
                (100, 1),
                Finding::Unclear,
                "error_rate needs about 18,000 more conversations, 29 min at this traffic, to exclude \
                 a doubling of errors",
            ),
            (
                Some(1.0),
                (0, 0),
                (0, 0),
                Finding::Unclear,
                "error_rate needs requests of both releases, to exclude 3.0 times the errors",
            ),
        ];
        for (worse_by, stable, candidate, finding, says) in cases {
            let gate = gate(worse_by);
            let mut rates = Rates::new(gate.margin());
            rates.step(Share::new(0.1).unwrap());
            let count = |(units, failures)| Count::new(units, failures).unwrap();
            rates.told(count(stable), count(candidate));
            let verdict = compare(
                &gate,
                &Comparison {
                    judge: &Judge::Errors(rates),
                    risk: Risk::new(0.01).unwrap(),
                    stable: &measured(stable),
                    candidate: &measured(candidate),
                    now: 100_000,
                },
            );
            assert_eq!((verdict.finding, verdict.says.as_str()), (finding, says));
        }
    }
}
