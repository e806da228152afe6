use super::*;

fn health() -> Health {
    let (live, ready, startup) = (Some("/live".into()), None, None);
    Health {
        live,
        ready,
        startup,
        startup_within: 1000,
        every: 500,
        timeout: 100,
        failures: 3,
        is_mute: false,
    }
}

/// One letter a look: `+` all well, `-` not ready, `!` doubted and not ready, `x` not alive.
fn walk(from: Standing, age: u64, looks: &str) -> Vec<Verdict> {
    let mut course = Course::new(from);
    let verdicts = looks.chars().map(|look| {
        let says = |failed: bool| if failed { Err("no".to_owned()) } else { Ok(()) };
        let seen = Look {
            ready: says("-!".contains(look)),
            live: says(look == 'x'),
        };
        if look == '!' {
            course.doubt();
        }
        course.judge(&health(), Duration::from_millis(age), seen)
    });
    verdicts.collect()
}

#[test]
fn verdicts_follow_rows_of_looks() {
    use Standing::{Coming, Ready, Unready};
    let no = || Verdict::Unready("no".into());
    let late = || Verdict::Unready("not ready within 1s: no".into());
    let sick = || Verdict::Sick("no".into());
    let cases = [
        (
            "ready at the first success",
            Coming,
            0,
            "--+",
            vec![Verdict::Same, Verdict::Same, Verdict::Ready],
        ),
        (
            "late, and ready after all",
            Coming,
            1000,
            "-+",
            vec![late(), Verdict::Ready],
        ),
        (
            "three failures in a row",
            Ready,
            0,
            "---",
            vec![Verdict::Same, Verdict::Same, no()],
        ),
        (
            "one when the proxy doubts it too",
            Ready,
            0,
            "!",
            vec![no()],
        ),
        (
            "one success brings it back",
            Unready,
            0,
            "-+",
            vec![no(), Verdict::Ready],
        ),
        (
            "three times not alive",
            Ready,
            0,
            "xxx",
            vec![Verdict::Same, Verdict::Same, sick()],
        ),
    ];
    for (what, from, age, looks, verdicts) in cases {
        assert_eq!(walk(from, age, looks), verdicts, "{what}");
    }
}

#[test]
fn a_success_between_failures_starts_the_row_again() {
    assert!(
        walk(Standing::Ready, 0, "--+--")
            .iter()
            .all(|verdict| *verdict == Verdict::Same)
    );
    assert!(
        walk(Standing::Ready, 0, "xx+xx")
            .iter()
            .all(|verdict| *verdict == Verdict::Same)
    );
}

#[test]
fn looks_come_fast_at_first_and_then_as_asked() {
    let cases = [
        (Standing::Coming, 0, 5),
        (Standing::Coming, 1_000, 20),
        (Standing::Coming, 60_000, 100),
        (Standing::Ready, 0, 500),
        (Standing::Unready, 60_000, 500),
    ];
    for (standing, age, pause) in cases {
        let found = Course::new(standing).pause(&health(), Duration::from_millis(age));
        assert_eq!(
            found,
            Duration::from_millis(pause),
            "{standing:?} after {age} ms"
        );
    }
}
