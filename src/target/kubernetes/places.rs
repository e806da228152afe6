//! A StatefulSet as places that two releases share: it makes replicas of its own release from the last
//! place down, and keeps those of the one before it in the places below its partition. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::release_of;
use crate::release::ReleaseId;

pub(super) const KIND: &str = "StatefulSet";

/// Whose the places below the partition are.
const BEFORE: &str = "agentctl.dev/before";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Whose replicas it makes.
    pub(super) own: ReleaseId,
    all: u32,
    /// Below the partition, and whose those are.
    before: Option<(ReleaseId, u32)>,
}

impl Places {
    pub(super) fn of(set: &Value) -> Option<Self> {
        let spec = &set["spec"];
        let partition = spec["updateStrategy"]["rollingUpdate"]["partition"].as_u64();
        let before = set["metadata"]["annotations"][BEFORE].as_str();
        let before = before.and_then(|id| id.parse().ok());
        let all = spec["replicas"].as_u64().unwrap_or(1) as u32;
        let kept = all.min(partition.unwrap_or(0) as u32);
        Some(Self {
            own: release_of(set)?,
            all,
            before: before.map(|id| (id, kept)).filter(|_| kept > 0),
        })
    }

    /// A set that is not there yet.
    pub(super) fn new(own: ReleaseId) -> Self {
        Self {
            own,
            all: 0,
            before: None,
        }
    }

    pub(super) fn of_release(&self, release: ReleaseId) -> u32 {
        match self.before {
            Some((before, kept)) if before == release => kept,
            _ if self.own == release => self.all - self.kept(),
            _ => 0,
        }
    }

    pub(super) fn releases(&self) -> BTreeSet<ReleaseId> {
        let before = self.before.map(|(id, _)| id);
        before.into_iter().chain([self.own]).collect()
    }

    /// One more of one is one fewer of the other, until there are more than places.
    pub(super) fn scaled(self, release: ReleaseId, to: u32) -> Self {
        let has = self.of_release(release);
        match self.before {
            // A set never has the last place free: whoever is below it gives way.
            Some((before, kept)) if release == self.own && to < has => match to {
                0 => Self::whole(before, self.all),
                _ => self.with(kept + to, kept),
            },
            Some(_) if release != self.own && to < has => self.with(self.all, to),
            None if release == self.own => Self::whole(release, to),
            _ if to <= has => self,
            _ => self.taken(release, to),
        }
    }

    fn taken(self, release: ReleaseId, to: u32) -> Self {
        let other = match self.before {
            Some((before, _)) if release == self.own => before,
            _ => self.own,
        };
        let kept = self.all.saturating_sub(to);
        Self {
            own: release,
            all: self.all.max(to),
            before: (kept > 0).then_some((other, kept)),
        }
    }

    fn whole(own: ReleaseId, all: u32) -> Self {
        Self {
            own,
            all,
            before: None,
        }
    }

    fn with(self, all: u32, kept: u32) -> Self {
        let before = self.before.map(|(id, _)| (id, kept));
        Self {
            all,
            before: before.filter(|_| kept > 0),
            ..self
        }
    }

    fn kept(&self) -> u32 {
        self.before.map_or(0, |(_, kept)| kept)
    }

    /// Writes them into the workload of `own`.
    pub(super) fn write(&self, workload: &mut Value) {
        workload["spec"]["replicas"] = json!(self.all);
        if let Some((before, kept)) = self.before {
            workload["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(kept);
            workload["metadata"]["annotations"][BEFORE] = json!(before.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: ReleaseId = ReleaseId(1);
    const NEW: ReleaseId = ReleaseId(2);

    fn places(own: ReleaseId, all: u32, before: Option<(ReleaseId, u32)>) -> Places {
        Places { own, all, before }
    }

    #[test]
    fn places_change_hands() {
        let whole = places(OLD, 3, None);
        let begun = places(NEW, 3, Some((OLD, 2)));
        let back = places(OLD, 3, Some((NEW, 2)));
        let cases = [
            (whole, NEW, 1, begun),
            (whole, OLD, 5, places(OLD, 5, None)),
            (whole, NEW, 5, places(NEW, 5, None)),
            (whole, NEW, 0, whole),
            (begun, NEW, 2, places(NEW, 3, Some((OLD, 1)))),
            (begun, NEW, 3, places(NEW, 3, None)),
            (begun, NEW, 0, whole),
            (begun, NEW, 1, begun),
            (begun, OLD, 3, whole),
            (begun, OLD, 2, begun),
            (begun, OLD, 1, places(NEW, 3, Some((OLD, 1)))),
            (begun, OLD, 0, places(NEW, 3, None)),
            (places(NEW, 3, None), OLD, 1, back),
            (
                places(NEW, 5, Some((OLD, 1))),
                NEW,
                2,
                places(NEW, 3, Some((OLD, 1))),
            ),
            (places(NEW, 3, None), NEW, 1, places(NEW, 1, None)),
            (Places::new(OLD), OLD, 3, whole),
        ];
        for (from, release, to, expected) in cases {
            let found = from.scaled(release, to);
            assert_eq!(found, expected, "{from:?}: {release} to {to}");
            assert_eq!(found.of_release(release), to, "{from:?}: {release} to {to}");
        }
    }

    #[test]
    fn what_was_written_is_read() {
        for wanted in [places(NEW, 3, Some((OLD, 2))), places(NEW, 3, None)] {
            let mut set = json!({
                "metadata": { "labels": { "agentctl.dev/release": "r2" } },
                "spec": { "updateStrategy": { "type": "RollingUpdate" } },
            });
            wanted.write(&mut set);
            assert_eq!(Places::of(&set), Some(wanted));
        }
    }

    #[test]
    fn each_place_has_one_release() {
        for (kept, to) in (1..4).flat_map(|kept| (0..6).map(move |to| (kept, to))) {
            let begun = places(NEW, 4, Some((OLD, kept)));
            for release in [OLD, NEW] {
                let found = begun.scaled(release, to);
                let all = found.of_release(OLD) + found.of_release(NEW);
                assert_eq!((found.of_release(release), all), (to, found.all));
            }
        }
    }
}
