mod apart;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use serde_json::{Value, json};

use super::messages::{
    AnyValue, Buckets, ExponentialHistogram, ExponentialPoint, Export, Histogram, HistogramPoint,
    KeyValue, Metric, ResourceMetrics, ScopeMetrics,
};
use super::points::{Format, Kind, Point, points};
use super::series::Series;
use super::variables;
use crate::edge::api::Calls;

const SECOND: u64 = 1_000_000_000;

fn attributes(all: &[(&str, &str)]) -> Vec<KeyValue> {
    let one = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue {
            string_value: Some((*value).to_owned()),
            ..AnyValue::default()
        }),
    };
    all.iter().map(one).collect()
}

/// One histogram with one point: `counts` below 0.1 s, below 1 s, and above.
fn export(name: &str, of: &[(&str, &str)], temporality: i32, counts: [u64; 3]) -> Export {
    let point = HistogramPoint {
        start_time_unix_nano: 100 * SECOND,
        count: counts.iter().sum(),
        sum: counts.iter().sum::<u64>() as f64,
        bucket_counts: counts.to_vec(),
        explicit_bounds: vec![0.1, 1.0],
        attributes: attributes(of),
        max: Some(2.5),
    };
    exported(Metric {
        name: name.to_owned(),
        unit: "s".to_owned(),
        histogram: Some(Histogram {
            data_points: vec![point],
            aggregation_temporality: temporality,
        }),
        exponential_histogram: None,
    })
}

fn exported(metric: Metric) -> Export {
    Export {
        resource_metrics: vec![ResourceMetrics {
            resource: None,
            scope_metrics: vec![ScopeMetrics {
                scope: None,
                metrics: vec![metric],
            }],
        }],
    }
}

fn read(export: &Export) -> Vec<Point> {
    points(&export.encode_to_vec(), Format::Protobuf, false).unwrap()
}

type Attributes = &'static [(&'static str, &'static str)];

const CHAT: Attributes = &[("gen_ai.operation.name", "chat")];
const TOOL: Attributes = &[("gen_ai.operation.name", "execute_tool")];
const FAILED: Attributes = &[
    ("gen_ai.operation.name", "execute_tool"),
    ("error.type", "timeout"),
];
const DURATION: &str = "gen_ai.client.operation.duration";
const TOKENS: &str = "gen_ai.client.token.usage";

#[test]
fn what_is_told_of_calls_and_of_nothing_else() {
    let agent: Attributes = &[("gen_ai.operation.name", "invoke_agent")];
    let cases: [(&str, Attributes, Option<Kind>); 6] = [
        (DURATION, CHAT, Some(Kind::Model)),
        (DURATION, TOOL, Some(Kind::Tool { failed: false })),
        (DURATION, FAILED, Some(Kind::Tool { failed: true })),
        (TOKENS, CHAT, Some(Kind::Tokens)),
        (DURATION, agent, None),
        ("http.client.duration", CHAT, None),
    ];
    for (name, of, kind) in cases {
        let read = read(&export(name, of, 2, [1, 2, 3]));
        assert_eq!(read.first().map(|point| point.kind), kind, "{name} {of:?}");
    }
}

#[test]
fn packed_or_as_json_it_is_the_same() {
    let export = export(DURATION, CHAT, 1, [1, 0, 2]);
    let plain = read(&export);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&export.encode_to_vec()).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(points(&packed, Format::Protobuf, true).unwrap(), plain);
    let json = as_json().to_string();
    assert_eq!(points(json.as_bytes(), Format::Json, false).unwrap(), plain);
    let buckets: Vec<_> = plain[0].counted.buckets.clone().into_iter().collect();
    assert_eq!(buckets, [(100_000, 1), (2_500_000, 2)]);
}

fn as_json() -> Value {
    json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [{
        "name": DURATION,
        "unit": "s",
        "histogram": { "aggregationTemporality": 1, "dataPoints": [{
            "startTimeUnixNano": "100000000000",
            "timeUnixNano": "160000000000",
            "count": "3",
            "sum": 3,
            "bucketCounts": ["1", "0", 2],
            "explicitBounds": [0.1, 1],
            "max": 2.5,
            "attributes": [
                { "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } },
            ],
        }] },
    }] }] }] })
}

#[test]
fn times_in_another_unit_are_the_same_times() {
    let mut json = as_json();
    let metric = &mut json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
    metric["unit"] = "ms".into();
    let point = &mut metric["histogram"]["dataPoints"][0];
    point["sum"] = 3_000.into();
    point["explicitBounds"] = json!([100, 1_000]);
    point["max"] = 2_500.into();
    let told = points(json.to_string().as_bytes(), Format::Json, false).unwrap();
    let wanted = read(&export(DURATION, CHAT, 1, [1, 0, 2]));
    assert_eq!(told[0].counted, wanted[0].counted);
    for (key, value, says) in [
        (
            "unit",
            json!("min"),
            "is told in \"min\", and its unit is \"s\"",
        ),
        (
            "bounds",
            json!([1, 0.1]),
            "a histogram's bounds do not rise",
        ),
    ] {
        let mut json = as_json();
        let metric = &mut json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
        match key {
            "unit" => metric["unit"] = value,
            _ => metric["histogram"]["dataPoints"][0]["explicitBounds"] = value,
        }
        let error = points(json.to_string().as_bytes(), Format::Json, false).unwrap_err();
        assert!(format!("{error:#}").contains(says), "{error:#}");
    }
}

#[test]
fn buckets_that_grow_by_a_power() {
    let point = ExponentialPoint {
        attributes: attributes(CHAT),
        count: 4,
        sum: 9.0,
        scale: 0,
        zero_count: 1,
        positive: Some(Buckets {
            offset: 0,
            bucket_counts: vec![1, 2],
        }),
        ..ExponentialPoint::default()
    };
    let read = read(&exported(Metric {
        name: DURATION.to_owned(),
        unit: String::new(),
        histogram: None,
        exponential_histogram: Some(ExponentialHistogram {
            data_points: vec![point],
            aggregation_temporality: 2,
        }),
    }));
    let buckets: Vec<_> = read[0].counted.buckets.clone().into_iter().collect();
    assert_eq!(buckets, [(0, 1), (2_000_000, 1), (4_000_000, 2)]);
}

#[test]
fn what_is_wrong_is_said() {
    let mut odd = export(DURATION, CHAT, 2, [1, 2, 3]);
    odd.resource_metrics[0].scope_metrics[0].metrics[0]
        .histogram
        .as_mut()
        .unwrap()
        .data_points[0]
        .bucket_counts
        .pop();
    let cases: [(Vec<u8>, Format, bool, &str); 4] = [
        (vec![0xff; 9], Format::Protobuf, false, "it is no protobuf"),
        (
            b"[1]".to_vec(),
            Format::Json,
            false,
            "it is no JSON of metrics",
        ),
        (b"plain".to_vec(), Format::Json, true, "it is no gzip"),
        (
            odd.encode_to_vec(),
            Format::Protobuf,
            false,
            "2 counts and 2 bounds",
        ),
    ];
    for (body, format, is_packed, says) in cases {
        let error = format!("{:#}", points(&body, format, is_packed).unwrap_err());
        assert!(error.contains(says), "{error}");
    }
}

/// By an edge that started before the agent did, at 100 s.
fn added(series: &mut Series, points: Vec<Point>) -> Calls {
    series.add(("r2", 1), points, (90_000, 200_000)).0
}

#[test]
fn absurd_counts_stay_the_most_there_is() {
    let mut series = Series::default();
    let mut export = export(TOKENS, CHAT, 1, [u64::MAX, 0, 0]);
    let scope = &mut export.resource_metrics[0].scope_metrics[0];
    let all = scope.metrics[0].histogram.as_mut().unwrap();
    all.data_points[0].count = u64::MAX;
    all.data_points[0].sum = 1e300;
    let twice = [read(&export), read(&export)].concat();
    assert_eq!(added(&mut series, twice).tokens, u64::MAX);
}

#[test]
fn nothing_is_counted_twice() {
    let mut series = Series::default();
    let mut told = |temporality, counts| {
        let points = read(&export(DURATION, CHAT, temporality, counts));
        added(&mut series, points).model
    };
    assert_eq!(told(2, [1, 0, 0]), 1);
    assert_eq!(told(2, [1, 0, 0]), 0);
    assert_eq!(told(2, [3, 1, 0]), 3);
    assert_eq!(told(2, [1, 0, 0]), 0, "an older one");
    assert_eq!(told(2, [3, 1, 0]), 0, "the same again");
    assert_eq!(told(1, [2, 0, 0]), 2, "only what is new");
}

#[test]
fn calls_of_one_bucket_took_what_they_took_on_average() {
    let mut series = Series::default();
    let mut told = |sum, counts| {
        let mut export = export(DURATION, CHAT, 1, counts);
        let scope = &mut export.resource_metrics[0].scope_metrics[0];
        let told = scope.metrics[0].histogram.as_mut();
        told.unwrap().data_points[0].sum = sum;
        added(&mut series, read(&export)).latency
    };
    assert_eq!(told(0.8, [0, 4, 0]), [(200_000, 4)]);
    assert_eq!(told(0.9, [1, 4, 0]), [(100_000, 1), (1_000_000, 4)]);
    assert_eq!(told(-1.0, [2, 0, 0]), [(0, 2)]);
    assert_eq!(
        told(9.0, [0, 2, 0]),
        [(1_000_000, 2)],
        "never above the bound"
    );
}

#[test]
fn what_an_edge_before_this_one_heard_is_only_compared_with() {
    let mut series = Series::default();
    let mut told = |of, counts| {
        let points = read(&export(DURATION, of, 2, counts));
        series.add(("r2", 1), points, (500_000, 600_000)).0
    };
    assert_eq!(told(TOOL, [7, 0, 0]), Calls::default());
    assert_eq!(told(FAILED, [5, 0, 0]), Calls::default());
    assert_eq!(told(TOOL, [9, 0, 0]).tool, 2);
    let failed = told(FAILED, [5, 3, 0]);
    assert_eq!((failed.tool, failed.tool_errors), (3, 3));
    series.keep(|_, replica| replica == 2);
    assert_eq!(added(&mut series, Vec::new()), Calls::default());
}

#[test]
fn where_the_user_sends_figures_is_left_alone() {
    let told = |set: &[&str]| {
        let names = variables("http://127.0.0.1:9", "r2", 1, |name| set.contains(&name));
        names.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(told(&[]).len(), 4);
    assert!(told(&["OTEL_EXPORTER_OTLP_ENDPOINT"]).is_empty());
    assert!(!told(&["OTEL_RESOURCE_ATTRIBUTES"]).contains(&"OTEL_RESOURCE_ATTRIBUTES"));
}
