//! Whom `[scale]` says to ask.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::advice::advice;
use crate::analysis::{Source, Work};
use crate::cli::site::{Project, variable};
use crate::spec::{Queue, QueueKind, Scale};
use crate::target::secrets::{self, Values};

pub(super) struct Asked {
    /// For people.
    pub(super) name: String,
    pub(super) source: Source,
    /// What of it adds a replica.
    pub(super) each: f64,
}

impl Asked {
    pub(super) async fn work(&self) -> Result<Work> {
        Ok(Work {
            name: self.name.clone(),
            amount: self.source.amount().await?,
            each: self.each,
        })
    }
}

/// Of the secrets only the queue's.
pub(super) fn values(project: &Project, scale: &Scale) -> Result<Values> {
    let name = scale.queue.as_ref().and_then(|queue| queue.secret.as_ref());
    let sources = &project.loaded.spec.secrets;
    let source = name.and_then(|name| sources.get_key_value(name));
    let source: BTreeMap<_, _> = source
        .into_iter()
        .map(|(name, source)| (name.clone(), source.clone()))
        .collect();
    secrets::fetch(&source, project.folder(), &variable)
}

pub(super) fn of(project: &Project, scale: &Scale, values: &Values) -> Result<Vec<Asked>> {
    let server = project.loaded.spec.observe.prometheus.as_deref();
    let queue = scale.queue.iter();
    let queue = queue.map(|queue| waiting(queue, server, values));
    let metrics = scale.metrics.iter().map(|figure| {
        Ok(Asked {
            name: figure.query.clone(),
            source: prometheus(server, &figure.query, None)?,
            each: figure.target,
        })
    });
    queue.chain(metrics).collect()
}

fn waiting(queue: &Queue, server: Option<&str>, values: &Values) -> Result<Asked> {
    let secret = queue.secret.as_ref().and_then(|name| values.get(name));
    let name = queue.name.clone();
    let address = queue.address.clone();
    let source = match queue.kind {
        QueueKind::RedisList => Source::Redis {
            address: address.ok_or_else(|| missing("scale.queue.address"))?,
            list: name,
            password: secret.cloned(),
        },
        QueueKind::Rabbitmq => Source::Rabbitmq {
            address: secret
                .cloned()
                .or(address)
                .ok_or_else(|| missing("scale.queue.address"))?,
            queue: name,
        },
        QueueKind::Prometheus => prometheus(address.as_deref().or(server), &name, secret)?,
        QueueKind::Sqs | QueueKind::Kafka => {
            return Err(advice(
                "agentctl autoscale asks redis-list, rabbitmq and prometheus queues only",
                "a figure about the queue in Prometheus: kind = \"prometheus\" under scale.queue",
            ));
        }
    };
    Ok(Asked {
        name: queue.name.clone(),
        source,
        each: f64::from(queue.per_replica),
    })
}

fn prometheus(server: Option<&str>, query: &str, token: Option<&String>) -> Result<Source> {
    Ok(Source::Prometheus {
        server: server
            .ok_or_else(|| missing("observe.prometheus"))?
            .to_owned(),
        query: query.to_owned(),
        token: token.cloned(),
    })
}

fn missing(key: &str) -> anyhow::Error {
    advice(
        format!("it is not said whom to ask how much work waits: {key} is missing"),
        format!("{key} = \"…\" in agent.toml"),
    )
}
