use super::*;
use crate::edge::api::Traffic;

fn state() -> State {
    let total = Measures {
        requests: 3,
        errors: 1,
        latency: vec![(4_992, 1), (1_015_808, 2)],
        tokens: 120,
        cost_micros: 1_500_000,
        ..Measures::default()
    };
    let pool = PoolState {
        conversations: 2,
        total,
        ..PoolState::default()
    };
    State {
        version: "0.1.0".into(),
        program: None,
        pid: 1,
        started: 0,
        fence: 1,
        listen: None,
        traffic: Traffic {
            shares: [("r13".to_owned(), 500)].into(),
            ..Traffic::default()
        },
        closed: None,
        ending: false,
        mirrored: None,
        pools: [("r13".to_owned(), pool)].into(),
    }
}

#[test]
fn each_figure_has_its_line() {
    let text = text(&state());
    for line in [
        "agentctl_requests_total{pool=\"r13\"} 3",
        "agentctl_errors_total{pool=\"r13\"} 1",
        "agentctl_request_seconds_bucket{pool=\"r13\",le=\"0.005\"} 1",
        "agentctl_request_seconds_bucket{pool=\"r13\",le=\"1\"} 1",
        "agentctl_request_seconds_bucket{pool=\"r13\",le=\"2.5\"} 3",
        "agentctl_request_seconds_bucket{pool=\"r13\",le=\"+Inf\"} 3",
        "agentctl_request_seconds_sum{pool=\"r13\"} 2.036608",
        "agentctl_request_seconds_count{pool=\"r13\"} 3",
        "agentctl_open_requests{pool=\"r13\"} 0",
        "agentctl_open_conversations{pool=\"r13\"} 2",
        "agentctl_tokens_total{pool=\"r13\"} 120",
        "agentctl_cost_total{pool=\"r13\"} 1.5",
        "agentctl_replicas{pool=\"r13\",standing=\"ready\"} 0",
        "agentctl_share{pool=\"r13\"} 0.05",
    ] {
        assert!(text.lines().any(|each| each == line), "{line}\n{text}");
    }
}

#[test]
fn every_sample_belongs_to_a_family_and_names_need_no_trust() {
    let mut state = state();
    let pool = state.pools.remove("r13").unwrap();
    state.pools.insert("a\"} 1\nb".into(), pool);
    for line in text(&state).lines() {
        assert!(
            line.starts_with("# ") || line.starts_with("agentctl_"),
            "{line}"
        );
    }
}
