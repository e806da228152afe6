use serde_json::Value;

use super::super::fixtures::{find, input, kinds, rendered};

const SHOWN: &str = "[observe]\nmetrics = \"/metrics\"\ndashboards = true\n";

fn alerts(text: &str) -> Vec<Value> {
    let objects = rendered(&input(text));
    let rule = find(&objects, "PrometheusRule", "helper");
    rule["spec"]["groups"][0]["rules"]
        .as_array()
        .unwrap()
        .clone()
}

fn named<'a>(alerts: &'a [Value], name: &str) -> Vec<&'a str> {
    let those = alerts.iter().filter(|alert| alert["alert"] == name);
    those.map(|alert| alert["expr"].as_str().unwrap()).collect()
}

#[test]
fn nothing_unless_asked_for() {
    let found = kinds(&rendered(&input("[observe]\nmetrics = \"/metrics\"")));
    let watching = ["ServiceMonitor", "PodMonitor", "PrometheusRule"];
    assert!(
        !found
            .iter()
            .any(|kind| watching.iter().any(|other| kind.starts_with(other))),
        "{found:?}"
    );
}

#[test]
fn a_monitor_reads_each_replica_once() {
    for (kind, monitor) in [
        ("service", "ServiceMonitor"),
        ("stateful", "ServiceMonitor"),
        ("worker", "PodMonitor"),
        ("daemon", "PodMonitor"),
    ] {
        let objects = rendered(&input(&format!("kind = \"{kind}\"\n{SHOWN}")));
        let spec = &find(&objects, monitor, "helper")["spec"];
        let endpoints = spec
            .get("endpoints")
            .or(spec.get("podMetricsEndpoints"))
            .unwrap();
        assert_eq!(endpoints[0]["path"], "/metrics");
        let relabelings = endpoints[0]["relabelings"].as_array().unwrap();
        let keeps = relabelings.iter().filter(|rule| rule["action"] == "keep");
        assert_eq!(
            keeps.count(),
            usize::from(monitor == "ServiceMonitor"),
            "{kind}"
        );
        assert!(relabelings.iter().any(|rule| {
            rule["sourceLabels"][0] == "__meta_kubernetes_pod_label_agentctl_dev_release"
                && rule["targetLabel"] == "release"
        }));
    }
}

#[test]
fn alerts_take_their_bounds_from_the_gates() {
    let gates = "[[gate]]\nmetric = \"error_rate\"\nmax = 0.01\n[[gate]]\nmetric = \"latency_p99\"\nmax = \"1500ms\"\n\
                 [[gate]]\nmetric = \"cost_per_conversation\"\nmax = 0.2\n";
    let with = alerts(&format!("{SHOWN}{gates}"));
    let errors = "sum(increase(agent_errors_total{agent=\"helper\"}[5m])) / sum(increase(agent_requests_total{agent=\"helper\"}[5m])) > 0.01";
    assert_eq!(named(&with, "AgentErrorRate"), [errors]);
    let latency = "histogram_quantile(0.99, sum by (le) (rate(agent_request_seconds_bucket{agent=\"helper\"}[5m]))) > 1.5";
    assert_eq!(named(&with, "AgentLatency"), [latency]);
    assert!(named(&with, "AgentCost")[0].ends_with("> 0.2"));
    let without = alerts(SHOWN);
    assert!(named(&without, "AgentErrorRate")[0].ends_with("> 0.05"));
    assert!(named(&without, "AgentLatency")[0].ends_with("> 30"));
    assert!(named(&without, "AgentCost")[0].contains("> 2 * ("));
}

#[test]
fn the_queue_is_watched_where_there_is_one() {
    assert!(named(&alerts(SHOWN), "AgentQueueAge").is_empty());
    let worker = alerts(&format!("kind = \"worker\"\n{SHOWN}"));
    assert_eq!(
        named(&worker, "AgentQueueAge"),
        ["max(agent_queue_oldest_seconds{agent=\"helper\"}) > 300"]
    );
}

#[test]
fn a_rollout_stalls_when_its_plan_is_over() {
    let canary = "[rollout]\nstrategy = \"canary\"\nsteps = [{ weight = 5, hold = \"10m\" }, { weight = 100 }]\nbake = \"20m\"\n";
    let all = alerts(&format!("{SHOWN}{canary}"));
    let stalled = all
        .iter()
        .find(|alert| alert["alert"] == "AgentRolloutStalled")
        .unwrap();
    assert!(
        stalled["expr"]
            .as_str()
            .unwrap()
            .contains("deployment=~\"helper(-r[0-9]+)?\"")
    );
    // 10m held, 20m baked, an hour of patience, half an hour of conversations, a second per step.
    assert_eq!(stalled["for"], "121m");
}

#[test]
fn runs_have_one_alert_and_no_dashboard() {
    let text = format!("kind = \"cron\"\n[run]\nschedule = \"0 6 * * *\"\n{SHOWN}");
    let objects = rendered(&input(&text));
    let rules = &find(&objects, "PrometheusRule", "helper")["spec"]["groups"][0]["rules"];
    assert_eq!(rules.as_array().unwrap().len(), 1);
    assert!(
        !kinds(&objects)
            .iter()
            .any(|kind| kind.contains("Monitor") || kind.contains("dashboard"))
    );
}

#[test]
fn the_dashboard_is_json_in_a_labelled_config_map() {
    let objects = rendered(&input(&format!("kind = \"worker\"\n{SHOWN}")));
    let map = find(&objects, "ConfigMap", "helper-dashboard");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    let dashboard: Value =
        serde_json::from_str(map["data"]["helper.json"].as_str().unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert_eq!(panels.len(), 9);
    let target = &panels[2]["targets"][1];
    assert_eq!(target["refId"], "B");
    assert_eq!(target["legendFormat"], "p95 {{release}}");
    assert!(
        target["expr"]
            .as_str()
            .unwrap()
            .contains("sum by (le, release)")
    );
}
