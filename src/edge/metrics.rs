//! What the edge knows, as Prometheus reads it: text from a [`State`], nothing else.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::api::{Calls, Measures, PoolState, Standing, State};

/// Upper bounds in seconds. Agents answer in seconds, and stream for minutes.
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

pub(crate) fn text(state: &State) -> String {
    let mut page = Page::default();
    let pools = &state.pools;
    let of = |count: fn(&Measures) -> u64| each(pools, move |pool| count(&pool.total));
    page.family(
        "agentctl_requests_total",
        "counter",
        "Requests that have ended.",
        of(|m| m.requests),
    );
    page.family(
        "agentctl_errors_total",
        "counter",
        "Answers with 5xx, and replies broken off.",
        of(|m| m.errors),
    );
    page.latency(pools);
    page.family(
        "agentctl_open_requests",
        "gauge",
        "Requests in flight.",
        of(|m| m.open),
    );
    page.family(
        "agentctl_open_conversations",
        "gauge",
        "Conversations that are not over.",
        each(pools, |pool| pool.conversations),
    );
    page.family(
        "agentctl_tokens_total",
        "counter",
        "Tokens that replies told.",
        of(|m| m.tokens),
    );
    let cost = each(pools, |pool| pool.total.cost_micros as f64 / 1e6);
    page.family(
        "agentctl_cost_total",
        "counter",
        "Cost that replies told, in the agent's currency.",
        cost,
    );
    page.calls(pools);
    page.family(
        "agentctl_replicas",
        "gauge",
        "Replicas by standing.",
        replicas(pools),
    );
    let shares = state.traffic.shares.iter();
    let shares = shares.map(|(pool, share)| (labels(pool, None), f64::from(*share) / 10_000.0));
    page.family(
        "agentctl_share",
        "gauge",
        "Share of the traffic, from 0 to 1.",
        shares,
    );
    page.0
}

fn each<'a, T: Display>(
    pools: &'a BTreeMap<String, PoolState>,
    value: impl Fn(&PoolState) -> T + 'a,
) -> impl Iterator<Item = (String, T)> + 'a {
    pools
        .iter()
        .map(move |(name, pool)| (labels(name, None), value(pool)))
}

fn replicas(pools: &BTreeMap<String, PoolState>) -> impl Iterator<Item = (String, usize)> {
    let standings = [
        (Standing::Coming, "coming"),
        (Standing::Ready, "ready"),
        (Standing::Unready, "unready"),
        (Standing::Leaving, "leaving"),
        (Standing::Stopping, "stopping"),
    ];
    pools.iter().flat_map(move |(name, pool)| {
        standings.into_iter().map(move |(standing, word)| {
            let those = pool
                .replicas
                .iter()
                .filter(|replica| replica.standing == standing);
            (labels(name, Some(("standing", word))), those.count())
        })
    })
}

fn labels(pool: &str, more: Option<(&str, &str)>) -> String {
    let pool = pool
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n");
    match more {
        None => format!("pool=\"{pool}\""),
        Some((name, value)) => format!("pool=\"{pool}\",{name}=\"{value}\""),
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn family<T: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl Iterator<Item = (String, T)>,
    ) {
        self.head(name, kind, help);
        for (labels, value) in samples {
            self.line(name, &labels, value);
        }
    }

    fn latency(&mut self, pools: &BTreeMap<String, PoolState>) {
        let name = "agentctl_request_seconds";
        self.head(
            name,
            "histogram",
            "From a request's head to its reply's end.",
        );
        for (pool, state) in pools {
            self.histogram(name, pool, &state.total.latency);
        }
    }

    /// Nothing where no agent tells of them.
    fn calls(&mut self, pools: &BTreeMap<String, PoolState>) {
        let told = pools.iter().filter(|(_, pool)| !pool.total.calls.is_none());
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            return;
        }
        let name = "agentctl_model_call_seconds";
        self.head(name, "histogram", "Calls of the model, as agents tell.");
        for (pool, state) in &told {
            self.histogram(name, pool, &state.total.calls.latency);
        }
        let of = |count: fn(&Calls) -> u64| {
            let samples = told.iter();
            samples.map(move |(pool, state)| (labels(pool, None), count(&state.total.calls)))
        };
        self.family(
            "agentctl_model_tokens_total",
            "counter",
            "Tokens of those calls.",
            of(|calls| calls.tokens),
        );
        self.family(
            "agentctl_tool_calls_total",
            "counter",
            "Calls of tools, as agents tell.",
            of(|calls| calls.tool),
        );
        self.family(
            "agentctl_tool_errors_total",
            "counter",
            "Those of them that failed.",
            of(|calls| calls.tool_errors),
        );
    }

    /// The sum is taken from the buckets' bounds: at most 6.25 % too high.
    fn histogram(&mut self, name: &str, pool: &str, latency: &[(u64, u64)]) {
        let bucket = format!("{name}_bucket");
        for bound in BOUNDS {
            let count = within(latency, bound);
            self.line(
                &bucket,
                &labels(pool, Some(("le", &bound.to_string()))),
                count,
            );
        }
        let count = within(latency, f64::INFINITY);
        let micros = latency
            .iter()
            .map(|(bound, count)| *bound as f64 * *count as f64);
        let micros: f64 = micros.sum();
        self.line(&bucket, &labels(pool, Some(("le", "+Inf"))), count);
        self.line(&format!("{name}_sum"), &labels(pool, None), micros / 1e6);
        self.line(&format!("{name}_count"), &labels(pool, None), count);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self.0.push_str(&head);
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        self.0.push_str(&format!("{name}{{{labels}}} {value}\n"));
    }
}

/// Those that surely took no longer.
fn within(latency: &[(u64, u64)], seconds: f64) -> u64 {
    let short = latency
        .iter()
        .filter(|(bound, _)| *bound as f64 <= seconds * 1e6);
    // What was told of calls may be any number.
    let counts = short.map(|(_, count)| *count);
    counts.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
