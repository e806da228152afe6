//! What an agent's library exports, as far as it tells of calls: of the model, and of tools.
//!
//! The names are those of OpenTelemetry's conventions for generative AI. Everything else is passed
//! over: a library exports much that nobody here asks for.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use prost::Message;

use super::messages::{
    Buckets, ExponentialPoint, Export, HistogramPoint, KeyValue, Metric, Resource,
};

const DURATION: &str = "gen_ai.client.operation.duration";
const TOKENS: &str = "gen_ai.client.token.usage";
const DELTA: i32 = 1;
/// What one export may have, unpacked.
const LARGEST: u64 = 16 << 20;
/// Finer than the edge tells times; and more buckets than any library keeps.
const MOST_BUCKETS: usize = 1_000;

/// What is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A call of the model.
    Model,
    /// A call of a tool.
    Tool { failed: bool },
    /// Tokens that were read or written.
    Tokens,
}

/// One series of a histogram, as it was told.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::edge) struct Point {
    pub(super) kind: Kind,
    /// Which series it is, among those of one replica.
    pub(super) series: u64,
    /// Only what came since the last one; else all since it started.
    pub(super) is_delta: bool,
    /// Nanoseconds since the epoch.
    pub(super) started: u64,
    pub(super) counted: Counted,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) sum: f64,
    /// By the upper bound of a bucket, in microseconds.
    pub(super) buckets: BTreeMap<u64, u64>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Protobuf,
    Json,
}

impl Format {
    pub(super) fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/x-protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }
}

pub(super) fn points(body: &[u8], format: Format, is_packed: bool) -> Result<Vec<Point>> {
    let body = match is_packed {
        true => &unpacked(body)?,
        false => body,
    };
    let export = match format {
        Format::Protobuf => Export::decode(body).context("it is no protobuf of metrics")?,
        Format::Json => serde_json::from_slice(body).context("it is no JSON of metrics")?,
    };
    let mut points = Vec::new();
    for of_resource in &export.resource_metrics {
        let resource = of_resource.resource.as_ref();
        let metrics = of_resource.scope_metrics.iter();
        for metric in metrics.flat_map(|scope| &scope.metrics) {
            read(metric, resource, &mut points)?;
        }
    }
    Ok(points)
}

fn unpacked(body: &[u8]) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let mut limited = MultiGzDecoder::new(body).take(LARGEST + 1);
    limited
        .read_to_end(&mut unpacked)
        .context("it is no gzip")?;
    ensure!(
        unpacked.len() as u64 <= LARGEST,
        "it is too large, unpacked"
    );
    Ok(unpacked)
}

fn read(metric: &Metric, resource: Option<&Resource>, points: &mut Vec<Point>) -> Result<()> {
    let mut told = |attributes: &[KeyValue], (temporality, started), counted: Counting| {
        if let Some(kind) = kind(&metric.name, attributes) {
            points.push(Point {
                kind,
                series: series(&metric.name, attributes, resource),
                is_delta: temporality == DELTA,
                started,
                counted: counted()?,
            });
        }
        anyhow::Ok(())
    };
    if let Some(all) = &metric.histogram {
        for one in &all.data_points {
            let since = (all.aggregation_temporality, one.start_time_unix_nano);
            told(&one.attributes, since, &|| explicit(one))?;
        }
    }
    if let Some(all) = &metric.exponential_histogram {
        for one in &all.data_points {
            let since = (all.aggregation_temporality, one.start_time_unix_nano);
            told(&one.attributes, since, &|| exponential(one))?;
        }
    }
    Ok(())
}

type Counting<'a> = &'a dyn Fn() -> Result<Counted>;

/// `None`: nobody here asks for it.
fn kind(name: &str, attributes: &[KeyValue]) -> Option<Kind> {
    match (name, attribute(attributes, "gen_ai.operation.name")) {
        (TOKENS, _) => Some(Kind::Tokens),
        (DURATION, Some("execute_tool")) => Some(Kind::Tool {
            failed: attribute(attributes, "error.type").is_some(),
        }),
        // What agents do has calls of the model in it, which are told as well.
        (DURATION, Some("invoke_agent" | "create_agent" | "invoke_workflow")) => None,
        (DURATION, _) => Some(Kind::Model),
        _ => None,
    }
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|one| one.key == key)?;
    found.value.as_ref()?.string_value.as_deref()
}

/// A process of several may tell the same as another: who tells is in the resource.
fn series(name: &str, attributes: &[KeyValue], resource: Option<&Resource>) -> u64 {
    let of_resource = resource.map_or(&[][..], |resource| &resource.attributes);
    let mut all: Vec<_> = [attributes, of_resource]
        .into_iter()
        .enumerate()
        .flat_map(|(of, all)| all.iter().map(move |one| (of, one.key.as_str(), text(one))))
        .collect();
    all.sort_unstable();
    let mut hash = DefaultHasher::new();
    (name, all).hash(&mut hash);
    hash.finish()
}

fn text(one: &KeyValue) -> Option<&str> {
    one.value.as_ref()?.string_value.as_deref()
}

/// A count in the bucket without an end is one of the longest known time.
fn explicit(point: &HistogramPoint) -> Result<Counted> {
    let (counts, bounds) = (&point.bucket_counts, &point.explicit_bounds);
    ensure!(
        counts.is_empty() || counts.len() == bounds.len() + 1,
        "a histogram has {} counts and {} bounds",
        counts.len(),
        bounds.len()
    );
    let longest = point.max.or(bounds.last().copied()).unwrap_or_default();
    let bounds = bounds.iter().copied().chain([longest]);
    let pairs = bounds.zip(counts.iter().copied());
    counted(point.count, point.sum, pairs)
}

/// The upper bound of bucket `i` is 2^((i + 1) / 2^scale).
fn exponential(point: &ExponentialPoint) -> Result<Counted> {
    let none = Buckets::default();
    let positive = point.positive.as_ref().unwrap_or(&none);
    let bound = |at: usize| {
        let index = f64::from(positive.offset) + at as f64 + 1.0;
        (index * (-f64::from(point.scale)).exp2()).exp2()
    };
    let counts = positive.bucket_counts.iter().copied().enumerate();
    let pairs = counts.map(|(at, count)| (bound(at), count));
    counted(
        point.count,
        point.sum,
        pairs.chain([(0.0, point.zero_count)]),
    )
}

fn counted(count: u64, sum: f64, pairs: impl Iterator<Item = (f64, u64)>) -> Result<Counted> {
    let mut buckets = BTreeMap::new();
    for (bound, count) in pairs.filter(|(_, count)| *count > 0) {
        ensure!(bound >= 0.0, "a histogram has the bound {bound}");
        let entry = buckets.entry((bound * 1e6) as u64).or_insert(0_u64);
        *entry = entry.saturating_add(count);
    }
    if buckets.len() > MOST_BUCKETS || !sum.is_finite() {
        bail!("a histogram has too many buckets, or a sum that is no number");
    }
    Ok(Counted {
        count,
        sum,
        buckets,
    })
}
