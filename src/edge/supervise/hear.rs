//! Where agents tell of their calls, and what becomes of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Socket};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::{Id, Keeper, now};
use crate::edge::otlp;
use crate::edge::otlp::Point;

/// A predecessor may have the port for a moment longer.
const AGAIN: Duration = Duration::from_millis(200);

impl Keeper {
    /// At the port that replicas of an earlier edge were told, so that they go on telling.
    pub(super) fn hear(self: &Rc<Self>) {
        let known = self.book().hears;
        let port = match (&self.containers, known) {
            (Some(_), _) => Some(otlp::PORT),
            (None, Some(port)) => Some(port),
            (None, None) => free_port(),
        };
        self.book.borrow_mut().hears = port;
        if let Some(port) = port {
            self.spawn(Rc::clone(self).hear_at(SocketAddr::from((self.heard_by(), port))));
        }
    }

    /// Of other containers, in the network that is theirs and the edge's; else of this machine alone.
    fn heard_by(&self) -> Ipv4Addr {
        match self.containers {
            Some(_) => Ipv4Addr::UNSPECIFIED,
            None => Ipv4Addr::LOCALHOST,
        }
    }

    async fn hear_at(self: Rc<Self>, address: SocketAddr) {
        let mut is_noted = false;
        loop {
            match TcpListener::bind(address).await {
                Ok(listener) => return otlp::serve(listener, Rc::clone(&self)).await,
                Err(error) if !is_noted => {
                    self.note(&format!("cannot hear figures at {address} yet: {error}"));
                    is_noted = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// What a replica's library is told; `is_set`: whether the agent has that variable already.
    pub(super) fn telling(
        &self,
        id: &Id,
        is_set: impl Fn(&str) -> bool,
    ) -> Vec<(&'static str, String)> {
        let Some(port) = self.book().hears else {
            return Vec::new();
        };
        let host = match &self.containers {
            Some(containers) => containers.edge(),
            None => Ipv4Addr::LOCALHOST.to_string(),
        };
        let base = format!("http://{host}:{port}");
        otlp::variables(&base, &id.pool, id.number, is_set)
    }

    pub(in crate::edge) fn has(&self, pool: &str, number: u32) -> bool {
        self.kept(&Id::of(pool, number), |_| ()).is_some()
    }

    /// The answer: how many points were not taken.
    pub(in crate::edge) fn told(&self, pool: &str, number: u32, points: Vec<Point>) -> u64 {
        let mut series = self.series.borrow_mut();
        series.keep(|pool, number| self.has(pool, number));
        let (calls, rejected) = series.add((pool, number), points, (self.started, now()));
        self.table.tell(pool, &calls);
        rejected
    }
}

fn free_port() -> Option<u16> {
    let socket = Socket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    Some(socket.local_addr().ok()?.port())
}
