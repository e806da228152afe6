//! The edge's state in a target's words.

use std::net::SocketAddr;

use super::{Failing, Seen, SeenRelease};
use crate::analysis::Measures;
use crate::edge::api::{self, PoolState, ReplicaState, Standing, State};
use crate::release::ReleaseId;
use crate::spec::Percent;

/// `url`: where users reach an edge that listens there.
pub(super) fn seen(state: &State, url: impl Fn(SocketAddr) -> String) -> Seen {
    let releases = state.pools.iter().filter_map(|(pool, state)| {
        let id: ReleaseId = pool.parse().ok()?;
        Some((id, release(state)))
    });
    let shares = state.traffic.shares.iter().filter_map(|(pool, share)| {
        let id: ReleaseId = pool.parse().ok()?;
        (*share > 0).then(|| (id, Percent::from_hundredths(*share)))
    });
    Seen {
        url: state.listen.map(url),
        releases: releases.collect(),
        shares: shares.collect(),
    }
}

fn release(pool: &PoolState) -> SeenRelease {
    let count = |standing| {
        let standing_so = |replica: &&ReplicaState| replica.standing == standing;
        pool.replicas.iter().filter(standing_so).count() as u32
    };
    SeenRelease {
        wanted: pool.wanted,
        ready: count(Standing::Ready),
        coming: count(Standing::Coming),
        leaving: count(Standing::Leaving) + count(Standing::Stopping),
        failing: pool.replicas.iter().filter_map(failing).collect(),
        conversations: pool.conversations,
        total: measures(&pool.total),
        window: measures(&pool.window),
    }
}

fn failing(replica: &ReplicaState) -> Option<Failing> {
    let on_its_way = matches!(
        replica.standing,
        Standing::Ready | Standing::Leaving | Standing::Stopping
    );
    let says = replica.says.clone().filter(|_| !on_its_way)?;
    Some(Failing {
        replica: replica.number,
        restarts: replica.restarts,
        says,
    })
}

fn measures(counted: &api::Measures) -> Measures {
    Measures {
        since: counted.since,
        requests: counted.requests,
        errors: counted.errors,
        open: counted.open,
        latency: counted.latency.clone(),
        conversations: counted.conversations,
        begun: counted.begun,
        failed: counted.failed,
        tokens: counted.tokens,
        token_requests: counted.token_requests,
        cost_micros: counted.cost_micros,
        cost_requests: counted.cost_requests,
    }
}
