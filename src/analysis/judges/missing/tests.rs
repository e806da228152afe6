use super::super::{Arm, Cap, Count, Margin, Risk, Share};
use super::*;
use crate::analysis::Finding;

fn rates(share: f64, stable: (u64, u64), candidate: (u64, u64)) -> Rates {
    let mut rates = Rates::new(Margin::NONE);
    rates.step(Share::new(share).unwrap());
    let count = |(units, failures)| Count::new(units, failures).unwrap();
    rates.told(count(stable), count(candidate));
    rates
}

#[test]
fn in_words() {
    let harm = "a doubling of errors";
    let cases = [
        (
            Missing::Units(1_873),
            Some(0.79),
            "needs about 1,900 more conversations, 40 min at this traffic, to exclude a doubling of errors",
        ),
        (
            Missing::Units(1),
            Some(1.0),
            "needs about 1 more conversations, 1 s at this traffic, to exclude a doubling of errors",
        ),
        (
            Missing::Units(11_900),
            Some(0.0),
            "needs about 12,000 more conversations, to exclude a doubling of errors",
        ),
        (
            Missing::Units(1_234_567),
            Some(0.1),
            "needs about 1,300,000 more conversations, 150 days at this traffic, to exclude a doubling of errors",
        ),
        (
            Missing::Failures(96),
            Some(1.0),
            "needs about 96 conversations with errors, and has seen none yet, to exclude a doubling of errors",
        ),
        (
            Missing::Everything,
            None,
            "needs conversations of both releases, to exclude a doubling of errors",
        ),
        (
            Missing::Split {
                ordered: 0.1,
                seen: 0.5,
            },
            Some(1.0),
            "is not compared: the candidate began 50.0 % of conversations in place of 10.0 %",
        ),
        (
            Missing::Never,
            Some(1.0),
            "does not exclude a doubling of errors so far, and more of the same will not",
        ),
    ];
    for (missing, per_second, says) in cases {
        assert_eq!(
            missing.says("conversations", "errors", per_second, harm),
            says
        );
    }
}

/// statistics.md: at a tenth and one per cent a doubling is excluded after 119 failures (median) to
/// 381 (19 of 20), so after 11.9 k to 38.1 k conversations.
#[test]
fn so_many_conversations() {
    let seen = rates(0.1, (900, 9), (100, 1));
    let Missing::Units(more) = Missing::of_rates(&seen) else {
        panic!("{seen:?}")
    };
    assert!((11_900..38_100).contains(&more), "{more}");
}

/// Before any failure, too.
#[test]
fn a_split_that_is_not_the_ordered_one_is_told() {
    let of = |share, stable, candidate| Missing::of_rates(&rates(share, stable, candidate));
    let told = Missing::Split {
        ordered: 0.1,
        seen: 0.5,
    };
    assert_eq!(of(0.1, (500, 5), (500, 5)), told);
    assert_eq!(of(0.1, (500, 0), (500, 0)), told);
    assert!(matches!(of(0.1, (900, 0), (100, 0)), Missing::Failures(_)));
    assert_eq!(of(0.1, (2_000, 0), (0, 0)), Missing::Everything);
}

#[test]
fn with_so_many_more_it_is_decided() {
    let seen = rates(0.1, (900, 9), (100, 1));
    let Missing::Units(more) = Missing::of_rates(&seen) else {
        panic!("{seen:?}")
    };
    let units = 1_000 + more.next_multiple_of(1_000);
    let of = |part: u64| (units * part / 10, units * part / 1_000);
    let then = rates(0.1, of(9), of(1));
    assert_eq!(then.finding(Risk::new(0.01).unwrap()), Finding::Pass);
}

#[test]
fn nothing_to_go_by() {
    let none = Rates::new(Margin::NONE);
    assert_eq!(Missing::of_rates(&none), Missing::Everything);
    let one_sided = rates(0.1, (900, 9), (0, 0));
    assert_eq!(Missing::of_rates(&one_sided), Missing::Everything);
    let whole = rates(0.1, (900, 0), (100, 0));
    assert!(matches!(Missing::of_rates(&whole), Missing::Failures(_)));
}

#[test]
fn of_what_is_spent() {
    let mut spend = Spend::new(Cap::new(10.0).unwrap(), Margin::NONE);
    assert_eq!(Missing::of_spend(&spend), Missing::Everything);
    spend.step(Share::new(0.5).unwrap());
    for at in 0..20 {
        spend.see(Arm::Stable, f64::from(at % 5));
        spend.see(Arm::Candidate, f64::from(at % 5));
    }
    assert!(matches!(Missing::of_spend(&spend), Missing::Units(1..)));
    for at in 0..100 {
        spend.see(Arm::Stable, f64::from(at % 3 + 1));
        spend.see(Arm::Candidate, 2.5 * f64::from(at % 3 + 1));
    }
    assert_eq!(Missing::of_spend(&spend), Missing::Never);
}
