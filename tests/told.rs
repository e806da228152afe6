//! What agents tell of their calls through OpenTelemetry.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{CANARY, Place, eventually, kill, pip, repository};

pub(crate) const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

/// The environment of whoever answers.
pub(crate) fn env(place: &Place) -> Value {
    serde_json::from_str(&place.get("/env").1).unwrap()
}

/// As a library exports it: so many calls of this operation that took 0.5 s at most.
pub(crate) fn calls(name: &str, operation: &str, error: Option<&str>, count: u64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let error = error.map(|error| text("error.type", error));
    let attributes: Vec<Value> = [Some(text("gen_ai.operation.name", operation)), error]
        .into_iter()
        .flatten()
        .collect();
    json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [{
        "name": name,
        "histogram": { "aggregationTemporality": 1, "dataPoints": [{
            "startTimeUnixNano": now.as_nanos().to_string(),
            "count": count.to_string(),
            "sum": count * 100,
            "bucketCounts": [0, count.to_string(), 0],
            "explicitBounds": [0.1, 0.5],
            "attributes": attributes,
        }] },
    }] }] }] })
}

pub(crate) const DURATION: &str = "gen_ai.client.operation.duration";

/// The status; `None` where nobody listens.
fn post(endpoint: &str, body: &str) -> Option<u16> {
    answer(endpoint, body)?.split(' ').nth(1)?.parse().ok()
}

/// Head and body.
fn answer(endpoint: &str, body: &str) -> Option<String> {
    let rest = endpoint.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).ok()?;
    let length = body.len();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    Some(reply)
}

#[test]
fn a_release_whose_tools_fail_is_undone() {
    let place = Place::deployed("");
    let gate = "[[gate]]\nmetric = \"tool_error_rate\"\nmax = 0.1\n";
    let deploy = place.deploy_until(
        &format!("run.env.ANSWER = \"two\"\n{CANARY}{gate}"),
        "holding at 50 %",
    );
    let mut replies = std::iter::repeat_with(|| env(&place));
    let candidate = replies.find(|env| env["AGENT_RELEASE"] == "r2").unwrap();
    let endpoint = candidate[ENDPOINT].as_str().unwrap();
    assert!(endpoint.ends_with("/r2/1/v1/metrics"), "{endpoint}");
    for (error, count) in [(None, 18), (Some("timeout"), 6)] {
        let told = calls(DURATION, "execute_tool", error, count).to_string();
        assert_eq!(post(endpoint, &told), Some(200));
    }
    let ran = deploy.wait().ends(1);
    ran.says("undoing   tool_error_rate 25.0 % is above 10.0 %");
}

/// All that was ever counted, as libraries tell it again and again: one call at each of so many ports.
fn at_ports(count: u64) -> Value {
    let mut all = calls(DURATION, "chat", None, 1);
    let histogram = &mut all["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["histogram"];
    histogram["aggregationTemporality"] = 2.into();
    let point = histogram["dataPoints"][0].clone();
    let at = |port: u64| {
        let mut point = point.clone();
        let port = json!({ "key": "server.port", "value": { "intValue": port.to_string() } });
        point["attributes"].as_array_mut().unwrap().push(port);
        point
    };
    histogram["dataPoints"] = (0..count).map(at).collect();
    all
}

#[test]
fn series_are_counted_apart_and_once_and_what_is_too_much_is_said() {
    let place = Place::deployed("");
    let endpoint = env(&place)[ENDPOINT].as_str().unwrap().to_owned();
    let told = at_ports(1_001).to_string();
    for _ in 0..3 {
        let answer = answer(&endpoint, &told).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let partial = &serde_json::from_str::<Value>(body).unwrap()["partialSuccess"];
        assert_eq!(partial["rejectedDataPoints"], "1", "{body}");
    }
    let page = place.run(&["metrics"]).ends(0);
    page.says("agentctl_model_call_seconds_count{pool=\"r1\"} 1000\n");
}

#[test]
fn what_was_told_is_shown_and_an_edge_that_was_killed_hears_on() {
    let place = Place::deployed("");
    let agent = env(&place);
    let endpoint = agent[ENDPOINT].as_str().unwrap();
    let attributes = agent["OTEL_RESOURCE_ATTRIBUTES"].as_str().unwrap();
    assert_eq!(attributes, "agentctl.release=r1,agentctl.replica=1");
    let model = calls(DURATION, "chat", None, 3).to_string();
    let tokens = calls("gen_ai.client.token.usage", "chat", None, 3).to_string();
    for told in [&model, &tokens] {
        assert_eq!(post(endpoint, told), Some(200));
    }
    assert_eq!(post(endpoint, "[1]"), Some(400));
    assert_eq!(
        post(&endpoint.replace("/r1/1/", "/r1/7/"), &model),
        Some(404)
    );
    let page = place.run(&["metrics"]).ends(0);
    let page = page.says("agentctl_model_call_seconds_count{pool=\"r1\"} 3\n");
    page.says("agentctl_model_tokens_total{pool=\"r1\"} 300\n");
    kill(place.edge());
    place.run(&["status"]).ends(0);
    eventually("it hears again", || post(endpoint, &model) == Some(200));
}

/// Nothing is said to the library that it does not read by itself.
#[test]
fn a_library_as_it_comes_is_heard() {
    let exporter = ["opentelemetry-exporter-otlp-proto-http"];
    let Some(programs) = pip::programs("opentelemetry-sdk", "1.45.2", &exporter) else {
        return;
    };
    let place = Place::new("");
    let python = programs.join("python").display().to_string();
    let spec = place.read("agent.toml");
    let spec = spec.replace("\"python3\"", &format!("\"{python}\""));
    place.write("agent.toml", spec);
    let agent = repository().join("tests/agents/measured.py");
    fs::copy(agent, place.path("agent.py")).unwrap();
    place.run(&["deploy"]).ends(0);
    for _ in 0..4 {
        place.get("/call");
    }
    let page = place.run(&["metrics"]).ends(0);
    let page = page.says("agentctl_model_call_seconds_bucket{pool=\"r1\",le=\"0.5\"} 4");
    let page = page.says("agentctl_model_call_seconds_count{pool=\"r1\"} 4");
    let page = page.says("agentctl_model_tokens_total{pool=\"r1\"} 600");
    let page = page.says("agentctl_tool_calls_total{pool=\"r1\"} 8");
    page.says("agentctl_tool_errors_total{pool=\"r1\"} 4");
}

#[test]
fn where_the_user_sends_figures_elsewhere_they_go_there() {
    let place = Place::deployed("run.env.OTEL_EXPORTER_OTLP_ENDPOINT = \"http://collector:4318\"");
    let agent = env(&place);
    assert_eq!(
        agent["OTEL_EXPORTER_OTLP_ENDPOINT"],
        "http://collector:4318"
    );
    assert_eq!(agent[ENDPOINT], Value::Null);
}
