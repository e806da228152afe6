//! A world that does what it is told, and counts.

use super::super::event::{Effect, Live, Side, Slot};
use crate::spec::Percent;

/// The truth, as one perfect look would see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) live: Live,
    /// Where both sides are one set: whose the replicas are that it makes now.
    pub(super) set: Option<Slot>,
    /// Replicas of such a set that died, all in all.
    pub(super) lost: u32,
}

impl World {
    pub(super) fn new(live: Live) -> Self {
        Self {
            live,
            set: None,
            lost: 0,
        }
    }

    /// Whether it could be done.
    pub(super) fn perform(&mut self, effect: &Effect) -> bool {
        match effect {
            Effect::Observe | Effect::Ask(_) => {}
            Effect::Scale(slot, to) => match self.set {
                Some(own) => self.share(own, *slot, *to),
                None => scale(self.live.side(*slot), *to),
            },
            Effect::AwaitReady(slot, ready) => return self.wait(*slot) >= *ready,
            Effect::AwaitGone(left) => return self.drain() <= *left,
            Effect::Route(weight) => {
                (self.live.weight, self.live.mirror) = (Some(*weight), Percent::ZERO);
            }
            Effect::Mirror(share) => {
                (self.live.weight, self.live.mirror) = (Some(Percent::ZERO), *share);
            }
            Effect::Retire(release) => self.live.others.retain(|other| other != release),
        }
        true
    }

    /// One more of one is one fewer of the other, until there are more than places.
    fn share(&mut self, own: Slot, slot: Slot, to: u32) {
        let other = other(slot);
        let (mine, theirs) = (self.live.side(slot).wanted, self.live.side(other).wanted);
        let places = mine + theirs;
        let rest = match to >= mine {
            true => places.saturating_sub(to),
            false if slot != own || to == 0 => places - to,
            false => theirs,
        };
        let turns = if to > mine || to == 0 { slot } else { own };
        self.set = Some(if to == 0 { other } else { turns });
        scale(self.live.side(slot), to);
        scale(self.live.side(other), rest);
    }

    fn wait(&mut self, slot: Slot) -> u32 {
        if self.set.is_some() {
            // Each leaves when its successor is wanted.
            self.drain();
        }
        let side = self.live.side(slot);
        side.ready += std::mem::take(&mut side.coming);
        side.ready
    }

    fn drain(&mut self) -> u32 {
        self.live.stable.leaving = 0;
        self.live.candidate.leaving = 0;
        self.alive()
    }

    /// This many replicas die and do not come back.
    pub(super) fn lose(&mut self, slot: Slot, count: u32) {
        self.live.side(slot).ready -= count;
        if self.set.is_some() {
            self.lost += count;
        }
    }

    /// Whether what is believed is so, or is better than believed.
    pub(super) fn bears_out(&self, live: &Live) -> bool {
        let Live {
            stable, candidate, ..
        } = &self.live;
        let side = |truth: &Side, believed: &Side| {
            truth.wanted == believed.wanted && truth.ready >= believed.ready
        };
        side(stable, &live.stable)
            && side(candidate, &live.candidate)
            && (&self.live.weight, &self.live.others) == (&live.weight, &live.others)
            && self.live.mirror == live.mirror
            && self.alive() <= live.alive()
    }

    pub(super) fn alive(&self) -> u32 {
        self.kept() + self.live.stable.leaving + self.live.candidate.leaving
    }

    pub(super) fn kept(&self) -> u32 {
        self.live.stable.wanted + self.live.candidate.wanted
    }

    /// How much of the floor nobody stands for, in hundredths of a per cent of one replica. What
    /// stable lost by itself is not held against us: an undo has nowhere else to go.
    pub(super) fn shortage(&self, floor: u32) -> u32 {
        let Some(weight) = self.live.weight else {
            return 0;
        };
        if self.set.is_some() {
            return self.unselected(weight, floor);
        }
        let candidate = u32::from(weight.hundredths());
        let stable = u32::from(Percent::FULL.hundredths()) - candidate;
        let short = |share: u32, ready: u32| (share * floor).saturating_sub(ready * 10_000);
        short(stable, self.live.stable.wanted - self.live.stable.coming)
            + short(candidate, self.live.candidate.ready)
    }

    /// Who is to leave serves until a successor has come, and who has a share is sent to evenly. What
    /// was lost by itself is not held against us.
    fn unselected(&self, weight: Percent, floor: u32) -> u32 {
        let Live {
            stable, candidate, ..
        } = &self.live;
        let coming = stable.coming + candidate.coming;
        let serving = |side: &Side| side.ready + side.leaving.min(coming);
        let mut all = self.lost;
        if weight < Percent::FULL {
            all += serving(stable);
        }
        if weight > Percent::ZERO {
            all += serving(candidate);
        }
        floor.saturating_sub(all) * 10_000
    }
}

fn other(slot: Slot) -> Slot {
    match slot {
        Slot::Stable => Slot::Candidate,
        Slot::Candidate => Slot::Stable,
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
