use crate::image::{Ended, Progress};
use crate::rollout::Stamp;
use crate::ui::console::{Output, Wishes};
use crate::ui::fixtures::{Spy, console, reader};

use super::Steps;
use super::step::{Step, picture};

fn begun(step: usize, name: &str) -> Progress {
    let name = name.to_owned();
    Progress::Begun { step, name }
}

fn said(step: usize, text: &str) -> Progress {
    let text = text.to_owned();
    Progress::Said { step, text }
}

fn events() -> Vec<(u64, Progress)> {
    let ended = |step, how| Progress::Ended { step, how };
    vec![
        (0, begun(0, "FROM python:3.13-slim")),
        (100, ended(0, Ended::Cached)),
        (200, begun(1, "RUN pip install")),
        (300, said(1, "Collecting flask\nInstall")),
        (400, said(1, "ing\n")),
        (
            500,
            Progress::Moved {
                step: 1,
                bytes: 3 << 20,
                of: Some(8 << 20),
            },
        ),
        (4_200, ended(1, Ended::Failed)),
    ]
}

fn told(output: Output, verbose: u8) -> (Spy, Spy) {
    told_of(&events(), output, verbose)
}

fn told_of(events: &[(u64, Progress)], output: Output, verbose: u8) -> (Spy, Spy) {
    let wishes = Wishes {
        output,
        verbose,
        ..Wishes::default()
    };
    let (mut console, out, err) = console(wishes, reader());
    let mut steps = Steps::new(&mut console, "build");
    for (at, progress) in events {
        steps.progress(progress, Stamp(*at));
    }
    steps.done(Stamp(5_000));
    (out, err)
}

#[test]
fn a_step_is_a_line_with_its_time_and_its_last_words() {
    let mut steps: Vec<Step> = Vec::new();
    for (at, progress) in &events()[..6] {
        match progress {
            Progress::Begun { name, .. } => steps.push(Step::new(name, Stamp(*at))),
            other => steps.last_mut().unwrap().believe(other, Stamp(*at)),
        }
    }
    let lines: Vec<String> = picture(&steps, Stamp(2_200))
        .into_iter()
        .map(|line| line.paint(false))
        .collect();
    let expected = [
        "✓ FROM python:3.13-slim  cached",
        "● RUN pip install  3.0 MiB of 8.0 MiB  2 s",
        "    Collecting flask",
        "    Installing",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn logs_tell_each_step_when_it_begins_and_ends() {
    let text = told(Output::Text, 0).1.text();
    let lines: Vec<&str> = text.lines().filter_map(|line| line.get(8..)).collect();
    let expected = [
        "  build  FROM python:3.13-slim",
        "  build  ✓ FROM python:3.13-slim  cached",
        "  build  RUN pip install",
        "  build  ✗ RUN pip install  3.0 MiB  4 s",
    ];
    assert_eq!(lines, expected, "{text}");
    assert!(told(Output::Text, 1).1.text().contains("Collecting flask"));
}

#[test]
fn programs_get_an_object_for_each() {
    let text = told(Output::Json, 0).0.text();
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        r#"{"v":1,"build":{"step":0,"begun":"FROM python:3.13-slim"}}"#
    );
    let said = r#"{"v":1,"build":{"step":1,"said":"ing\n"}}"#;
    assert!(text.lines().any(|line| line == said), "{text}");
    let last = text.lines().last().unwrap();
    assert_eq!(last, r#"{"v":1,"build":{"step":1,"ended":"failed"}}"#);
}

#[test]
fn a_warning_is_for_people_whatever_programs_get() {
    let text = "the registry is silent".to_owned();
    let warned = [(0, Progress::Warned { text })];
    for output in [Output::Text, Output::Json] {
        let (out, err) = told_of(&warned, output, 0);
        assert_eq!(err.text(), "warning: the registry is silent\n");
        assert_eq!(out.text(), "");
    }
}
