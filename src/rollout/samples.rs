//! Plans for tests of other rooms.

use super::{Plan, Wish};
use crate::release::ReleaseId;
use crate::spec::{MetricGate, Period, Rollout};

/// A plan with one replica on each side.
pub(crate) fn plan_between(from: Option<u32>, to: u32) -> Plan {
    plan_for(from, to, &Rollout::default(), &[])
}

pub(crate) fn plan_for(
    from: Option<u32>,
    to: u32,
    rollout: &Rollout,
    gates: &[MetricGate],
) -> Plan {
    Plan::new(&Wish {
        from: from.map(|from| (ReleaseId(from), 1)),
        to: ReleaseId(to),
        replicas: 1,
        rollout,
        gates,
        approve: false,
        auto_undo: true,
        startup: Period::secs(60),
    })
}
