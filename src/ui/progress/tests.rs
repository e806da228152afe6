use super::*;
use crate::analysis::Finding;
use crate::rollout::Plan;
use crate::spec::{MetricGate, Unclear};
use crate::ui::console::{Color, Reader, Wishes};
use crate::ui::fixtures::*;

fn terminal() -> Reader {
    Reader {
        stderr_is_terminal: true,
        size: || Some((60, 24)),
        ..reader()
    }
}

/// Events, with a glimpse after each; what was written to stdout and to stderr.
fn played(wishes: Wishes, reader: Reader, all: &[(u64, Event)]) -> (String, String) {
    let (mut console, out, err) = console(wishes, reader);
    let mut progress = Progress::new(&mut console, title(), &replay(&events()));
    for (index, (second, event)) in all.iter().enumerate() {
        let rollout = replay(&all[..=index]);
        progress.event(&rollout, after(*second), event);
        progress.glimpse(&rollout, &seen(), &verdicts(), after(*second));
    }
    progress.done(&replay(all), &seen(), after(all.last().unwrap().0), 0);
    (out.text(), err.text())
}

#[test]
fn lines_of_a_rollout() {
    let (out, err) = played(Wishes::default(), reader(), &all_well());
    assert_eq!(out, "");
    golden(
        &err,
        r"
12:03:44  plan      canary r12 → r13, 5 steps
12:03:45  r13       1 replica started
12:03:47  r13       1 of 1 ready
12:03:47  gate      probing r13
12:03:48  gate      probes passed
12:03:49  traffic   r13 10 %, r12 90 %
12:03:49  gate      holding at 10 % for 10 s
12:03:59  gate      held 10 s, error_rate 0.0 %, latency_p95 needs 12 more requests at this weight (8 of 20)
12:04:00  r13       1 replica started
12:04:02  r13       2 of 2 ready
12:04:02  traffic   r13 50 %, r12 50 %
12:04:02  gate      holding at 50 % for 5m
12:09:02  gate      held 5m, error_rate 0.0 %, latency_p95 needs 12 more requests at this weight (8 of 20)
12:09:02  gate      waiting for: agentctl approve — before full traffic
12:09:24  gate      approved by bert@desk
12:09:25  r13       1 replica started
12:09:27  r13       3 of 3 ready
12:09:27  traffic   r13 100 %, r12 0 %
12:09:27  gate      holding at 100 % until the gates can say, 1h at most
12:09:27  gate      passed, error_rate 0.0 %, latency_p95 needs 12 more requests at this weight (8 of 20)
12:09:28  r12       3 replicas leaving
r13 is live at http://127.0.0.1:8000 (5m 44s)
",
    );
}

#[test]
fn lines_of_an_undo_with_what_was_only_looked_at() {
    let wishes = Wishes {
        verbose: 1,
        ..Wishes::default()
    };
    golden(
        &played(wishes, reader(), &taken_back()).1,
        r"
12:03:44  plan      canary r12 → r13, 5 steps
12:03:44  seen      r12 3/3 ready; r13 0/0 ready; traffic r13 0 %, r12 100 %
12:03:45  r13       1 replica started
12:03:47  r13       1 of 1 ready
12:03:47  gate      probing r13
12:03:48  gate      probes passed
12:03:48  seen      r12 3/3 ready; r13 1/1 ready; traffic r13 0 %, r12 100 %
12:03:49  traffic   r13 10 %, r12 90 %
12:03:49  gate      holding at 10 % for 10 s
12:03:53  undoing   error_rate 33.3 % is above 5.0 %
12:03:53              │ POST /chat 500 1
12:03:53              │ POST /chat 500 2
12:03:53              │ POST /chat 500 3
12:03:53              │ POST /chat 500 4
12:03:53              │ POST /chat 500 5
12:03:53              │ POST /chat 500 6
12:03:53  evidence  evidence/7
12:03:53  seen      r12 3/3 ready; r13 1/1 ready; traffic r13 10 %, r12 90 %
12:03:54  traffic   r13 0 %, r12 100 %
12:03:55  r13       1 replica leaving
rolled back to r12: error_rate 33.3 % is above 5.0 % (12 s)
evidence: evidence/7
",
    );
}

#[test]
fn an_undo_that_another_process_goes_on_with() {
    let (mut console, _, err) = console(Wishes::default(), reader());
    let mut progress = Progress::new(&mut console, title(), &replay(&events()));
    let mut all = gate_failed();
    let resumed = Event::Resumed("bert@desk".to_owned());
    all.push((60, resumed.clone()));
    progress.event(&replay(&all), after(60), &resumed);
    golden(
        &err.text(),
        r"
12:04:44  resumed   by bert@desk
12:04:44  undoing   error_rate 33.3 % is above 5.0 %
12:04:44              │ POST /chat 500 1
12:04:44              │ POST /chat 500 2
12:04:44              │ POST /chat 500 3
12:04:44              │ POST /chat 500 4
12:04:44              │ POST /chat 500 5
12:04:44              │ POST /chat 500 6
12:04:44  evidence  evidence/7
",
    );
}

#[test]
fn a_silent_minute_has_two_lines() {
    let (mut console, _, err) = console(Wishes::default(), reader());
    let mut progress = Progress::new(&mut console, title(), &replay(&events()));
    let rollout = replay(&events());
    let last = events().pop().unwrap();
    progress.event(&rollout, after(5), &last.1);
    for second in 5..66 {
        progress.glimpse(&rollout, &seen(), &verdicts(), after(second));
    }
    golden(
        &err.text(),
        r"
12:03:49  traffic   r13 10 %, r12 90 %
12:03:49  gate      holding at 10 % for 10 s
12:04:19  still     holding at 10 % until the gates can say, 59m 40s at most; latency_p95 needs 12 more requests at this weight (8 of 20)
12:04:49  still     holding at 10 % until the gates can say, 59m 10s at most; latency_p95 needs 12 more requests at this weight (8 of 20)
",
    );
}

#[test]
fn a_failing_replica_is_told_once() {
    let (mut console, _, err) = console(Wishes::default(), reader());
    let mut progress = Progress::new(&mut console, title(), &replay(&events()));
    let rollout = replay(&events()[..3]);
    for second in 2..6 {
        progress.glimpse(&rollout, &seen_failing(), &[], after(second));
    }
    golden(
        &err.text(),
        r"
12:03:46  failing   r13-2 restarted 3 times: exited with 1: ModuleNotFoundError
",
    );
}

#[test]
fn json_of_an_undo() {
    let wishes = Wishes {
        output: Output::Json,
        ..Wishes::default()
    };
    let (mut console, out, err) = console(wishes, reader());
    let mut progress = Progress::new(&mut console, title(), &replay(&events()));
    let all = taken_back();
    let (second, failed) = &all[7];
    progress.event(&replay(&all[..8]), after(*second), failed);
    let mut seen = seen();
    seen.releases.pop_first();
    seen.releases.pop_first();
    for second in 9..14 {
        progress.glimpse(&replay(&all[..8]), &seen, &verdicts(), after(second));
    }
    progress.done(&replay(&all), &seen, after(14), 2);
    assert_eq!(err.text(), "");
    golden(
        &out.text(),
        r#"
{"v":1,"at":"2026-10-06T12:03:53.000Z","agent":"support-agent","environment":"production","rollout":7,"event":{"failed":[{"ask":{"hold":"10s"}},{"why":"gate","says":"error_rate 33.3 % is above 5.0 %","lines":["POST /chat \u001b[31m500\u001b[0m 1","POST /chat \u001b[31m500\u001b[0m 2","POST /chat \u001b[31m500\u001b[0m 3","POST /chat \u001b[31m500\u001b[0m 4","POST /chat \u001b[31m500\u001b[0m 5","POST /chat \u001b[31m500\u001b[0m 6"],"evidence":"evidence/7"}]}}
{"v":1,"at":"2026-10-06T12:03:53.000Z","agent":"support-agent","environment":"production","rollout":7,"heartbeat":{"phase":"undoing","step":2,"steps":5,"weight":10,"doing":"looking at what runs","releases":{"r13":{"release":"r13","role":"candidate","weight":10,"ready":1,"wanted":1,"coming":0,"leaving":0,"since":"2026-10-06T12:03:44.000Z","requests":131,"errors":0,"error_rate":0.0,"latency_p50":0.22,"latency_p95":0.22,"open_requests":4,"open_conversations":12,"tokens":88120,"cost":null,"failing":[]}},"gates":[{"gate":"error_rate","finding":"pass","figure":null,"says":"error_rate 0.0 %"},{"gate":"latency_p95","finding":"unclear","figure":null,"says":"latency_p95 needs 12 more requests at this weight (8 of 20)"}]}}
{"v":1,"at":"2026-10-06T12:03:58.000Z","agent":"support-agent","environment":"production","rollout":7,"result":{"outcome":"rolled_back","reason":{"why":"gate","says":"error_rate 33.3 % is above 5.0 %","lines":["POST /chat \u001b[31m500\u001b[0m 1","POST /chat \u001b[31m500\u001b[0m 2","POST /chat \u001b[31m500\u001b[0m 3","POST /chat \u001b[31m500\u001b[0m 4","POST /chat \u001b[31m500\u001b[0m 5","POST /chat \u001b[31m500\u001b[0m 6"],"evidence":"evidence/7"},"exit":2,"from":"r12","to":"r13","url":"http://127.0.0.1:8000","took_ms":12000}}
"#,
    );
}

#[test]
fn quiet_leaves_the_last_words() {
    let wishes = Wishes {
        quiet: true,
        ..Wishes::default()
    };
    golden(
        &played(wishes, terminal(), &taken_back()).1,
        "\
\u{1b}[31mrolled back to r12\u{1b}[0m: error_rate 33.3 % is above 5.0 %\u{1b}[2m (12 s)\u{1b}[0m
evidence: evidence/7
",
    );
}

#[test]
fn quiet_tells_that_a_person_is_asked() {
    let wishes = Wishes {
        quiet: true,
        color: Color::Never,
        ..Wishes::default()
    };
    golden(
        &played(wishes, terminal(), &all_well()).1,
        r"
warning: waiting for: agentctl approve — before full traffic
r13 is live at http://127.0.0.1:8000 (5m 44s)
",
    );
}

/// A live view on a small screen, without colour and glyphs.
fn on_screen(rows: u16, play: impl FnOnce(Progress)) -> String {
    let wishes = Wishes {
        color: Color::Never,
        ..Wishes::default()
    };
    let size = match rows {
        3 => || Some((40, 3)),
        _ => || Some((40, 24)),
    };
    let reader = Reader {
        utf8: false,
        size,
        ..terminal()
    };
    let (mut console, _, err) = console(wishes, reader);
    let mut progress = Progress::new(&mut console, title(), &replay(&events()));
    progress.form = Form::Live(Live::on(err.screen(40, rows)));
    play(progress);
    err.text().replace('\r', "←|\n")
}

#[test]
fn a_picture_is_drawn_over_the_last_one_and_the_last_one_stays() {
    let text = on_screen(24, |mut progress| {
        let rollout = replay(&events());
        progress.glimpse(&rollout, &seen(), &[], after(5));
        progress.glimpse(&rollout, &Seen::default(), &[], after(6));
        progress.done(&rollout, &seen(), after(7), 4);
    });
    golden(
        &text,
        r"
support-agent   production   canary   r~|
|
* r12 stable     3/3 ready  90 %  1,204~|
o r13 candidate  1/1 ready  10 %    131~|
` r9  draining   1 leaving        2 con~|
|
step 2 of 5   =====-------------------|
holding at 10 % for 10 s|
|
←|
↑↑↑↑↑↑↑↑✕↓✕↓✕↓✕↓✕↓✕↓✕↓✕↓✕↑↑↑↑↑↑↑↑support-agent   production   canary   r~|
|
|
step 2 of 5   =====-------------------|
holding at 10 %, 1 s of 10 s|
|
←|
↑↑↑↑↑✕↓✕↓✕↓✕↓✕↓✕↑↑↑↑↑support-agent   production   canary   r~

* r12 stable     3/3 ready  90 %  1,204~
o r13 candidate  1/1 ready  10 %    131~
` r9  draining   1 leaving        2 con~

step 2 of 5   ======------------------
holding at 10 %, 2 s of 10 s

not finished (7 s)
",
    );
}

#[test]
fn a_low_window_shows_the_last_lines_and_a_clock_that_ticks() {
    let text = on_screen(3, |mut progress| {
        progress.glimpse(&replay(&events()), &seen(), &[], after(5));
        progress.tick(after(6));
    });
    golden(
        &text,
        r"
step 2 of 5   =====-------------------|
holding at 10 % for 10 s|
|
←|
↑↑✕↓✕↓✕↑↑step 2 of 5   =====-------------------|
holding at 10 %, 1 s of 10 s|
|
←|
↑↑✕↓✕↓✕↑↑",
    );
}

/// At 100 %, whose gates are judged once and ask a person; a glimpse for each of these findings.
fn at_the_end(findings: &[Finding]) -> String {
    let gates = (1..=5).map(|number| MetricGate {
        name: Some(format!("g{number}")),
        unclear: Unclear::Approve,
        ..gates().remove(0)
    });
    let mut all = events();
    all[0].1 = Event::Planned(Box::new(Plan {
        gates: gates.collect(),
        steps: plan().steps.split_off(3),
        undo: vec![plan().undo.remove(0)],
        ..plan()
    }));
    all.truncate(1);
    all.push((0, live(3, 3, 0)));
    let traffic = Event::Done(Effect::Route(percent(100)));
    all.push((5, traffic.clone()));
    let (mut console, _, err) = console(Wishes::default(), reader());
    let rollout = replay(&all);
    let mut progress = Progress::new(&mut console, title(), &rollout);
    progress.event(&rollout, after(5), &traffic);
    for finding in findings {
        let verdict = |number| Verdict {
            gate: format!("g{number}"),
            finding: *finding,
            says: format!("g{number} says"),
            ..verdicts().remove(0)
        };
        let verdicts: Vec<_> = (1..=5).map(verdict).collect();
        progress.glimpse(&rollout, &seen(), &verdicts, after(6));
    }
    err.text()
}

#[test]
fn a_person_is_waited_for_only_where_a_gate_cannot_say() {
    golden(
        &at_the_end(&[Finding::Pass]),
        r"
12:03:49  traffic   r13 100 %, r12 0 %
12:03:49  gate      holding at 100 % until the gates can say, 1h at most
",
    );
    golden(
        &at_the_end(&[Finding::Pass, Finding::Unclear, Finding::Unclear]),
        r"
12:03:49  traffic   r13 100 %, r12 0 %
12:03:49  gate      holding at 100 % until the gates can say, 1h at most
12:03:50  gate      waiting for: agentctl approve — the gates cannot say; g1 says; g2 says; g3 says; 2 more
",
    );
}

#[test]
fn an_abort_tells_how_to_leave_it_standing() {
    let mut all = events();
    let aborted = Event::Aborted("anna@laptop".to_owned());
    all.push((9, aborted.clone()));
    let (mut console, _, err) = console(Wishes::default(), reader());
    let mut progress = Progress::new(&mut console, title(), &replay(&all));
    progress.event(&replay(&all), after(9), &aborted);
    golden(
        &err.text(),
        r"
12:03:53  aborted   Ctrl-C now leaves it standing
12:03:53  undoing   aborted by anna@laptop
",
    );
}

#[test]
fn the_end_of_a_rollout_that_another_process_walked() {
    let mut told = String::new();
    for output in [Output::Text, Output::Json] {
        let wishes = Wishes {
            output,
            ..Wishes::default()
        };
        let (mut console, out, err) = console(wishes, reader());
        console.ended(&title(), &replay(&taken_back()), &seen(), after(60), 0);
        told += &(out.text() + &err.text());
    }
    golden(
        &told,
        r#"
rolled back to r12: error_rate 33.3 % is above 5.0 % (12 s)
evidence: evidence/7
{"v":1,"at":"2026-10-06T12:04:44.000Z","agent":"support-agent","environment":"production","rollout":7,"result":{"outcome":"rolled_back","reason":{"why":"gate","says":"error_rate 33.3 % is above 5.0 %","lines":["POST /chat \u001b[31m500\u001b[0m 1","POST /chat \u001b[31m500\u001b[0m 2","POST /chat \u001b[31m500\u001b[0m 3","POST /chat \u001b[31m500\u001b[0m 4","POST /chat \u001b[31m500\u001b[0m 5","POST /chat \u001b[31m500\u001b[0m 6"],"evidence":"evidence/7"},"exit":0,"from":"r12","to":"r13","url":"http://127.0.0.1:8000","took_ms":12000}}
"#,
    );
}
