//! Which series a point belongs to, and how many there may be.

use std::collections::BTreeSet;

use super::*;
use crate::edge::otlp::messages::{KeyValues, Scope, Taken, Values};
use crate::edge::otlp::said;
use crate::edge::otlp::series::MOST_SERIES;

/// Of one point, what tells its series from others.
fn told_by(change: impl Fn(&mut HistogramPoint, &mut ScopeMetrics)) -> Export {
    let mut export = export(DURATION, CHAT, 2, [1, 0, 0]);
    let scope = &mut export.resource_metrics[0].scope_metrics[0];
    let mut point = scope.metrics[0].histogram.take().unwrap();
    change(&mut point.data_points[0], scope);
    scope.metrics[0].histogram = Some(point);
    export
}

fn valued(value: AnyValue) -> Export {
    told_by(|point, _| {
        point.attributes.push(KeyValue {
            key: "of".to_owned(),
            value: Some(value.clone()),
        });
    })
}

fn integer(int_value: i64) -> AnyValue {
    AnyValue {
        int_value: Some(int_value),
        ..AnyValue::default()
    }
}

fn list(values: Vec<AnyValue>) -> AnyValue {
    AnyValue {
        array_value: Some(Values { values }),
        ..AnyValue::default()
    }
}

fn keys(all: &[(&str, i64)]) -> AnyValue {
    let one = |(key, value): &(&str, i64)| KeyValue {
        key: (*key).to_owned(),
        value: Some(integer(*value)),
    };
    AnyValue {
        kvlist_value: Some(KeyValues {
            values: all.iter().map(one).collect(),
        }),
        ..AnyValue::default()
    }
}

/// Each with a value, a library or a process of its own.
fn apart() -> Vec<Export> {
    let truth = |yes| AnyValue {
        bool_value: Some(yes),
        ..AnyValue::default()
    };
    let double = |double| AnyValue {
        double_value: Some(double),
        ..AnyValue::default()
    };
    let bytes = |bytes: &[u8]| AnyValue {
        bytes_value: Some(bytes.to_vec()),
        ..AnyValue::default()
    };
    let values = [
        AnyValue::default(),
        integer(443),
        integer(8443),
        truth(true),
        truth(false),
        double(0.5),
        double(443.0),
        bytes(b"1"),
        bytes(b"2"),
        list(vec![integer(1)]),
        list(vec![integer(1), integer(2)]),
        keys(&[("a", 1), ("b", 2)]),
        keys(&[("a", 1), ("b", 3)]),
    ];
    let library = |name: &str| {
        told_by(|_, scope| {
            scope.scope = Some(Scope {
                name: name.to_owned(),
                ..Scope::default()
            });
        })
    };
    let of_process = told_by(|point, _| point.start_time_unix_nano += 1);
    let others = [library("openai"), library("langchain"), of_process];
    values.into_iter().map(valued).chain(others).collect()
}

#[test]
fn what_differs_in_any_value_is_counted_apart() {
    let all = apart();
    let series: BTreeSet<u64> = all.iter().map(|one| read(one)[0].series).collect();
    assert_eq!(series.len(), all.len());
    let [one, other] = [[("a", 1), ("b", 2)], [("b", 2), ("a", 1)]]
        .map(|all| read(&valued(list(vec![keys(&all)])))[0].series);
    assert_eq!(one, other, "in any order");
}

#[test]
fn an_idle_agent_with_many_series_tells_nothing_new() {
    let mut series = Series::default();
    let mut told = || -> u64 {
        let all = apart().into_iter();
        all.map(|one| added(&mut series, read(&one)).model).sum()
    };
    assert_eq!(told(), apart().len() as u64);
    for _ in 0..20 {
        assert_eq!(told(), 0);
    }
}

#[test]
fn any_value_is_read_from_json_too() {
    let of_value = |value: Value| {
        let mut json = as_json();
        let point = &mut json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
        let point = &mut point["histogram"]["dataPoints"][0];
        let attributes = point["attributes"].as_array_mut().unwrap();
        attributes.push(json!({ "key": "of", "value": value }));
        let told = points(json.to_string().as_bytes(), Format::Json, false).unwrap();
        told[0].series
    };
    let same = [
        (json!({ "intValue": "443" }), integer(443)),
        (json!({ "intValue": 443 }), integer(443)),
        (
            json!({ "arrayValue": { "values": [{ "intValue": "1" }] } }),
            list(vec![integer(1)]),
        ),
        (
            json!({ "kvlistValue": { "values": [{ "key": "a", "value": { "intValue": "1" } }] } }),
            keys(&[("a", 1)]),
        ),
    ];
    for (json, value) in same {
        assert_eq!(
            of_value(json.clone()),
            read(&valued(value))[0].series,
            "{json}"
        );
    }
    let apart = [
        json!({}),
        json!({ "boolValue": true }),
        json!({ "boolValue": false }),
        json!({ "doubleValue": 0.5 }),
        json!({ "doubleValue": "NaN" }),
        json!({ "bytesValue": "AQ==" }),
        json!({ "bytesValue": "Ag==" }),
    ];
    let series: BTreeSet<u64> = apart.iter().cloned().map(of_value).collect();
    assert_eq!(series.len(), apart.len());
}

#[test]
fn what_there_is_no_room_for_is_said() {
    let mut series = Series::default();
    let mut told = |of: i64, now: u64| {
        let points = read(&valued(integer(of)));
        let (calls, rejected) = series.add(("r2", 1), points, (90_000, now));
        (calls.model, rejected)
    };
    for of in 0..MOST_SERIES as i64 {
        assert_eq!(told(of, 200_000), (1, 0));
    }
    assert_eq!(told(-1, 200_000), (0, 1));
    assert_eq!(told(7, 3_000_000), (0, 0), "one that is there");
    assert_eq!(
        told(-1, 3_900_000),
        (1, 0),
        "others were silent for an hour"
    );
    assert_eq!(told(7, 3_900_000), (0, 0), "it was not");

    let (kind, body) = said(Format::Protobuf, 3);
    let read = Taken::decode(body.as_slice()).unwrap().partial_success;
    assert_eq!(
        (kind, read.unwrap().rejected_data_points),
        ("application/x-protobuf", 3)
    );
    let json: Value = serde_json::from_slice(&said(Format::Json, 3).1).unwrap();
    let partial = &json["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "3");
    assert!(
        partial["errorMessage"]
            .as_str()
            .unwrap()
            .contains("1000 series")
    );
    assert_eq!(said(Format::Protobuf, 0).1, b"");
    assert_eq!(said(Format::Json, 0).1, b"{}");
}
