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
    AnyValue, Buckets, ExponentialPoint, Export, HistogramPoint, KeyValue, KeyValues, Metric,
    Resource, Scope,
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
        for of_scope in &of_resource.scope_metrics {
            let origin = Origin {
                resource: of_resource.resource.as_ref(),
                scope: of_scope.scope.as_ref(),
            };
            for metric in &of_scope.metrics {
                read(metric, origin, &mut points)?;
            }
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

/// Who tells.
#[derive(Clone, Copy)]
struct Origin<'a> {
    resource: Option<&'a Resource>,
    scope: Option<&'a Scope>,
}

fn read(metric: &Metric, origin: Origin<'_>, points: &mut Vec<Point>) -> Result<()> {
    let unit = unit(metric)?;
    let mut told = |attributes: &[KeyValue], (temporality, started), counted: Counting| {
        if let Some(kind) = kind(&metric.name, attributes) {
            points.push(Point {
                kind,
                series: series(&metric.name, attributes, origin, started),
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
            told(&one.attributes, since, &|| explicit(one, unit))?;
        }
    }
    if let Some(all) = &metric.exponential_histogram {
        for one in &all.data_points {
            let since = (all.aggregation_temporality, one.start_time_unix_nano);
            told(&one.attributes, since, &|| exponential(one, unit))?;
        }
    }
    Ok(())
}

type Counting<'a> = &'a dyn Fn() -> Result<Counted>;

/// Its convention says seconds; what is told in something unknown is not guessed at.
fn unit(metric: &Metric) -> Result<f64> {
    match (metric.name.as_str(), metric.unit.as_str()) {
        (DURATION, "ms") => Ok(1e-3),
        (DURATION, "us" | "µs") => Ok(1e-6),
        (DURATION, unit) if !matches!(unit, "" | "s") => {
            bail!("{DURATION} is told in {unit:?}, and its unit is \"s\"")
        }
        _ => Ok(1.0),
    }
}

/// `None`: nobody here asks for it.
fn kind(name: &str, attributes: &[KeyValue]) -> Option<Kind> {
    match (name, text(attributes, "gen_ai.operation.name")) {
        (TOKENS, _) => Some(Kind::Tokens),
        (DURATION, Some("execute_tool")) => Some(Kind::Tool {
            failed: found(attributes, "error.type").is_some(),
        }),
        // What agents do has calls of the model in it, which are told as well.
        (DURATION, Some("invoke_agent" | "create_agent" | "invoke_workflow")) => None,
        (DURATION, _) => Some(Kind::Model),
        _ => None,
    }
}

/// `None` where it is there without any value, too.
fn found<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a AnyValue> {
    let found = attributes.iter().find(|one| one.key == key)?;
    let value = found.value.as_ref()?;
    (*value != AnyValue::default()).then_some(value)
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    found(attributes, key)?.string_value.as_deref()
}

/// A process of several may tell the same as another, and so may two libraries in one: who tells is in
/// the resource and the scope, and where processes say nothing of themselves, only when each started.
fn series(name: &str, attributes: &[KeyValue], origin: Origin<'_>, started: u64) -> u64 {
    let of_resource = origin.resource.map(|resource| &resource.attributes);
    let of_scope = origin.scope.map(|scope| &scope.attributes);
    let library = origin.scope.map(|scope| (&scope.name, &scope.version));
    let mut hash = DefaultHasher::new();
    (name, library, started).hash(&mut hash);
    let others = [of_resource, of_scope].map(|all| all.map_or(&[][..], Vec::as_slice));
    for all in [attributes].into_iter().chain(others) {
        settled(all).hash(&mut hash);
    }
    hash.finish()
}

/// The same bytes for the same values, in whatever order they came.
fn settled(all: &[KeyValue]) -> Vec<u8> {
    let values = all.to_vec();
    let mut all = KeyValues { values };
    settle(&mut all.values);
    all.encode_to_vec()
}

fn settle(all: &mut [KeyValue]) {
    all.sort_by(|one, other| one.key.cmp(&other.key));
    let values = all.iter_mut().filter_map(|one| one.value.as_mut());
    values.for_each(settle_inside);
}

fn settle_inside(value: &mut AnyValue) {
    if let Some(list) = &mut value.kvlist_value {
        settle(&mut list.values);
    }
    if let Some(list) = &mut value.array_value {
        list.values.iter_mut().for_each(settle_inside);
    }
}

/// A count in the bucket without an end is one of the longest known time.
fn explicit(point: &HistogramPoint, unit: f64) -> Result<Counted> {
    let (counts, bounds) = (&point.bucket_counts, &point.explicit_bounds);
    ensure!(
        counts.is_empty() || counts.len() == bounds.len() + 1,
        "a histogram has {} counts and {} bounds",
        counts.len(),
        bounds.len()
    );
    ensure!(bounds.is_sorted(), "a histogram's bounds do not rise");
    let longest = point.max.or(bounds.last().copied()).unwrap_or_default();
    let bounds = bounds.iter().copied().chain([longest]);
    let pairs = bounds.map(|bound| bound * unit).zip(counts.iter().copied());
    counted(point.count, point.sum * unit, pairs)
}

/// The upper bound of bucket `i` is 2^((i + 1) / 2^scale).
fn exponential(point: &ExponentialPoint, unit: f64) -> Result<Counted> {
    let none = Buckets::default();
    let positive = point.positive.as_ref().unwrap_or(&none);
    let bound = |at: usize| {
        let index = f64::from(positive.offset) + at as f64 + 1.0;
        (index * (-f64::from(point.scale)).exp2()).exp2()
    };
    let counts = positive.bucket_counts.iter().copied().enumerate();
    let pairs = counts.map(|(at, count)| (bound(at) * unit, count));
    counted(
        point.count,
        point.sum * unit,
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
