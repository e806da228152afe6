//! Where both releases' replicas are one set, in which one more of one is one fewer of the other: a
//! plan takes their places in turn, and traffic is split as the places are.

use super::Plan;
use super::plan::{Gate, Step};
use super::shares::{listed, nearest};
use crate::spec::{Percent, Strategy};

impl Plan {
    /// The same rollout as the places of one set: `before` of them, each of one release.
    ///
    /// # Errors
    /// A strategy that needs both releases whole, or a share that no number of places makes up, in
    /// words.
    pub(crate) fn in_turn(mut self) -> Result<Self, String> {
        let before = self.undo.first().map_or(0, |row| row.stable);
        self.one_set = true;
        match self.stable() {
            // One place is one change, and with none there is nothing to change.
            Some(_) if before > 1 => self.turns(before),
            _ => Ok(self.in_place()),
        }
    }

    fn turns(mut self, before: u32) -> Result<Self, String> {
        let Some(last) = self.steps.pop() else {
            return Ok(self);
        };
        let (trials, shares): (Vec<Step>, Vec<Step>) =
            self.steps.drain(..).partition(|row| row.weight.is_zero());
        let (full, shares): (Vec<Step>, Vec<Step>) = shares
            .into_iter()
            .partition(|row| row.weight == Percent::FULL);
        let shares = match self.strategy {
            Strategy::Canary => canary(&shares, before)?,
            Strategy::Rolling => (1..before).map(|places| split(before, places)).collect(),
            // Going back, all at once: the set itself takes place after place.
            Strategy::BlueGreen => vec![split(before, 1)],
            Strategy::Auto | Strategy::Shadow | Strategy::Ab => return Err(two_sets()),
        };
        let full = Step {
            gates: gates(&full),
            ..Step::new(0, before.max(last.candidate), Percent::FULL)
        };
        self.steps = tried(&gates(&trials), before)
            .chain(shares)
            .chain([full, last])
            .collect();
        self.undo = vec![Step::new(before, 0, Percent::ZERO); self.steps.len() - 1];
        // From a whole set, one place has to be back before traffic leaves the others.
        if let Some(whole) = self.undo.last_mut() {
            *whole = split(before, before - 1);
        }
        Ok(self)
    }
}

fn two_sets() -> String {
    "both releases have to stand side by side for that, and its replicas are one set".to_owned()
}

fn split(before: u32, places: u32) -> Step {
    Step::new(before - places, places, Percent::of(places, before))
}

fn gates(rows: &[Step]) -> Vec<Gate> {
    rows.iter().flat_map(|row| row.gates.clone()).collect()
}

/// A person may take hours, and meanwhile all places are as they were.
fn tried(gates: &[Gate], before: u32) -> impl Iterator<Item = Step> + use<> {
    let (approvals, probes): (Vec<Gate>, Vec<Gate>) = gates
        .iter()
        .cloned()
        .partition(|gate| matches!(gate, Gate::Approve(_)));
    [(0, approvals), (1, probes)]
        .into_iter()
        .filter(|(_, gates)| !gates.is_empty())
        .map(move |(places, gates)| Step {
            gates,
            ..Step::new(before - places, places, Percent::ZERO)
        })
}

/// Beginning with one place, so that somebody else serves when the others follow.
fn canary(rows: &[Step], before: u32) -> Result<Vec<Step>, String> {
    let rows: Vec<Step> = rows
        .iter()
        .map(|row| fitted(row, before))
        .collect::<Result<_, _>>()?;
    let begins = rows.is_empty().then(|| split(before, 1));
    Ok(begins.into_iter().chain(rows).collect())
}

fn fitted(row: &Step, before: u32) -> Result<Step, String> {
    let (places, share) = (1..=before - 1, |places| Percent::of(places, before));
    match nearest(row.weight, places.clone(), share) {
        Some(places) => Ok(Step {
            gates: row.gates.clone(),
            ..split(before, places)
        }),
        None => Err(format!(
            "requests are split evenly over the {before} replicas of one set: 1 to {} of the new \
             release have {}, and never {}",
            before - 1,
            listed(places, share),
            row.weight
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::ReleaseId;
    use crate::rollout::Wish;
    use crate::rollout::samples::plan_for;
    use crate::spec::{Period, Probe, Rollout, RolloutStep};

    type Row = (u32, u32, u16);

    fn rows(steps: &[Step]) -> Vec<Row> {
        let row = |row: &Step| (row.stable, row.candidate, row.weight.hundredths());
        steps.iter().map(row).collect()
    }

    fn probe() -> Probe {
        let probe = serde_json::json!({ "request": { "path": "/chat" } });
        serde_json::from_value(probe).unwrap()
    }

    fn plan(rollout: &Rollout, replicas: u32) -> Plan {
        Plan::new(&Wish {
            from: Some((ReleaseId(1), 3)),
            to: ReleaseId(2),
            replicas,
            rollout,
            gates: &[],
            approve: true,
            auto_undo: true,
            startup: Period::secs(60),
        })
    }

    fn canary_of(weights: &[f64]) -> Rollout {
        let steps = weights.iter().map(|weight| RolloutStep::Weight {
            weight: Percent::new(*weight).unwrap(),
            hold: Period::secs(5),
        });
        Rollout {
            strategy: Strategy::Canary,
            steps: steps.collect(),
            probe: vec![probe()],
            ..Rollout::default()
        }
    }

    #[test]
    fn each_place_is_taken_after_the_one_before_it() {
        let rollout = Rollout {
            strategy: Strategy::Rolling,
            ..Rollout::default()
        };
        let plan = plan(&rollout, 5).in_turn().unwrap();
        let expected: [Row; 5] = [
            (3, 0, 0),
            (2, 1, 3333),
            (1, 2, 6666),
            (0, 5, 10_000),
            (0, 5, 10_000),
        ];
        assert_eq!(rows(&plan.steps), expected);
        let back: [Row; 4] = [(3, 0, 0), (3, 0, 0), (3, 0, 0), (1, 2, 6666)];
        assert_eq!(rows(&plan.undo), back);
        assert!(plan.check().is_ok() && plan.one_set);
    }

    #[test]
    fn a_smaller_set_gives_up_places_when_all_are_taken() {
        let plan = plan(&canary_of(&[33.3]), 1).in_turn().unwrap();
        let expected: [Row; 5] = [
            (3, 0, 0),
            (2, 1, 0),
            (2, 1, 3333),
            (0, 3, 10_000),
            (0, 1, 10_000),
        ];
        assert_eq!(rows(&plan.steps), expected);
        assert_eq!(plan.steps[1].gates, [Gate::Probe]);
        assert_eq!(plan.steps[2].gates, [Gate::Hold(Period::secs(5))]);
    }

    #[test]
    fn a_share_that_no_number_of_places_makes_up_is_refused() {
        let says = plan(&canary_of(&[10.0]), 3).in_turn().unwrap_err();
        assert!(says.contains("33.33 %, 66.66 %, and never 10 %"), "{says}");
    }

    #[test]
    fn what_needs_both_releases_whole_is_refused() {
        let rollout = Rollout {
            strategy: Strategy::Shadow,
            ..Rollout::default()
        };
        assert!(plan(&rollout, 3).in_turn().is_err());
    }

    #[test]
    fn one_place_is_one_change() {
        let plan = plan_for(Some(1), 2, &canary_of(&[]), &[]);
        let plan = Plan {
            undo: vec![Step::new(1, 0, Percent::ZERO); plan.undo.len()],
            ..plan
        };
        let plan = plan.in_turn().unwrap();
        assert!(plan.steps.iter().all(|row| row.stable == 0));
    }
}
