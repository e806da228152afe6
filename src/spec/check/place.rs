//! What a kind, a network or a store must and must not have.

use super::super::show::key;
use super::super::{Kind, Otel, Router, SecretSource, SecretStore, Spec};
use super::Check;

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    kind(spec, check);
    volumes(spec, check);
    network(spec, check);
    observe(spec, check);
    stores(spec, check);
}

fn kind(spec: &Spec, check: &mut Check<'_>) {
    let (kind, run) = (spec.agent.kind, &spec.run);
    match (kind, &run.schedule) {
        (Kind::Cron, None) => {
            let hint = "schedule = \"0 6 * * *\" under [run]";
            check.refuse_with("agent.kind", "a cron agent needs a schedule", hint);
        }
        (Kind::Cron, Some(_)) | (_, None) => {}
        (_, Some(_)) => check.refuse_with(
            "run.schedule",
            "only a cron agent has a schedule",
            "kind = \"cron\"",
        ),
    }
    if run.time_limit.is_some() && !matches!(kind, Kind::Job | Kind::Cron) {
        check.refuse(
            "run.time_limit",
            "only jobs and cron agents have a time limit",
        );
    }
    if !run.volumes.is_empty() && kind != Kind::Stateful {
        check.refuse_with(
            "run.volumes",
            "only a stateful agent has disks of its own",
            "kind = \"stateful\"",
        );
    }
}

/// Two places inside one another would hide what is in the outer one.
fn volumes(spec: &Spec, check: &mut Check<'_>) {
    let run = &spec.run;
    let mut seen: Vec<(&str, String)> = Vec::new();
    let writable = run
        .writable
        .iter()
        .enumerate()
        .map(|(at, path)| (path, format!("run.writable.{at}")));
    let volumes = run
        .volumes
        .iter()
        .map(|(name, volume)| (&volume.path, format!("run.volumes.{}.path", key(name))));
    for (path, place) in writable.chain(volumes) {
        let path = path.trim_end_matches('/');
        match seen.iter().find(|(other, _)| *other == path) {
            Some((_, other)) => check.refuse(&place, format!("{path} is the place of {other} too")),
            None => seen.push((path, place)),
        }
    }
}

fn network(spec: &Spec, check: &mut Check<'_>) {
    let network = &spec.network;
    if network.router == Router::Gateway && network.gateway.is_none() {
        let hint = "gateway = \"namespace/name\" under [network]";
        check.refuse_with(
            "network.router",
            "the Gateway that routes hang on is not named",
            hint,
        );
    }
    if matches!(network.router, Router::Nginx | Router::Istio) && network.host.is_none() {
        let hint = "host = \"agent.example.com\" under [network]";
        check.refuse_with(
            "network.router",
            "the host that users call is not named",
            hint,
        );
    }
    if network.tls.is_some() && network.router != Router::Nginx {
        check.refuse(
            "network.tls",
            "tls has a meaning for router = \"nginx\" only: a Gateway has its own",
        );
    }
    if network.host.is_some() && !spec.agent.kind.is_called() {
        check.refuse(
            "network.host",
            "only services and stateful agents are called by a host",
        );
    }
}

fn observe(spec: &Spec, check: &mut Check<'_>) {
    let observe = &spec.observe;
    match (&observe.otel, &observe.export) {
        (Otel::Sidecar, None) => {
            let hint = "export = \"http://collector.monitoring:4318\" under [observe]";
            check.refuse_with(
                "observe.otel",
                "where the collector sends to is not given",
                hint,
            );
        }
        (Otel::Off | Otel::Collector(_), Some(_)) => {
            let hint = "otel = \"sidecar\"";
            check.refuse_with(
                "observe.export",
                "only a collector beside the agent exports",
                hint,
            );
        }
        _ => {}
    }
    if observe.dashboards && observe.metrics.is_none() {
        let hint = "metrics = \"/metrics\" under [observe]";
        check.refuse_with("observe.dashboards", "there are no figures to show", hint);
    }
}

fn stores(spec: &Spec, check: &mut Check<'_>) {
    for (name, source) in &spec.secrets {
        let is_vault = matches!(spec.stores.get("vault"), Some(SecretStore::Vault { .. }));
        if matches!(source, SecretSource::Vault(_)) && !is_vault {
            let path = format!("secrets.{}", key(name));
            let hint = "[stores.vault] with vault = { server = \"https://…\", role = \"…\" }";
            check.refuse_with(&path, "there is no store \"vault\" to read it from", hint);
        }
    }
}
