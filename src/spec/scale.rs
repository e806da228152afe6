use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;

/// How the number of replicas follows the work; without it there are `run.replicas`. Without a
/// cluster `agentctl autoscale` follows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Scale {
    /// Who changes the number: keda follows queues and clocks too, hpa needs no controller of its own.
    pub(crate) by: Scaler,
    /// Replicas that are there in any case.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) min: u32,
    /// Keep it under the limits of the model's provider.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max: u32,
    /// The queue that the work waits in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<Queue>,
    /// Use of the processors set aside, in per cent, that replicas are added from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) cpu: Option<u32>,
    /// Figures to hold, each by its own query.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) metrics: Vec<Figure>,
    /// No replica while there is no work.
    pub(crate) idle_to_zero: bool,
    /// Other numbers of replicas at set times; work that waits still adds replicas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) schedule: Vec<Window>,
    /// How long less work must last before replicas go.
    pub(crate) down_after: Period,
    /// Replicas go only to where each has at most this share, in per cent, of what adds another one;
    /// for `agentctl autoscale`.
    #[schemars(range(min = 1, max = 100))]
    pub(crate) down_at: u32,
    /// How long the number stays after a rollout, one that changed only the number included; for
    /// `agentctl autoscale`. The bounds hold at once.
    pub(crate) cooldown: Period,
    /// How often the work is looked at.
    pub(crate) every: Period,
    /// A vertical autoscaler recommends resources, and changes nothing.
    pub(crate) recommend: bool,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            by: Scaler::default(),
            min: 1,
            max: 10,
            queue: None,
            cpu: None,
            metrics: Vec::new(),
            idle_to_zero: false,
            schedule: Vec::new(),
            down_after: Period::secs(300),
            down_at: 80,
            cooldown: Period::secs(60),
            every: Period::secs(15),
            recommend: false,
        }
    }
}

impl Scale {
    /// The window with fewer replicas than there are at other times.
    pub(crate) fn rest(&self) -> Option<&Window> {
        self.schedule
            .iter()
            .find(|window| window.replicas < self.min)
    }

    /// Whether it changes the number of replicas; a recommendation of resources alone changes none.
    pub(crate) fn follows(&self) -> bool {
        self.queue.is_some()
            || self.cpu.is_some()
            || !self.metrics.is_empty()
            || !self.schedule.is_empty()
    }

    /// Whether it does so without a cluster: nobody else measures processors.
    pub(crate) fn is_asked(&self) -> bool {
        let queue = self.queue.as_ref();
        queue.is_some_and(|queue| queue.kind.is_asked())
            || !self.metrics.is_empty()
            || !self.schedule.is_empty()
    }

    /// The replicas of a deploy where so many are live, so that it does not fight what follows the
    /// work; `usual` where none is.
    pub(crate) fn kept(&self, live: u32, usual: u32) -> u32 {
        let least = self.rest().map_or(self.min, |rest| rest.replicas);
        let count = if live > 0 { live } else { usual };
        count.clamp(least.max(1), self.max)
    }
}

impl QueueKind {
    /// Whether agentctl itself can ask it.
    pub(crate) fn is_asked(self) -> bool {
        matches!(self, Self::RedisList | Self::Rabbitmq | Self::Prometheus)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scaler {
    #[default]
    Keda,
    Hpa,
}

/// A queue, and how much of it one replica works off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queue {
    /// What kind of queue it is, or prometheus for a figure about one.
    pub(crate) kind: QueueKind,
    /// The list, queue, topic or, for prometheus, the query.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// `host:port`, or a URL for sqs and prometheus; not needed where the secret holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) address: Option<String>,
    /// Waiting entries that one more replica is worth.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) per_replica: u32,
    /// The consumer group, for kafka.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) group: Option<String>,
    /// The region, for sqs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) region: Option<String>,
    /// A name in `[secrets]`: the password for redis-list, the whole address for rabbitmq, the
    /// token for prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum QueueKind {
    RedisList,
    Rabbitmq,
    Sqs,
    Kafka,
    Prometheus,
}

/// A figure to hold by adding replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    /// For keda a query to Prometheus, for hpa the name of a metric.
    #[schemars(length(min = 1))]
    pub(crate) query: String,
    /// What one replica may have of it.
    pub(crate) target: f64,
}

/// A time of its own number of replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// When it begins, as in cron: minute, hour, day, month, day of the week.
    #[schemars(extend("format" = "cron"))]
    pub(crate) from: String,
    /// When it ends.
    #[schemars(extend("format" = "cron"))]
    pub(crate) to: String,
    /// Replicas in that time.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) replicas: u32,
}
