//! A world that does what it is told, and counts.

use super::super::event::{Effect, Live, Side, Slot};
use crate::spec::Percent;

/// The truth, as one perfect look would see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World(pub(super) Live);

impl World {
    /// Whether it could be done.
    pub(super) fn perform(&mut self, effect: &Effect) -> bool {
        match effect {
            Effect::Observe | Effect::Ask(_) => {}
            Effect::Scale(slot, to) => scale(self.0.side(*slot), *to),
            Effect::AwaitReady(slot, ready) => return self.wait(*slot) >= *ready,
            Effect::AwaitGone(left) => return self.drain() <= *left,
            Effect::Route(weight) => {
                (self.0.weight, self.0.mirror) = (Some(*weight), Percent::ZERO);
            }
            Effect::Mirror(share) => {
                (self.0.weight, self.0.mirror) = (Some(Percent::ZERO), *share);
            }
            Effect::Retire(release) => self.0.others.retain(|other| other != release),
        }
        true
    }

    fn wait(&mut self, slot: Slot) -> u32 {
        let side = self.0.side(slot);
        side.ready += std::mem::take(&mut side.coming);
        side.ready
    }

    fn drain(&mut self) -> u32 {
        self.0.stable.leaving = 0;
        self.0.candidate.leaving = 0;
        self.alive()
    }

    /// This many replicas die and do not come back.
    pub(super) fn lose(&mut self, slot: Slot, count: u32) {
        self.0.side(slot).ready -= count;
    }

    /// Whether what is believed is so, or is better than believed.
    pub(super) fn bears_out(&self, live: &Live) -> bool {
        let Live {
            stable, candidate, ..
        } = &self.0;
        let side = |truth: &Side, believed: &Side| {
            truth.wanted == believed.wanted && truth.ready >= believed.ready
        };
        side(stable, &live.stable)
            && side(candidate, &live.candidate)
            && (&self.0.weight, &self.0.others) == (&live.weight, &live.others)
            && self.0.mirror == live.mirror
            && self.alive() <= live.alive()
    }

    pub(super) fn alive(&self) -> u32 {
        self.kept() + self.0.stable.leaving + self.0.candidate.leaving
    }

    pub(super) fn kept(&self) -> u32 {
        self.0.stable.wanted + self.0.candidate.wanted
    }

    /// How much of the floor nobody stands for, in hundredths of a per cent of one replica. What
    /// stable lost by itself is not held against us: an undo has nowhere else to go.
    pub(super) fn shortage(&self, floor: u32) -> u32 {
        let Some(weight) = self.0.weight else {
            return 0;
        };
        let candidate = u32::from(weight.hundredths());
        let stable = u32::from(Percent::FULL.hundredths()) - candidate;
        let short = |share: u32, ready: u32| (share * floor).saturating_sub(ready * 10_000);
        short(stable, self.0.stable.wanted - self.0.stable.coming)
            + short(candidate, self.0.candidate.ready)
    }
}

/// Lets go of what is not ready first.
fn scale(side: &mut Side, to: u32) {
    let ready = side.ready.min(to);
    let coming = match to >= side.wanted {
        true => side.coming + to - side.wanted,
        false => side.coming.min(to - ready),
    };
    let leaving = side.leaving + side.wanted.saturating_sub(to);
    *side = Side {
        wanted: to,
        ready,
        coming,
        leaving,
    };
}
