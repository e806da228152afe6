//! What holds for all judges.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;

/// What a judge is fed with.
#[derive(Clone, Copy, Debug)]
enum Feed {
    Step(f64),
    Seen(Arm, f64),
}

trait Fed {
    type Evidence: Serialize + DeserializeOwned;

    fn fed(&mut self, feed: Feed);
    fn evidence(&self) -> Self::Evidence;
    fn resumed(evidence: Self::Evidence) -> Self;
    fn bits(&self) -> Vec<u64>;
    fn finding(&self, risk: Risk) -> Finding;
}

fn margin() -> Margin {
    Margin::new(0.1).unwrap()
}

fn fresh() -> (Rates, Latency, Spend) {
    let thresholds = Thresholds::frozen([0.2, 0.5, 0.9]).unwrap();
    (
        Rates::new(margin()),
        Latency::new(thresholds, margin()),
        Spend::new(Cap::new(0.8).unwrap(), margin()),
    )
}

impl Fed for Rates {
    type Evidence = Vec<Tally>;

    fn fed(&mut self, feed: Feed) {
        match feed {
            Feed::Step(share) => self.step(Share::new(share).unwrap()),
            Feed::Seen(arm, value) => {
                let unit = self.begin(arm);
                if let Some(unit) = unit.filter(|_| value > 0.8) {
                    self.fail(unit);
                }
            }
        }
    }

    fn evidence(&self) -> Vec<Tally> {
        self.evidence().to_vec()
    }

    fn resumed(evidence: Vec<Tally>) -> Self {
        Self::resume(margin(), evidence)
    }

    fn bits(&self) -> Vec<u64> {
        vec![self.worse().to_bits(), self.harmless().to_bits()]
    }

    fn finding(&self, risk: Risk) -> Finding {
        self.finding(risk)
    }
}

impl Fed for Latency {
    type Evidence = LatencyEvidence;

    fn fed(&mut self, feed: Feed) {
        match feed {
            Feed::Step(share) => self.step(Share::new(share).unwrap()),
            Feed::Seen(arm, value) => self.see(arm, value),
        }
    }

    fn evidence(&self) -> LatencyEvidence {
        self.evidence()
    }

    fn resumed(evidence: LatencyEvidence) -> Self {
        Self::resume(margin(), evidence)
    }

    fn bits(&self) -> Vec<u64> {
        let slowest = self.slowest().map_or(0.0, Rates::harmless);
        vec![self.worse().to_bits(), slowest.to_bits()]
    }

    fn finding(&self, risk: Risk) -> Finding {
        self.finding(risk)
    }
}

impl Fed for Spend {
    type Evidence = SpendEvidence;

    fn fed(&mut self, feed: Feed) {
        match feed {
            Feed::Step(share) => self.step(Share::new(share).unwrap()),
            Feed::Seen(arm, value) => self.see(arm, value),
        }
    }

    fn evidence(&self) -> SpendEvidence {
        self.evidence()
    }

    fn resumed(evidence: SpendEvidence) -> Self {
        Self::resume(margin(), evidence)
    }

    fn bits(&self) -> Vec<u64> {
        vec![self.worse().to_bits(), self.mean().evidence().to_bits()]
    }

    fn finding(&self, risk: Risk) -> Finding {
        self.finding(risk)
    }
}

/// Written down and read again.
fn cut<J: Fed>(judge: &J) -> J {
    let text = serde_json::to_string(&judge.evidence()).unwrap();
    J::resumed(serde_json::from_str(&text).unwrap())
}

fn is_alike_when_cut<J: Fed>(mut whole: J, feeds: &[Feed], at: &[bool]) {
    let mut parts = cut(&whole);
    for (feed, is_cut) in feeds.iter().zip(at.iter().cycle()) {
        whole.fed(*feed);
        parts.fed(*feed);
        if *is_cut {
            parts = cut(&parts);
        }
        assert_eq!(whole.bits(), parts.bits());
    }
}

fn is_never_decided<J: Fed>(mut judge: J, feeds: &[Feed]) {
    for feed in feeds {
        judge.fed(*feed);
        let finding = judge.finding(Risk::new(0.49).unwrap());
        assert_eq!(finding, Finding::Unclear, "{feed:?}");
    }
}

fn arm() -> impl Strategy<Value = Arm> {
    prop_oneof![Just(Arm::Stable), Just(Arm::Candidate)]
}

fn feed() -> impl Strategy<Value = Feed> {
    prop_oneof![
        1 => prop_oneof![Just(0.05), Just(0.25), Just(0.5), Just(0.8)].prop_map(Feed::Step),
        40 => (arm(), 0.0..1.0f64).prop_map(|(arm, value)| Feed::Seen(arm, value)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn cut_anywhere_evidence_is_worth_the_same(
        feeds in prop::collection::vec(feed(), 0..300),
        at in prop::collection::vec(any::<bool>(), 1..7),
    ) {
        let (rates, latency, spend) = fresh();
        let feeds = [vec![Feed::Step(0.5)], feeds].concat();
        is_alike_when_cut(rates, &feeds, &at);
        is_alike_when_cut(latency, &feeds, &at);
        is_alike_when_cut(spend, &feeds, &at);
    }

    /// However sure one may be already of being wrong in half of all cases.
    #[test]
    fn with_one_arm_nothing_is_decided(
        arm in arm(),
        values in prop::collection::vec(0.0..1.0f64, 0..300),
    ) {
        let seen = values.into_iter().map(|value| Feed::Seen(arm, value));
        let feeds: Vec<Feed> = std::iter::once(Feed::Step(0.5)).chain(seen).collect();
        let (rates, latency, spend) = fresh();
        is_never_decided(rates, &feeds);
        is_never_decided(latency, &feeds);
        is_never_decided(spend, &feeds);
    }
}

#[test]
fn what_is_not_a_number_was_not_measured() {
    let nothing = [f64::NAN, f64::NEG_INFINITY, -1.0];
    let feeds: Vec<Feed> = (0..2_000)
        .map(|at| match at {
            0 => Feed::Step(0.5),
            _ if at % 2 == 0 => Feed::Seen(Arm::Stable, nothing[at % 3]),
            _ => Feed::Seen(Arm::Candidate, nothing[at % 3]),
        })
        .collect();
    let (_, _, spend) = fresh();
    is_never_decided(spend, &feeds);
    let all_nan: Vec<Feed> = feeds
        .iter()
        .map(|feed| match feed {
            Feed::Seen(arm, _) => Feed::Seen(*arm, f64::NAN),
            step @ Feed::Step(_) => *step,
        })
        .collect();
    let (_, latency, _) = fresh();
    is_never_decided(latency, &all_nan);
}

#[test]
fn a_mean_of_e_values() {
    let logs = [0.0f64, 2.0, -1.0];
    let plain = (logs.iter().map(|log| log.exp()).sum::<f64>() / 3.0).ln();
    assert!((ln_mean(logs.into_iter()) - plain).abs() < 1e-12);
    assert!(ln_mean([800.0, -800.0].into_iter()).is_finite());
}

#[test]
fn evidence_does_not_grow_with_what_was_seen() {
    let written = |judge: &dyn Fn() -> serde_json::Value| judge().to_string().len();
    let (mut rates, mut latency, mut spend) = fresh();
    let feeds = (0..20_000).map(|at| match at {
        0 => Feed::Step(0.5),
        _ if at % 3 == 0 => Feed::Seen(Arm::Stable, f64::from(at % 10) / 10.0),
        _ => Feed::Seen(Arm::Candidate, f64::from(at % 7) / 7.0),
    });
    for feed in feeds {
        rates.fed(feed);
        latency.fed(feed);
        spend.fed(feed);
    }
    assert!(written(&|| serde_json::to_value(rates.evidence()).unwrap()) < 200);
    assert!(written(&|| serde_json::to_value(latency.evidence()).unwrap()) < 600);
    assert!(written(&|| serde_json::to_value(spend.evidence()).unwrap()) < 2_500);
}
