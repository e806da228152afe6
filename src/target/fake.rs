//! A target in memory for the engine's tests; the contract suite holds it to what real ones do.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

use super::{
    Copies, Failing, Log, Mirror, Mirrored, Place, Reply, Seen, SeenRelease, Spent, Target, Traffic,
};
use crate::analysis::{Measures, Used};
use crate::release::{Release, ReleaseId};
use crate::spec::{Percent, ProbeRequest};

/// How one release behaves here.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    /// Exits whenever it is started.
    pub(crate) crashes: bool,
    /// What its requests come to, counted from the moment it has a share.
    pub(crate) window: Measures,
    /// What all its requests came to before.
    pub(crate) total: Measures,
    /// What each of its conversations used that began since it has a share.
    pub(crate) used: Vec<Used>,
    /// The status that it answers with; 200 if none is set.
    pub(crate) status: Option<u16>,
    /// Loses a replica as soon as it has this share.
    pub(crate) breaks_at: Option<Percent>,
    /// And what they come to from so long after it was scaled.
    pub(crate) later: Option<(Duration, Measures)>,
    /// Whoever has its place leaves for so long.
    pub(crate) awaits: Duration,
}

#[derive(Default)]
pub(crate) struct Fake {
    behaviours: BTreeMap<ReleaseId, Behaviour>,
    wanted: RefCell<BTreeMap<ReleaseId, u32>>,
    scaled: RefCell<BTreeMap<ReleaseId, Instant>>,
    shares: RefCell<BTreeMap<ReleaseId, Percent>>,
    mirror: RefCell<Option<Mirror>>,
    /// Rises whenever shares change.
    epoch: Cell<u64>,
    /// Verbs in the order that they were called in.
    pub(crate) calls: RefCell<Vec<String>>,
}

impl Fake {
    pub(crate) fn with(mut self, id: ReleaseId, behaviour: Behaviour) -> Self {
        self.behaviours.insert(id, behaviour);
        self
    }

    fn behaviour(&self, id: ReleaseId) -> Behaviour {
        self.behaviours.get(&id).cloned().unwrap_or_default()
    }

    fn release(&self, id: ReleaseId, wanted: u32) -> SeenRelease {
        let behaviour = self.behaviour(id);
        let share = self.shares.borrow().get(&id).copied();
        let is_asked = self.mirror.borrow().as_ref().map(|mirror| mirror.to) == Some(id);
        let broken = behaviour.breaks_at.is_some_and(|at| share >= Some(at));
        let crashed = SeenRelease {
            wanted,
            failing: vec![Failing {
                replica: 1,
                restarts: 3,
                says: "exited with status 1".to_owned(),
            }],
            ..SeenRelease::default()
        };
        let scaled = self.scaled.borrow().get(&id).map(Instant::elapsed);
        match behaviour.crashes || broken {
            true => crashed,
            false if scaled < Some(behaviour.awaits) => SeenRelease {
                wanted,
                coming: wanted,
                leaving: 1,
                ..SeenRelease::default()
            },
            false => SeenRelease {
                wanted,
                ready: wanted,
                total: behaviour.total,
                window: match (share.is_some() || is_asked, behaviour.later) {
                    (false, _) => Measures::default(),
                    (true, Some((after, later))) if scaled >= Some(after) => later,
                    (true, _) => behaviour.window,
                },
                ..SeenRelease::default()
            },
        }
    }

    fn called(&self, call: String) {
        self.calls.borrow_mut().push(call);
    }
}

impl Target for Fake {
    async fn observe(&self) -> Result<Seen> {
        let wanted = self.wanted.borrow();
        let shares = self.shares.borrow();
        let live = wanted
            .iter()
            .filter(|(id, wanted)| **wanted > 0 || shares.contains_key(id));
        Ok(Seen {
            url: None,
            releases: live
                .map(|(id, wanted)| (*id, self.release(*id, *wanted)))
                .collect(),
            shares: shares.clone(),
            closed: None,
            ending: false,
            mirrored: self.mirror.borrow().as_ref().map(|mirror| Mirrored {
                copies: Copies {
                    to: mirror.to,
                    share: mirror.share,
                    copied: 0,
                    same_status: 0,
                    same: 0,
                    dropped: 0,
                    ended: None,
                    file: None,
                    file_says: None,
                },
                beside: shares
                    .keys()
                    .next()
                    .map(|stable| self.behaviour(*stable).window)
                    .unwrap_or_default(),
            }),
        })
    }

    async fn next(&self) -> Result<Seen> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.observe().await
    }

    async fn scale(&self, release: &Release, replicas: u32) -> Result<()> {
        self.called(format!("scale {} {replicas}", release.id));
        self.wanted.borrow_mut().insert(release.id, replicas);
        let mut scaled = self.scaled.borrow_mut();
        scaled.insert(release.id, Instant::now());
        Ok(())
    }

    async fn route(&self, traffic: &Traffic) -> Result<()> {
        let shares = traffic.shares.iter();
        let words: Vec<_> = shares.map(|(id, share)| format!("{id} {share}")).collect();
        self.called(format!("route {}", words.join(", ")));
        self.epoch.set(self.epoch.get() + 1);
        *self.shares.borrow_mut() = traffic.shares.clone();
        *self.mirror.borrow_mut() = traffic.mirror.clone();
        Ok(())
    }

    async fn request(
        &self,
        id: ReleaseId,
        _: &ProbeRequest,
        _: u64,
        _: Option<u32>,
    ) -> Result<Reply> {
        if self.wanted.borrow().get(&id).copied().unwrap_or(0) == 0 {
            bail!("no replica of {id} is ready");
        }
        Ok(Reply {
            replica: 1,
            status: Some(self.behaviour(id).status.unwrap_or(200)),
            body: "{}".to_owned(),
            millis: 1,
            first_millis: Some(1),
            says: None,
        })
    }

    async fn spent(&self, from: Place) -> Result<Spent> {
        let shares = self.shares.borrow();
        let used = shares.keys().map(|id| (*id, self.behaviour(*id).used));
        let most = used.clone().map(|(_, used)| used.len()).max().unwrap_or(0);
        let turns = (0..most).flat_map(|turn| {
            used.clone()
                .filter_map(move |(id, used)| Some((id, *used.get(turn)?)))
        });
        let epoch = self.epoch.get();
        let next = if from.epoch == epoch { from.next } else { 0 };
        let units: Vec<_> = turns.skip(next as usize).take(10).collect();
        let next = next + units.len() as u64;
        Ok(Spent {
            place: Place { epoch, next },
            units,
        })
    }

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        let lines = ["starting", "oh no: hunter2"][..lines.min(2)].iter();
        Ok(vec![Log {
            release,
            replica: 1,
            sidecar: None,
            lines: lines.map(|line| (*line).to_owned()).collect(),
        }])
    }
}

#[tokio::test(start_paused = true)]
async fn the_fake_keeps_the_contract() {
    use super::contract;
    let files = crate::release::Identity::of(b"files");
    let [old, new] = [1, 2].map(|number| contract::release(number, files.clone()));
    contract::holds(&Fake::default(), &old, &new).await;
}
