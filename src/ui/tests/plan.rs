use super::*;
use crate::rollout::{Plan, Step};
use crate::spec::{Against, Bound, Metric, MetricGate, Unclear};

fn view<'a>(changes: &'a [String], plan: &'a Plan) -> PlanView<'a> {
    PlanView {
        agent: "support-agent",
        environment: Some("production"),
        changes,
        plan,
    }
}

#[test]
fn plan_of_a_canary() {
    let changes = ["command: python app.py → python -m app".to_owned()];
    golden(
        &printed(&view(&changes, &plan())),
        r"
support-agent   production   canary   r12 → r13

  command: python app.py → python -m app

step  r12  r13  traffic to r13  then
   1    3    1             0 %  1 probe
   2    3    1            10 %  hold 10 s
   3    3    2            50 %  hold 5m, approve before full traffic
   4    3    3           100 %  judge the gates
   5    0    3           100 %  done; no undo from here on

undo    a failure before step 5 gives all traffic back to r12
gates   error_rate at most 5.0 %    waits for 20 requests, 1h at most
        latency_p95 at most 500 ms  waits for 20 requests, 1h at most
probes  POST /chat → 200 with $.reply within 10 s
",
    );
}

#[test]
fn plan_of_a_first_deploy_with_a_person_in_between() {
    let mut plan = Plan {
        from: None,
        auto_undo: false,
        limit: Some(4),
        one_set: false,
        gates: Vec::new(),
        ..plan()
    };
    plan.steps.drain(1..4);
    plan.undo = vec![Step {
        stable: 0,
        ..plan.undo[0].clone()
    }];
    golden(
        &printed(&view(&[], &plan)),
        r"
support-agent   production   first deploy   r13

step  r13  traffic to r13  then
   1    1             0 %  1 probe
   2    3           100 %  done; no undo from here on

undo    nothing runs yet: a failure stops r13 again
        a failed gate or probe waits for a person first
limit   at most 4 replicas at once
probes  POST /chat → 200 with $.reply within 10 s
",
    );
}

#[test]
fn plan_as_json() {
    let mut plan = Plan {
        gates: Vec::new(),
        probes: Vec::new(),
        ..plan()
    };
    plan.steps.truncate(2);
    plan.undo.truncate(1);
    golden(
        &json(&view(&["env.LOG_LEVEL: info → debug".to_owned()], &plan)),
        r#"
{"v":1,"agent":"support-agent","environment":"production","changes":["env.LOG_LEVEL: info → debug"],"plan":{"strategy":"canary","by":"","from":"r12","to":"r13","steps":[{"stable":3,"candidate":1,"weight":0,"gates":["probe"]},{"stable":3,"candidate":1,"weight":10,"gates":[{"hold":"10s"}]}],"undo":[{"stable":3,"candidate":0,"weight":0}],"sticky":true,"auto_undo":true,"patience":"1h","startup":"1m"}}
"#,
    );
}

#[test]
fn plans_where_nothing_is_cleaned_up() {
    let world = |stable, candidate| Step {
        stable,
        candidate,
        weight: percent(100),
        mirror: percent(0),
        gates: Vec::new(),
    };
    let plan = |from, undo: Vec<Step>| Plan {
        from,
        steps: vec![world(0, 5), world(0, 5)],
        undo,
        ..plan()
    };
    let cases = [
        plan(None, vec![world(0, 0)]),
        plan(Some(ReleaseId(12)), vec![world(0, 0)]),
        plan(Some(ReleaseId(12)), vec![world(4, 0)]),
        plan(Some(ReleaseId(13)), vec![world(0, 3)]),
    ];
    let all: Vec<_> = cases.iter().map(|plan| printed(&view(&[], plan))).collect();
    golden(
        &all.join("\n"),
        r"
support-agent   production   first deploy   r13

step  r13  traffic to r13  then
   1    5           100 %  done

undo  nothing runs yet: a failure stops r13 again

support-agent   production   canary   r12 → r13

step  r13  traffic to r13  then
   1    5           100 %  done

undo  nothing runs now: a failure stops r13 again

support-agent   production   canary   r12 → r13

step  r12  r13  traffic to r13  then
   1    0    5           100 %  done

undo  a failure gives all traffic back to r12

support-agent   production   scale   r13   3 → 5 replicas

step  r13  traffic to r13  then
   1    5           100 %  done

undo  a failure goes back to 3 replicas
",
    );
}

#[test]
fn plan_says_what_each_gate_waits_for() {
    let asks = |metric, unclear| MetricGate {
        max: Some(Bound::Number(0.1)),
        unclear,
        ..MetricGate::on(metric)
    };
    let gates = vec![
        MetricGate {
            min_requests: 0,
            ..asks(Metric::ErrorRate, Unclear::Fail)
        },
        asks(Metric::ToolErrorRate, Unclear::Wait),
        MetricGate {
            max: None,
            min: Some(Bound::Number(100.0)),
            ..asks(Metric::Requests, Unclear::Wait)
        },
        MetricGate {
            max: None,
            against: Some(Against::Stable),
            ..asks(Metric::ErrorRate, Unclear::Pass)
        },
    ];
    let whole = Plan { gates, ..plan() };
    let mut rolling = whole.clone();
    rolling.steps.drain(1..3);
    rolling.undo.truncate(2);
    let gates = |plan: &Plan| {
        let lines = printed(&view(&[], plan));
        let after = lines.split("gates   ").nth(1).unwrap().to_owned();
        after.split("probes").next().unwrap().to_owned()
    };
    golden(
        &gates(&whole),
        r"
error_rate at most 10.0 %                      fails without 1 request
        tool_error_rate at most 10.0 %                 waits for 20 calls, 1h at most
        requests at least 100                          waits for 100 requests, 1h at most
        error_rate no worse than the stable release's  passes without enough evidence; not asked at 100 %
",
    );
    assert!(gates(&rolling).contains("  not asked: there is nothing to compare with\n"));
}
