//! What is rolled out, and into what.

use super::super::event::{Live, Side, Slot};
use super::super::plan::Plan;
use super::super::tables::Wish;
use super::world::World;
use crate::release::ReleaseId;
use crate::spec::{Percent, Period, Probe, Rollout, RolloutStep, Strategy};

const STABLE: ReleaseId = ReleaseId(1);
const CANDIDATE: ReleaseId = ReleaseId(2);
const ABANDONED: ReleaseId = ReleaseId(9);

pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) plan: Plan,
    pub(super) world: World,
    /// The most replicas that may be kept up at once.
    pub(super) most: u32,
    /// The fewest that are to serve.
    pub(super) fewest: u32,
    pub(super) faults: u8,
}

/// What an abandoned rollout left behind.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    Nothing,
    Idle,
    WithTraffic,
    Candidate,
    CandidateWithTraffic,
    CandidateWithCopies,
}

const LEFT: [Left; 6] = [
    Left::Nothing,
    Left::Idle,
    Left::WithTraffic,
    Left::Candidate,
    Left::CandidateWithTraffic,
    Left::CandidateWithCopies,
];

/// For these counts of replicas: (now, then).
pub(super) fn scenarios(counts: &[(u32, u32)]) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for rollout in rollouts() {
        for &(now, then) in counts {
            scenarios.extend(LEFT.map(|left| takeover(&rollout, now, then, left)));
        }
        for &(_, then) in counts.iter().filter(|(now, then)| now == then) {
            scenarios.extend(LEFT[..3].iter().map(|left| first(&rollout, then, *left)));
        }
    }
    scenarios.extend(counts.iter().map(|&(now, then)| scale(now, then)));
    scenarios.extend(sets(counts));
    scenarios
}

/// Probed, and rolling also without, where the first candidate gets traffic at once.
fn rollouts() -> Vec<Rollout> {
    let rolling = |surge, unavailable| Rollout {
        max_surge: surge,
        max_unavailable: unavailable,
        ..rollout(Strategy::Rolling)
    };
    let unprobed = |rollout| Rollout {
        probe: Vec::new(),
        ..rollout
    };
    vec![
        rolling(1, 0),
        rolling(0, 1),
        rolling(1, 1),
        unprobed(rolling(2, 1)),
        unprobed(rolling(0, 1)),
        rollout(Strategy::BlueGreen),
        rollout(Strategy::Canary),
        rollout(Strategy::Ab),
        rollout(Strategy::Shadow),
        Rollout {
            steps: Vec::new(),
            ..unprobed(rollout(Strategy::Shadow))
        },
    ]
}

/// Both releases in one set, which has one place too few while one is changed.
fn sets(counts: &[(u32, u32)]) -> Vec<Scenario> {
    let unprobed = |strategy| Rollout {
        probe: Vec::new(),
        ..rollout(strategy)
    };
    let all = [
        rollout(Strategy::Rolling),
        unprobed(Strategy::Rolling),
        unprobed(Strategy::BlueGreen),
        Rollout {
            steps: vec![RolloutStep::Approve {
                approve: "full traffic".to_owned(),
            }],
            ..rollout(Strategy::Canary)
        },
    ];
    let each = |rollout: &Rollout, &(now, then): &(u32, u32)| {
        let left = [Left::Nothing, Left::CandidateWithTraffic];
        left.map(|left| in_turn(takeover(rollout, now, then, left), (now, then)))
    };
    let takeovers = all
        .iter()
        .flat_map(|rollout| counts.iter().flat_map(move |counts| each(rollout, counts)));
    let scales = counts.iter().map(|&(now, then)| {
        let mut scale = scale(now, then);
        scale.world.set = Some(Slot::Candidate);
        scale
    });
    takeovers.chain(scales).collect()
}

fn in_turn(scenario: Scenario, (now, then): (u32, u32)) -> Scenario {
    let live = scenario.world.live;
    let set = match live.candidate.wanted {
        0 => Slot::Stable,
        _ => Slot::Candidate,
    };
    Scenario {
        name: format!("one set, {}", scenario.name),
        plan: scenario.plan.in_turn().unwrap(),
        most: now.max(then),
        fewest: then.min(now - 1),
        world: World {
            set: Some(set),
            ..World::new(live)
        },
        faults: scenario.faults,
    }
}

fn rollout(strategy: Strategy) -> Rollout {
    let probe = serde_json::json!({ "request": { "path": "/chat" } });
    let weight = |hundredths| RolloutStep::Weight {
        weight: Percent::from_hundredths(hundredths),
        hold: Period::secs(300),
    };
    let approve = RolloutStep::Approve {
        approve: "full traffic".to_owned(),
    };
    Rollout {
        strategy,
        steps: vec![weight(500), weight(5000), approve, weight(10_000)],
        bake: Period::secs(900),
        probe: vec![serde_json::from_value::<Probe>(probe).unwrap()],
        ..Rollout::default()
    }
}

fn plan(rollout: &Rollout, from: Option<(ReleaseId, u32)>, then: u32) -> Plan {
    Plan::new(&Wish {
        from,
        to: CANDIDATE,
        replicas: then,
        rollout,
        gates: &[],
        approve: false,
        auto_undo: true,
        startup: Period::secs(60),
    })
}

fn takeover(rollout: &Rollout, now: u32, then: u32, left: Left) -> Scenario {
    let least = now.min(then);
    let (most, fewest) = match rollout.strategy {
        Strategy::Rolling => (
            now.max(then) + rollout.max_surge,
            least.saturating_sub(rollout.max_unavailable),
        ),
        Strategy::BlueGreen
        | Strategy::Canary
        | Strategy::Shadow
        | Strategy::Ab
        | Strategy::Auto => (now + then, least),
    };
    let plan = plan(rollout, Some((STABLE, now)), then);
    let live = Live {
        stable: running(now),
        weight: Some(Percent::ZERO),
        ..Live::default()
    };
    scenario(plan, live, left, (most, fewest))
}

fn first(rollout: &Rollout, then: u32, left: Left) -> Scenario {
    scenario(plan(rollout, None, then), Live::default(), left, (then, 0))
}

fn scale(now: u32, then: u32) -> Scenario {
    let plan = plan(&rollout(Strategy::Rolling), Some((CANDIDATE, now)), then);
    let live = Live {
        candidate: running(now),
        weight: Some(Percent::FULL),
        ..Live::default()
    };
    scenario(plan, live, Left::Nothing, (now.max(then), now.min(then)))
}

fn scenario(plan: Plan, mut live: Live, left: Left, (most, fewest): (u32, u32)) -> Scenario {
    left.lay(&mut live);
    Scenario {
        name: format!("{:?} {:?} {left:?}", plan.strategy, plan.undo[0]),
        plan,
        world: World::new(live),
        most,
        fewest,
        faults: 3,
    }
}

impl Left {
    fn lay(self, live: &mut Live) {
        match self {
            Self::Nothing => {}
            Self::Idle => live.others = vec![ABANDONED],
            Self::WithTraffic => (live.others, live.weight) = (vec![ABANDONED], None),
            Self::Candidate => live.candidate = running(2),
            Self::CandidateWithCopies => {
                live.candidate = running(2);
                live.mirror = Percent::from_hundredths(5000);
            }
            Self::CandidateWithTraffic => {
                live.candidate = running(2);
                live.weight = Some(Percent::from_hundredths(4000));
            }
        }
    }
}

fn running(count: u32) -> Side {
    Side {
        wanted: count,
        ready: count,
        ..Side::default()
    }
}
