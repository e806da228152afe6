//! A target whose replicas stand behind an edge, wherever both are.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::{Log, Place, Reply, Seen, Spent, Target, Traffic, look, orders};
use crate::edge::api;
use crate::edge::client::{Edge, Lost, Watch};
use crate::release::{Release, ReleaseId};
use crate::spec::ProbeRequest;

/// One that dies each time has a reason that trying does not mend.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The place that an edge and its replicas live in.
pub(crate) trait Stage {
    /// The edge, started again if it was killed; `None` if there is nothing for it to do.
    async fn edge(&self) -> Result<Option<Edge>>;

    /// One that takes orders, at the address where the last one was reached.
    async fn edge_for_orders(&self, fence: u64) -> Result<Edge>;

    /// One that is going to be reached at `address`, and where it has to listen for that; `None`: at
    /// none, because nobody calls the agent.
    async fn edge_to_listen(
        &self,
        address: Option<SocketAddr>,
    ) -> Result<(Edge, Option<SocketAddr>)>;

    /// Users reach it there now.
    async fn listens(&self, address: SocketAddr) -> Result<()>;

    /// The edge shows no more life after it was told to stop. False: something that it keeps is still
    /// there, so it is only not reached.
    async fn ended(&self) -> Result<bool>;

    /// Where users reach an edge that listens there.
    fn url(&self, listen: SocketAddr) -> String;

    /// Where a person finds a file of the edge's.
    fn file(&self, path: &Path) -> String;

    /// The release in the edge's words; what its replicas are started from is there afterwards.
    async fn recipe(&self, release: &Release) -> Result<api::Recipe>;

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>>;
}

pub(crate) struct Steered<S> {
    pub(super) stage: S,
    /// The lease's; orders of an earlier holder are refused by the edge.
    fence: u64,
    watch: Mutex<Option<Watch>>,
}

impl<S: Stage> Steered<S> {
    pub(crate) fn new(stage: S, fence: u64) -> Self {
        Self {
            stage,
            fence,
            watch: Mutex::new(None),
        }
    }

    /// Opens the address that users reach the agent at; there is an edge afterwards.
    pub(crate) async fn listen(&self, address: Option<SocketAddr>) -> Result<()> {
        let opened = again_if_lost(async || {
            let (edge, address) = self.stage.edge_to_listen(address).await?;
            let fence = self.fence;
            match address {
                Some(address) => edge.listen(&api::Listen { fence, address }).await.map(drop),
                None => Ok(()),
            }
        })
        .await;
        opened?;
        match address {
            Some(address) => self.stage.listens(address).await,
            None => Ok(()),
        }
    }

    /// As Prometheus reads it; `None` if nothing runs.
    pub(crate) async fn metrics(&self) -> Result<Option<String>> {
        match self.stage.edge().await? {
            Some(edge) => edge.metrics().await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends everything that was started here and then the edge, and waits for that; `now` does not
    /// wait for open conversations and requests.
    pub(crate) async fn stop(&self, now: bool) -> Result<()> {
        let order = api::Stop {
            fence: self.fence,
            now,
        };
        loop {
            let watch = again_if_lost(async || match self.stage.edge().await? {
                Some(edge) => {
                    let watch = edge.watch().await?;
                    edge.stop(&order).await?;
                    Ok(Some(watch))
                }
                None => Ok(None),
            });
            let Some(mut watch) = watch.await? else {
                return Ok(());
            };
            while watch.next().await?.is_some() {}
            if self.stage.ended().await? {
                return Ok(());
            }
        }
    }

    async fn next_state(&self) -> Result<Option<api::State>> {
        let mut watch = self.watch.lock().await;
        if watch.is_none() {
            *watch = again_if_lost(async || match self.stage.edge().await? {
                Some(edge) => edge.watch().await.map(Some),
                None => Ok(None),
            })
            .await?;
        }
        let state = match watch.as_mut() {
            Some(watch) => watch.next().await,
            None => Ok(None),
        };
        if !matches!(state, Ok(Some(_))) {
            *watch = None;
        }
        state
    }

    fn seen(&self, state: &api::State) -> Seen {
        let (url, file) = (|at| self.stage.url(at), |path: &Path| self.stage.file(path));
        look::seen(state, url, file)
    }

    async fn edge_for_orders(&self) -> Result<Edge> {
        self.stage.edge_for_orders(self.fence).await
    }
}

impl<S: Stage> Target for Steered<S> {
    async fn observe(&self) -> Result<Seen> {
        // What was told before and not read yet is older than this look.
        *self.watch.lock().await = None;
        again_if_lost(async || match self.stage.edge().await? {
            Some(edge) => Ok(self.seen(&edge.state().await?)),
            None => Ok(Seen::default()),
        })
        .await
    }

    async fn next(&self) -> Result<Seen> {
        match self.next_state().await? {
            Some(state) => Ok(self.seen(&state)),
            None => self.observe().await,
        }
    }

    async fn scale(&self, release: &Release, replicas: u32) -> Result<()> {
        let order = api::ScalePool {
            fence: self.fence,
            replicas,
            recipe: self.stage.recipe(release).await?,
        };
        let pool = release.id.to_string();
        again_if_lost(async || self.edge_for_orders().await?.scale(&pool, &order).await).await?;
        Ok(())
    }

    async fn route(&self, traffic: &Traffic) -> Result<()> {
        let order = orders::traffic(traffic, self.fence);
        again_if_lost(async || self.edge_for_orders().await?.traffic(&order).await).await?;
        Ok(())
    }

    async fn request(
        &self,
        release: ReleaseId,
        request: &ProbeRequest,
        within: u64,
        replica: Option<u32>,
    ) -> Result<Reply> {
        let (pool, order) = (
            release.to_string(),
            orders::request(request, within, replica),
        );
        let ask = async || self.edge_for_orders().await?.request(&pool, &order).await;
        let reply = again_if_lost(ask).await?;
        Ok(Reply {
            replica: reply.replica,
            status: reply.status,
            body: reply.body,
            millis: reply.millis,
            first_millis: reply.first_millis,
            says: reply.says,
        })
    }

    async fn spent(&self, from: Place) -> Result<Spent> {
        again_if_lost(async || match self.stage.edge().await? {
            Some(edge) => Ok(look::spent(edge.spent(from.epoch, from.next).await?)),
            None => Ok(Spent::default()),
        })
        .await
    }

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        self.stage.logs(release, lines).await
    }
}

/// An edge that dies under an order is started again by the next, and a container that was there
/// before its edge is waited for; all that it is told is safe to repeat. The patience is counted from
/// when it was first found lost: on a way that was cut, finding that takes longer than this.
async fn again_if_lost<T>(tell: impl AsyncFn() -> Result<T>) -> Result<T> {
    let mut lost = None;
    loop {
        match tell().await {
            Err(error) if error.is::<Lost>() => {
                let lost = lost.get_or_insert_with(Instant::now);
                if lost.elapsed() >= PATIENCE {
                    return Err(error);
                }
                sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loss_that_is_found_late_is_tried_again() {
        let told = Cell::new(0);
        let answer = again_if_lost(async || {
            told.set(told.get() + 1);
            if told.get() > 1 {
                return Ok(());
            }
            sleep(PATIENCE * 3).await;
            Err(Lost::at("there").into())
        });
        assert!(answer.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_lost_each_time_is_given_up() {
        let answer = again_if_lost::<()>(async || Err(Lost::at("there").into()));
        assert!(answer.await.unwrap_err().is::<Lost>());
    }
}
