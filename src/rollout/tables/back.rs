//! Going back: all at once and without gates, because someone on call wants the old release now.

use super::Wish;
use crate::release::ReleaseId;
use crate::rollout::Plan;
use crate::spec::{Period, Rollout, Strategy};

/// `last` is the plan before this one: where it had no room for two releases side by side, the way
/// back goes replica by replica too. At least one replica of `to` is wanted.
pub(crate) fn back(
    from: Option<(ReleaseId, u32)>,
    to: ReleaseId,
    startup: Period,
    last: Option<&Plan>,
) -> Plan {
    let now = from.map_or(0, |(_, now)| now);
    let usual = last
        .and_then(|plan| plan.steps.last())
        .map_or(1, |step| step.candidate);
    let rollout = match last.and_then(|plan| plan.limit) {
        Some(_) => one_by_one(),
        None => at_once(),
    };
    let plan = Plan::new(&Wish {
        from,
        to,
        replicas: if now > 0 { now } else { usual.max(1) },
        rollout: &Rollout {
            sticky: last.is_none_or(|plan| plan.sticky),
            ..rollout
        },
        gates: &[],
        approve: false,
        auto_undo: true,
        startup,
    });
    Plan {
        goes_back: true,
        ..plan
    }
}

fn at_once() -> Rollout {
    Rollout {
        strategy: Strategy::BlueGreen,
        ..Rollout::default()
    }
}

fn one_by_one() -> Rollout {
    Rollout {
        strategy: Strategy::Rolling,
        max_surge: 0,
        max_unavailable: 1,
        ..Rollout::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::samples::plan_for;

    fn rows(from: Option<(u32, u32)>, last: &Rollout) -> Vec<(u32, u32)> {
        let last = plan_for(Some(1), 2, last, &[]);
        let from = from.map(|(id, now)| (ReleaseId(id), now));
        let plan = back(from, ReleaseId(1), Period::secs(60), Some(&last));
        let steps = plan.steps.iter();
        steps.map(|step| (step.stable, step.candidate)).collect()
    }

    #[test]
    fn at_once_where_there_is_room_and_with_what_ran_last_where_nothing_runs() {
        assert_eq!(rows(Some((2, 3)), &at_once()), [(3, 3), (0, 3)]);
        assert_eq!(rows(Some((2, 0)), &at_once()), [(0, 1), (0, 1)]);
        assert_eq!(rows(None, &at_once()), [(0, 1), (0, 1)]);
    }

    #[test]
    fn one_by_one_where_there_is_none() {
        let rows = rows(Some((2, 2)), &one_by_one());
        assert!(
            rows.iter()
                .all(|(stable, candidate)| stable + candidate <= 2)
        );
        assert_eq!(rows.last(), Some(&(0, 2)));
    }
}
