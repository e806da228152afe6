use super::*;
use crate::release::ReleaseId;
use crate::rollout::Event;
use crate::target::{Failing, Seen, SeenRelease};
use crate::ui::fixtures::*;

fn pictured(seconds: u64, events: &[(u64, Event)], seen: &Seen, columns: usize) -> String {
    let rollout = replay(events);
    let verdicts = verdicts();
    let now = Moment {
        rollout: &rollout,
        seen,
        verdicts: &verdicts,
        at: after(seconds),
    };
    let lines = picture(&title(), &now)
        .into_iter()
        .map(|line| line.cut(columns));
    text(&lines.collect::<Vec<_>>())
}

#[test]
fn a_hold() {
    golden(
        &pictured(12, &events(), &seen(), 100),
        r"
support-agent   production   canary   r12 → r13   12 s

● r12 stable     3/3 ready  90 %  1,204 requests  0.1 % errors  p95 210 ms
◐ r13 candidate  1/1 ready  10 %    131 requests  0.0 % errors  p95 220 ms
└ r9  draining   1 leaving        2 conversations open

step 2 of 5   ━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
holding at 10 %, 7 s of 10 s
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at this weight (8 of 20)
",
    );
}

#[test]
fn a_hold_on_forty_columns() {
    golden(
        &pictured(12, &events(), &seen(), 40),
        r"
support-agent   production   canary   r…

● r12 stable     3/3 ready  90 %  1,204…
◐ r13 candidate  1/1 ready  10 %    131…
└ r9  draining   1 leaving        2 con…

step 2 of 5   ━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
holding at 10 %, 7 s of 10 s
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at…
",
    );
}

#[test]
fn a_candidate_that_does_not_come_up() {
    golden(
        &pictured(2, &events()[..3], &seen_failing(), 100),
        r"
support-agent   production   canary   r12 → r13   2 s

● r12 stable     3/3 ready  100 %  1,204 requests  0.1 % errors  p95 210 ms
✗ r13 candidate  0/1 ready    0 %      0 requests
└ r9  draining   1 leaving         2 conversations open
  r13-2 restarted 3 times: exited with 1: ModuleNotFoundError

step 1 of 5   ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
waiting for r13: 0 of 1 ready
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at this weight (8 of 20)
",
    );
}

#[test]
fn a_person_is_waited_for() {
    let until = all_well()
        .into_iter()
        .filter(|(second, _)| *second <= 318)
        .collect::<Vec<_>>();
    golden(
        &pictured(320, &until, &seen(), 100),
        r"
support-agent   production   canary   r12 → r13   5m 20s

● r12 stable     3/3 ready  90 %  1,204 requests  0.1 % errors  p95 210 ms
◐ r13 candidate  1/1 ready  10 %    131 requests  0.0 % errors  p95 220 ms
└ r9  draining   1 leaving        2 conversations open

step 3 of 5   ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌
waiting for: agentctl approve — before full traffic
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at this weight (8 of 20)
",
    );
}

#[test]
fn an_undo() {
    golden(
        &pictured(10, &gate_failed(), &seen(), 100),
        r"
support-agent   production   canary   r12 → r13   10 s

● r12 stable     3/3 ready  90 %  1,204 requests  0.1 % errors  p95 210 ms
◐ r13 candidate  1/1 ready  10 %    131 requests  0.0 % errors  p95 220 ms
└ r9  draining   1 leaving        2 conversations open

undoing: error_rate 33.3 % is above 5.0 %
back to r12   ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
moving traffic: r13 0 %
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at this weight (8 of 20)
  │ POST /chat 500 2
  │ POST /chat 500 3
  │ POST /chat 500 4
  │ POST /chat 500 5
  │ POST /chat 500 6
",
    );
}

#[test]
fn an_end() {
    let mut seen = seen();
    seen.releases.insert(
        ReleaseId(12),
        SeenRelease {
            leaving: 3,
            ..SeenRelease::default()
        },
    );
    seen.shares = [(ReleaseId(13), percent(100))].into();
    golden(
        &pictured(344, &all_well(), &seen, 100),
        r"
support-agent   production   canary   r12 → r13   5m 44s

● r13 stable    1/1 ready  100 %  131 requests  0.0 % errors  p95 220 ms
└ r9  draining  1 leaving         2 conversations open
└ r12 draining  3 leaving

step 5 of 5   ━━━━━━━━━━━━━━━━━━━━━━━━
completed
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at this weight (8 of 20)
",
    );
}

#[test]
fn many_failing_replicas_leave_room() {
    let mut seen = seen_failing();
    let candidate = seen.releases.get_mut(&ReleaseId(13)).unwrap();
    candidate.failing = (1..=8)
        .map(|replica| Failing {
            replica,
            restarts: 0,
            says: "exited with 1".to_owned(),
        })
        .collect();
    golden(
        &pictured(2, &events()[..3], &seen, 100),
        r"
support-agent   production   canary   r12 → r13   2 s

● r12 stable     3/3 ready  100 %  1,204 requests  0.1 % errors  p95 210 ms
✗ r13 candidate  0/1 ready    0 %      0 requests
└ r9  draining   1 leaving         2 conversations open
  r13-1: exited with 1
  r13-2: exited with 1
  r13-3: exited with 1
  r13-4: exited with 1
  r13-5: exited with 1
  and 3 more

step 1 of 5   ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
waiting for r13: 0 of 1 ready
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at this weight (8 of 20)
",
    );
}

#[test]
fn an_end_that_was_not_wanted() {
    let mut seen = seen();
    let leaving = SeenRelease {
        leaving: 1,
        ..SeenRelease::default()
    };
    seen.releases.insert(ReleaseId(13), leaving);
    seen.shares = [(ReleaseId(12), percent(100))].into();
    golden(
        &pictured(12, &taken_back(), &seen, 100),
        r"
support-agent   production   canary   r12 → r13   12 s

● r12 stable    3/3 ready  100 %  1,204 requests  0.1 % errors  p95 210 ms
└ r9  draining  1 leaving         2 conversations open
└ r13 draining  1 leaving

back to r12   ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
rolled back
✓ error_rate 0.0 %
○ latency_p95 needs 12 more requests at this weight (8 of 20)
  │ POST /chat 500 2
  │ POST /chat 500 3
  │ POST /chat 500 4
  │ POST /chat 500 5
  │ POST /chat 500 6
",
    );
}
