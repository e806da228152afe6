use super::*;

fn share(share: f64) -> Share {
    Share::new(share).unwrap()
}

fn count(units: u64, failures: u64) -> Count {
    Count::new(units, failures).unwrap()
}

fn risk() -> Risk {
    Risk::new(0.01).unwrap()
}

fn told(share: f64, stable: Count, candidate: Count) -> Rates {
    let mut rates = Rates::new(Margin::NONE);
    rates.step(self::share(share));
    rates.told(stable, candidate);
    rates
}

#[test]
fn worse_harmless_and_neither() {
    let cases = [
        (count(9_000, 90), count(1_000, 10), Finding::Unclear),
        (count(9_000, 90), count(1_000, 40), Finding::Fail),
        (count(90_000, 900), count(10_000, 100), Finding::Pass),
        (count(90_000, 900), count(10_000, 0), Finding::Pass),
    ];
    for (stable, candidate, finding) in cases {
        let rates = told(0.1, stable, candidate);
        assert_eq!(rates.finding(risk()), finding, "{rates:?}");
    }
}

#[test]
fn a_margin_lets_it_be_worse() {
    let (stable, candidate) = (count(9_000, 900), count(1_000, 170));
    assert_eq!(told(0.1, stable, candidate).finding(risk()), Finding::Fail);
    let mut lenient = Rates::new(Margin::new(1.0).unwrap());
    lenient.step(share(0.1));
    lenient.told(stable, candidate);
    assert_eq!(lenient.finding(risk()), Finding::Pass);
}

#[test]
fn what_cannot_be_compared_says_nothing() {
    let cases = [
        ("no traffic", count(0, 0), count(0, 0)),
        ("no stable release", count(0, 0), count(10_000, 10_000)),
        ("no candidate", count(10_000, 10_000), count(0, 0)),
        ("another split", count(5_000, 10), count(5_000, 5_000)),
    ];
    for (what, stable, candidate) in cases {
        let rates = told(0.1, stable, candidate);
        assert_eq!(rates.finding(risk()), Finding::Unclear, "{what}");
        assert_eq!(rates.worse(), 0.0, "{what}");
    }
}

#[test]
fn nothing_begins_before_the_first_step() {
    let mut rates = Rates::new(Margin::NONE);
    assert!(rates.begin(Arm::Candidate).is_none());
    rates.told(count(10, 1), count(10, 9));
    assert_eq!(rates.evidence(), []);
    assert_eq!(rates.finding(risk()), Finding::Unclear);
}

/// Added up over weights, a candidate that got its share when everything failed would look bad.
#[test]
fn each_step_is_compared_by_its_own_share() {
    let mut rates = told(0.05, count(950, 10), count(50, 0));
    rates.step(share(0.5));
    rates.told(count(1_000, 100), count(1_000, 100));
    assert!(rates.worse() < 0.0, "{}", rates.worse());
    let pooled = told(0.2625, count(1_950, 110), count(1_050, 100));
    assert!(pooled.worse() > 1.0 || !pooled.tallies[0].comparable);
}

#[test]
fn a_failure_counts_where_its_conversation_began() {
    let mut rates = Rates::new(Margin::NONE);
    rates.step(share(0.1));
    let early = rates.begin(Arm::Candidate).unwrap();
    rates.step(share(0.5));
    rates.fail(early);
    assert_eq!(rates.tallies[0].candidate, count(1, 1));
    assert_eq!(rates.tallies[1].candidate, count(0, 0));
}

#[test]
fn more_failures_than_units_are_not_read() {
    assert_eq!(Count::new(1, 2), None);
    assert!(serde_json::from_str::<Count>("[1,2]").is_err());
}
