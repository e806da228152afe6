//! Every schedule of up to three faults, for every strategy, against a world that keeps count.
//!
//! `world` is what a target would be, `scenario` what is rolled out into what, `search` tries every
//! schedule and holds the room's invariants, `mutants` shows that each rule is needed for them.

mod mix;
mod mutants;
mod scenario;
mod search;
mod world;

use scenario::scenarios;
use search::{Rig, search};

#[test]
fn every_schedule_of_faults_ends_whole() {
    let counts = (1..=5).flat_map(|now| (1..=5).map(move |then| (now, then)));
    for scenario in scenarios(&counts.collect::<Vec<_>>()) {
        if let Err(violation) = search(&scenario, &Rig::sound()) {
            panic!("{}: {violation}\n{:#?}", scenario.name, scenario.plan.steps);
        }
    }
}
