//! Where two releases cannot stand side by side, one takes the other's place at once.

use super::Plan;
use super::plan::{Gate, Step};
use crate::spec::Percent;

impl Plan {
    /// The same rollout in one change, with its approvals before it and its holds after it. Probes need
    /// a candidate beside the stable release, and are left out.
    pub(crate) fn in_place(mut self) -> Self {
        let Some(last) = self
            .steps
            .last()
            .cloned()
            .filter(|_| self.stable().is_some())
        else {
            return self;
        };
        let before = self.undo.first().map_or(0, |row| row.stable);
        let all = self.steps.iter().flat_map(|row| row.gates.clone());
        let (approvals, others): (Vec<Gate>, Vec<Gate>) = all
            .filter(|gate| *gate != Gate::Probe)
            .partition(|gate| matches!(gate, Gate::Approve(_)));
        let full = Step {
            gates: others,
            ..Step::new(0, last.candidate, Percent::FULL)
        };
        let trial = Step {
            gates: approvals,
            ..Step::new(before, 0, Percent::ZERO)
        };
        let trial = Some(trial).filter(|row| !row.gates.is_empty());
        self.steps = trial.into_iter().chain([full, last]).collect();
        self.undo = vec![Step::new(before, 0, Percent::ZERO); self.steps.len() - 1];
        self.limit = None;
        self
    }

    /// Whether one release leaves its places before the other has any.
    pub(crate) fn is_in_place(&self) -> bool {
        let is_one = |row: &Step| row.stable == 0 || row.candidate == 0;
        self.stable().is_some() && self.steps.iter().all(is_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::samples::plan_for;
    use crate::spec::{Period, Rollout, Strategy};

    #[test]
    fn one_row_takes_the_others_place_and_the_way_back_is_the_same() {
        let rollout = Rollout {
            strategy: Strategy::BlueGreen,
            bake: Period::secs(5),
            ..Rollout::default()
        };
        let plan = plan_for(Some(1), 2, &rollout, &[]).in_place();
        let rows = |rows: &[Step]| -> Vec<(u32, u32)> {
            rows.iter().map(|row| (row.stable, row.candidate)).collect()
        };
        assert_eq!(rows(&plan.steps), [(0, 1), (0, 1)]);
        assert_eq!(rows(&plan.undo), [(1, 0)]);
        assert_eq!(plan.steps[0].gates, [Gate::Hold(Period::secs(5))]);
        assert!(plan.check().is_ok());
        assert!(plan.is_in_place());
        assert!(!plan_for(Some(1), 2, &rollout, &[]).is_in_place());
    }

    #[test]
    fn a_first_deploy_replaces_nothing() {
        let plan = plan_for(None, 1, &Rollout::default(), &[]);
        assert_eq!(plan.clone().in_place(), plan);
    }
}
