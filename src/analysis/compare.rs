use super::judges::{EARLY, Finding, Margin, Missing, Rates, Risk};
use super::{Evidence, Measures, Verdict};
use crate::spec::{MetricGate, Percent};

/// What a gate that compares has to go by.
pub(crate) struct Comparison<'a> {
    pub(crate) rates: &'a Rates,
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
}

/// Judges one gate that compares the candidate with the stable release.
pub(crate) fn compare(gate: &MetricGate, beside: &Comparison) -> Verdict {
    let name = gate.metric.name();
    let finding = beside.rates.finding(beside.risk);
    let says = match finding {
        Finding::Fail => format!("{name} {}, more than chance explains", beside.figures(gate)),
        Finding::Pass => format!(
            "{name} {}, {} is excluded",
            beside.figures(gate),
            harm(gate)
        ),
        Finding::Unclear => format!("{name} needs {}", beside.missing(gate)),
    };
    Verdict {
        gate: gate.name.clone().unwrap_or_else(|| name.to_owned()),
        finding,
        figure: rate(beside.candidate),
        says,
        evidence: Evidence::of(beside.rates, beside.risk),
    }
}

impl Evidence {
    fn of(rates: &Rates, risk: Risk) -> Option<Self> {
        let (worse, harmless) = (rates.worse(), rates.harmless());
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
        let show = |measures| match rate(measures) {
            Some(rate) => gate.metric.show(rate),
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

    fn missing(&self, gate: &MetricGate) -> String {
        let units = match self.stable.conversations + self.candidate.conversations {
            0 => "requests",
            _ => "conversations",
        };
        Missing::of_rates(self.rates).says(units, self.per_second(), &harm(gate))
    }

    fn per_second(&self) -> Option<f64> {
        let begun = self.stable.begun + self.candidate.begun;
        let millis = self.now.saturating_sub(self.candidate.since);
        (begun > 0 && millis > 0).then(|| begun as f64 / (millis as f64 / 1e3))
    }
}

fn harm(gate: &MetricGate) -> String {
    match gate.margin().harm() {
        2.0 => "a doubling of errors".to_owned(),
        times => format!("{times:.1} times the errors"),
    }
}

fn rate(measures: &Measures) -> Option<f64> {
    (measures.begun > 0).then(|| measures.failed as f64 / measures.begun as f64)
}

#[cfg(test)]
mod tests {
    use super::super::judges::{Count, Share};
    use super::*;
    use crate::spec::{Against, Metric, Unclear};

    fn gate(worse_by: Option<f64>) -> MetricGate {
        MetricGate {
            name: None,
            metric: Metric::ErrorRate,
            max: None,
            min: None,
            against: Some(Against::Stable),
            worse_by,
            early: false,
            min_requests: 20,
            unclear: Unclear::Wait,
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
                    rates: &rates,
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
