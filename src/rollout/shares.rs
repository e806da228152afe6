//! Where a release's share can be no other than that of its replicas: a plan says so, or is refused.

use std::ops::RangeInclusive;

use super::Plan;
use super::plan::Step;
use crate::spec::Percent;

/// How far a share may be from what was asked for, in hundredths of a per cent.
const NEAR: u16 = 50;

impl Plan {
    /// The same plan, with as many candidates in each row as make up its share, and the share that they
    /// make up.
    ///
    /// # Errors
    /// A share that no number of candidates makes up, in words.
    pub(crate) fn by_replicas(mut self) -> Result<Self, String> {
        let most = self.steps.last().map_or(0, |row| row.candidate);
        for row in &mut self.steps {
            if row.weight.is_split() {
                fit(row, most)?;
            }
        }
        Ok(self)
    }
}

fn fit(row: &mut Step, most: u32) -> Result<(), String> {
    let share = |candidates| Percent::of(candidates, row.stable + candidates);
    if let Some(candidates) = nearest(row.weight, 1..=most, share) {
        row.weight = share(candidates);
        row.candidate = candidates;
        return Ok(());
    }
    Err(format!(
        "replicas split requests evenly: beside {} of the stable release, 1 to {most} of the candidate \
         have {}, and never {}",
        row.stable,
        listed(1..=most, share),
        row.weight
    ))
}

/// How many make up the share that is asked for.
pub(super) fn nearest(
    wanted: Percent,
    counts: RangeInclusive<u32>,
    share: impl Fn(u32) -> Percent,
) -> Option<u32> {
    let off = |count: &u32| share(*count).hundredths().abs_diff(wanted.hundredths());
    counts.min_by_key(off).filter(|count| off(count) <= NEAR)
}

/// The shares that there can be.
pub(super) fn listed(counts: RangeInclusive<u32>, share: impl Fn(u32) -> Percent) -> String {
    let all: Vec<String> = counts.map(|count| share(count).to_string()).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::ReleaseId;
    use crate::rollout::Wish;
    use crate::spec::{Period, Rollout, RolloutStep, Strategy};

    fn canary(weights: &[f64]) -> Plan {
        let steps = weights.iter().map(|weight| RolloutStep::Weight {
            weight: Percent::new(*weight).unwrap(),
            hold: Period::default(),
        });
        let rollout = Rollout {
            strategy: Strategy::Canary,
            steps: steps.collect(),
            ..Rollout::default()
        };
        Plan::new(&Wish {
            from: Some((ReleaseId(1), 3)),
            to: ReleaseId(2),
            replicas: 3,
            rollout: &rollout,
            gates: &[],
            approve: false,
            auto_undo: true,
            startup: Period::secs(60),
        })
    }

    #[test]
    fn a_row_has_as_many_candidates_as_its_share_takes() {
        let fitted = canary(&[25.0, 40.0, 50.0]).by_replicas().unwrap();
        let counts: Vec<u32> = fitted.steps.iter().map(|row| row.candidate).collect();
        assert_eq!(counts, [1, 2, 3, 3, 3]);
    }

    #[test]
    fn a_share_that_is_near_becomes_the_one_that_is() {
        let fitted = canary(&[24.6]).by_replicas().unwrap();
        assert_eq!(fitted.steps[0].weight, Percent::new(25.0).unwrap());
    }

    #[test]
    fn a_share_that_cannot_be_is_refused_with_those_that_can() {
        let says = canary(&[10.0]).by_replicas().unwrap_err();
        assert!(says.contains("25 %, 40 %, 50 %, and never 10 %"), "{says}");
    }
}
