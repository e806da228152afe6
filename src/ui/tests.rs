//! The tables, exactly as they are printed.

mod plan;

use super::fixtures::*;
use super::*;
use crate::release::ReleaseId;
use crate::rollout::{Outcome, Reason, Why};
use crate::target::{Log, SeenBeside};

fn printed(view: &impl console::View) -> String {
    text(&view.lines(&clock(7_212)))
}

fn json(view: &impl console::View) -> String {
    let wishes = Wishes {
        output: Output::Json,
        ..Wishes::default()
    };
    let (mut console, out, _) = console(wishes, reader());
    console.show(view, after(7_212));
    out.text()
}

fn past(rollout: u64, outcome: Option<Outcome>) -> PastView {
    PastView {
        rollout,
        started: NOON,
        finished: outcome.as_ref().map(|_| after(72)),
        strategy: crate::spec::Strategy::Canary,
        from: Some(ReleaseId(12)),
        to: ReleaseId(13),
        by: "anna@laptop".to_owned(),
        because: None,
        end: super::history::End(outcome),
    }
}

fn reason() -> Reason {
    Reason {
        lines: vec!["only the evidence has it".to_owned()],
        why: Why::Gate,
        says: "error_rate 33.3 % is above 5.0 %".to_owned(),
        evidence: Some("evidence/6".to_owned()),
        hint: None,
    }
}

fn rolled_back() -> Outcome {
    Outcome::RolledBack(reason())
}

fn status() -> Status {
    let rollout = replay(&events());
    let seen = seen();
    Status {
        agent: "support-agent".to_owned(),
        environment: Some("production".to_owned()),
        url: seen.url.clone(),
        closed: None,
        releases: Serving::in_total(&rollout, &seen),
        beside: Vec::new(),
        rollout: Some(Running::of(
            7,
            &rollout,
            &seen,
            &verdicts(),
            after(12),
            Some("anna@laptop, pid 4711".to_owned()),
        )),
        last: Some(past(6, Some(rolled_back()))),
        next: None,
    }
}

#[test]
fn status_in_the_middle_of_a_rollout() {
    golden(
        &printed(&status()),
        r"
support-agent   production   http://127.0.0.1:8000

release          replicas   traffic  requests  errors     p95  open  tokens
● r12 stable     3/3 ready     90 %     1,204   0.1 %  210 ms    12  88,120
◐ r13 candidate  1/1 ready     10 %       131   0.0 %  220 ms    12  88,120
└ r9  draining   1 leaving                                        2
open: conversations; counted since 12:03 (2 h ago)

rollout 7   canary   r12 → r13
  step 2 of 5
  holding at 10 %, 7 s of 10 s
  ✓ error_rate 0.0 %
  ○ latency_p95 needs 12 more requests at this weight (8 of 20)
  run by anna@laptop, pid 4711 since 12:03 (2 h ago)

last rollout 6   canary   r12 → r13   rolled back   12:04 (1 h ago)
  error_rate 33.3 % is above 5.0 %
  evidence: evidence/6
",
    );
}

#[test]
fn status_of_what_stands_beside() {
    let beside = |name: &str, is_well, says: &str| SeenBeside {
        name: name.to_owned(),
        is_well,
        says: says.to_owned(),
    };
    let status = Status {
        beside: vec![
            beside("cache", true, "Up 3 minutes (healthy)"),
            beside("search-tool", false, "Exited (1) 4 seconds ago"),
        ],
        rollout: None,
        last: None,
        ..status()
    };
    let printed = printed(&status);
    let told = "\n\nbeside  cache        Up 3 minutes (healthy)\nbeside  search-tool  Exited (1) 4 seconds ago\n";
    assert!(printed.ends_with(told), "{printed}");
    assert!(json(&status).contains(r#""beside":[{"name":"cache","is_well":true,"#));
}

#[test]
fn status_as_json() {
    let mut status = status();
    status.releases.truncate(1);
    golden(
        &json(&status),
        r#"
{"v":1,"agent":"support-agent","environment":"production","url":"http://127.0.0.1:8000","closed":null,"releases":[{"release":"r12","role":"stable","weight":90,"ready":3,"wanted":3,"coming":0,"leaving":0,"since":"2026-10-06T12:03:44.000Z","requests":1204,"errors":1,"error_rate":0.0008305647840531562,"latency_p50":0.105,"latency_p95":0.21,"open_requests":4,"open_conversations":12,"tokens":88120,"cost":null,"failing":[]}],"rollout":{"rollout":7,"strategy":"canary","from":"r12","to":"r13","started":"2026-10-06T12:03:44.000Z","phase":"forward","step":2,"steps":5,"weight":10,"doing":"holding at 10 %, 7 s of 10 s","gates":[{"gate":"error_rate","finding":"pass","figure":null,"says":"error_rate 0.0 %"},{"gate":"latency_p95","finding":"unclear","figure":null,"says":"latency_p95 needs 12 more requests at this weight (8 of 20)"}],"holder":"anna@laptop, pid 4711"},"last":{"rollout":6,"started":"2026-10-06T12:03:44.000Z","finished":"2026-10-06T12:04:56.000Z","strategy":"canary","from":"r12","to":"r13","by":"anna@laptop","outcome":"rolled_back","reason":{"why":"gate","says":"error_rate 33.3 % is above 5.0 %","lines":["only the evidence has it"],"evidence":"evidence/6"}},"next":null}
"#,
    );
}

#[test]
fn status_of_a_rollout_that_nobody_runs() {
    let rollout = replay(&gate_failed());
    let seen = seen_failing();
    let status = Status {
        releases: Serving::in_total(&rollout, &seen),
        rollout: Some(Running::of(7, &rollout, &seen, &[], after(12), None)),
        last: None,
        next: Some(next(&rollout)),
        ..status()
    };
    golden(
        &printed(&status),
        r"
support-agent   production   http://127.0.0.1:8000

release          replicas   traffic  requests  errors     p95  open  tokens
● r12 stable     3/3 ready    100 %     1,204   0.1 %  210 ms    12  88,120
✗ r13 candidate  0/1 ready      0 %         0
└ r9  draining   1 leaving                                        2
  r13-2 restarted 3 times: exited with 1: ModuleNotFoundError
open: conversations; counted since 12:03 (2 h ago)

rollout 7   canary   r12 → r13
  undoing: error_rate 33.3 % is above 5.0 %
  moving traffic: r13 0 %
  run by nobody

next: agentctl resume goes on with it
",
    );
}

#[test]
fn status_of_nothing() {
    let nothing = Status {
        environment: None,
        url: None,
        releases: Vec::new(),
        rollout: None,
        last: None,
        ..status()
    };
    golden(
        &printed(&nothing),
        r"
support-agent

nothing of support-agent is deployed here
",
    );
}

#[test]
fn status_after_a_stop_and_of_a_rollout_that_stalled() {
    let outcome = Outcome::Stalled(Reason {
        says: "r13-1 exited with 1, 3 times in a row".to_owned(),
        ..reason()
    });
    let stalled = Status {
        releases: Vec::new(),
        rollout: None,
        last: Some(past(6, Some(outcome))),
        next: Some(next(&replay(&events()))),
        ..status()
    };
    golden(
        &printed(&stalled),
        r"
support-agent   production   http://127.0.0.1:8000

nothing runs: agentctl deploy starts it again

last rollout 6   canary   r12 → r13   stalled   12:04 (1 h ago)
  r13-1 exited with 1, 3 times in a row
  evidence: evidence/6

next: agentctl resume goes on with it, agentctl abort undoes it
",
    );
}

fn history(rollouts: Vec<PastView>) -> HistoryView {
    HistoryView {
        agent: "support-agent".to_owned(),
        environment: Some("production".to_owned()),
        rollouts,
    }
}

#[test]
fn history_newest_first() {
    let rollouts = vec![
        past(8, None),
        past(7, Some(Outcome::Completed)),
        past(6, Some(rolled_back())),
    ];
    golden(
        &printed(&history(rollouts)),
        r"
rollout  started           kind    change       took  by           outcome
      8  2026-10-06 12:03  canary  r12 → r13          anna@laptop  unfinished
      7  2026-10-06 12:03  canary  r12 → r13  1m 12s  anna@laptop  completed
      6  2026-10-06 12:03  canary  r12 → r13  1m 12s  anna@laptop  rolled back
         error_rate 33.3 % is above 5.0 %
",
    );
}

#[test]
fn history_as_json() {
    golden(
        &json(&history(vec![past(8, None), past(6, Some(rolled_back()))])),
        r#"
{"v":1,"agent":"support-agent","environment":"production","rollouts":[{"rollout":8,"started":"2026-10-06T12:03:44.000Z","finished":null,"strategy":"canary","from":"r12","to":"r13","by":"anna@laptop","outcome":"unfinished"},{"rollout":6,"started":"2026-10-06T12:03:44.000Z","finished":"2026-10-06T12:04:56.000Z","strategy":"canary","from":"r12","to":"r13","by":"anna@laptop","outcome":"rolled_back","reason":{"why":"gate","says":"error_rate 33.3 % is above 5.0 %","lines":["only the evidence has it"],"evidence":"evidence/6"}}]}
"#,
    );
}

#[test]
fn history_of_nothing() {
    golden(
        &printed(&history(Vec::new())),
        r"
nothing of support-agent was ever deployed here
",
    );
}

fn logs() -> Vec<Log> {
    let log = |replica, line: &str| Log {
        release: ReleaseId(13),
        replica,
        sidecar: (replica == 11).then(|| "sync".to_owned()),
        lines: vec![line.to_owned(), "ready".to_owned()],
    };
    vec![
        log(2, "\u{1b}[32mINFO\u{1b}[0m listening"),
        log(11, "key is hunter22"),
    ]
}

fn secrets() -> crate::redact::Redactor {
    crate::redact::Redactor::new(&[("KEY".to_owned(), "hunter22".to_owned())].into())
}

#[test]
fn logs_as_text() {
    let (mut console, out, _) = console(Wishes::default(), reader());
    console.keep_out(secrets());
    console.logs(&logs());
    golden(
        &out.text(),
        r"
r13-2       │ INFO listening
r13-2       │ ready
r13-11-sync │ key is [KEY redacted]
r13-11-sync │ ready
",
    );
}

#[test]
fn logs_as_json() {
    let (mut console, out, _) = console(
        Wishes {
            output: Output::Json,
            ..Wishes::default()
        },
        reader(),
    );
    console.keep_out(secrets());
    console.logs(&logs());
    golden(
        &out.text(),
        r#"
{"v":1,"release":"r13","replica":2,"line":"\u001b[32mINFO\u001b[0m listening"}
{"v":1,"release":"r13","replica":2,"line":"ready"}
{"v":1,"release":"r13","replica":11,"sidecar":"sync","line":"key is [KEY redacted]"}
{"v":1,"release":"r13","replica":11,"sidecar":"sync","line":"ready"}
"#,
    );
}
