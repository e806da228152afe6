//! What a finished effect tells of the world, so that not every effect needs a look after it.

use super::event::{Effect, Live, Side, Slot};
use crate::spec::Percent;

impl Live {
    pub(super) fn side(&mut self, slot: Slot) -> &mut Side {
        match slot {
            Slot::Stable => &mut self.stable,
            Slot::Candidate => &mut self.candidate,
        }
    }

    /// Replicas of stable and candidate that hold room, leaving ones included.
    pub(crate) fn alive(&self) -> u32 {
        self.stable.alive() + self.candidate.alive()
    }

    pub(super) fn after(&mut self, effect: &Effect) {
        match effect {
            Effect::Scale(slot, to) => self.side(*slot).scaled(*to),
            Effect::AwaitReady(slot, ready) => self.side(*slot).came(*ready),
            Effect::AwaitGone(left) => self.went(*left),
            Effect::Route(weight) => (self.weight, self.mirror) = (Some(*weight), Percent::ZERO),
            Effect::Mirror(share) => (self.weight, self.mirror) = (Some(Percent::ZERO), *share),
            Effect::Retire(release) => self.others.retain(|other| other != release),
            Effect::Observe | Effect::Ask(_) => {}
        }
    }

    fn went(&mut self, left: u32) {
        let gone = self.alive().saturating_sub(left);
        let rest = gone.saturating_sub(self.stable.leaving);
        self.stable.leaving = self.stable.leaving.saturating_sub(gone);
        self.candidate.leaving = self.candidate.leaving.saturating_sub(rest);
    }
}

impl Side {
    fn alive(&self) -> u32 {
        self.wanted + self.leaving
    }

    /// Targets let go of what is not ready first.
    fn scaled(&mut self, to: u32) {
        self.leaving += self.wanted.saturating_sub(to);
        self.coming += to.saturating_sub(self.wanted);
        self.wanted = to;
        self.ready = self.ready.min(to);
        self.coming = self.coming.min(to - self.ready);
    }

    fn came(&mut self, ready: u32) {
        let came = ready.min(self.wanted).saturating_sub(self.ready);
        self.ready += came;
        self.coming = self.coming.saturating_sub(came);
    }
}
