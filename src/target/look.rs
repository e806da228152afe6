//! The edge's state in a target's words.

use std::net::SocketAddr;
use std::path::Path;

use super::{Copies, Failing, Mirrored, Place, Seen, SeenRelease, Spent};
use crate::analysis::{Calls, Measures, Used};
use crate::edge::api::{self, PoolState, ReplicaState, Standing, State};
use crate::release::ReleaseId;
use crate::spec::Percent;

/// `url`: where users reach an edge that listens there; `file`: where a person finds a file of its.
pub(super) fn seen(
    state: &State,
    url: impl Fn(SocketAddr) -> String,
    file: impl Fn(&Path) -> String,
) -> Seen {
    let releases = state.pools.iter().filter_map(|(pool, state)| {
        let id: ReleaseId = pool.parse().ok()?;
        Some((id, release(state)))
    });
    let shares = state.traffic.shares.iter().filter_map(|(pool, share)| {
        let id: ReleaseId = pool.parse().ok()?;
        (*share > 0).then(|| (id, Percent::from_hundredths(*share)))
    });
    Seen {
        url: state.listen.map(&url),
        closed: state.closed.map(&url),
        releases: releases.collect(),
        shares: shares.collect(),
        ending: state.ending,
        mirrored: mirrored(state, file),
    }
}

fn mirrored(state: &State, file: impl Fn(&Path) -> String) -> Option<Mirrored> {
    let (order, told) = state.traffic.mirror.as_ref().zip(state.mirrored.as_ref())?;
    let copies = Copies {
        to: order.pool.parse().ok()?,
        share: Percent::from_hundredths(order.share),
        copied: told.copied,
        same_status: told.same_status,
        same: told.same,
        dropped: told.dropped,
        ended: told.ended.clone(),
        file: told.file.as_deref().map(file),
        file_says: told.says.clone(),
    };
    let beside = measures(&told.beside);
    Some(Mirrored { copies, beside })
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

pub(super) fn spent(told: api::Spent) -> Spent {
    let units = told.units.into_iter().filter_map(|unit| {
        let used = Used {
            tokens: unit.used.tokens,
            cost_micros: unit.used.cost_micros,
            tool_calls: unit.used.tool_calls,
            steps: unit.used.steps,
        };
        Some((unit.pool.parse().ok()?, used))
    });
    Spent {
        place: Place {
            epoch: told.epoch,
            next: told.next,
        },
        units: units.collect(),
    }
}

fn measures(counted: &api::Measures) -> Measures {
    Measures {
        since: counted.since,
        requests: counted.requests,
        errors: counted.errors,
        open: counted.open,
        heard: counted.heard,
        waiting: counted.waiting.clone(),
        latency: counted.latency.clone(),
        conversations: counted.conversations,
        begun: counted.begun,
        failed: counted.failed,
        tokens: counted.tokens,
        token_requests: counted.token_requests,
        cost_micros: counted.cost_micros,
        cost_requests: counted.cost_requests,
        tool_calls: counted.tool_calls,
        tool_call_requests: counted.tool_call_requests,
        steps: counted.steps,
        step_requests: counted.step_requests,
        slowest: counted.slowest.clone(),
        calls: Calls {
            model: counted.calls.model,
            latency: counted.calls.latency.clone(),
            tokens: counted.calls.tokens,
            tool: counted.calls.tool,
            tool_errors: counted.calls.tool_errors,
        },
    }
}
