use super::*;

fn at(text: &str) -> DateTime {
    text.parse().unwrap()
}

#[test]
fn the_next_time() {
    let cases = [
        ("0 6 * * *", "2026-11-21T05:59:30", "2026-11-21T06:00"),
        ("0 6 * * *", "2026-11-21T06:00", "2026-11-22T06:00"),
        ("*/15 * * * *", "2026-11-21T23:50", "2026-11-22T00:00"),
        ("5/20 * * * *", "2026-11-21T10:26", "2026-11-21T10:45"),
        ("0 8 * * mon-fri", "2026-11-21T12:00", "2026-11-23T08:00"),
        ("0 0 29 feb *", "2026-11-21T12:00", "2028-02-29T00:00"),
        // Both kinds of day: either.
        ("0 0 1 * Sun", "2026-11-23T12:00", "2026-11-29T00:00"),
        ("0 0 1 * 0", "2026-11-30T12:00", "2026-12-01T00:00"),
        ("30 4 1,15 * *", "2026-11-02T00:00", "2026-11-15T04:30"),
    ];
    for (cron, after, next) in cases {
        let found = Cron::parse(cron).unwrap().next(at(after));
        assert_eq!(found, Some(at(next)), "{cron} after {after}");
    }
    assert_eq!(
        Cron::parse("0 0 30 2 *")
            .unwrap()
            .next(at("2026-01-01T00:00")),
        None
    );
}

#[test]
fn a_window_is_open_from_its_beginning_until_its_end() {
    let day = Window {
        from: "0 8 * * *".to_owned(),
        to: "0 18 * * *".to_owned(),
        replicas: 5,
    };
    let night = Window {
        from: day.to.clone(),
        to: day.from.clone(),
        replicas: 1,
    };
    for (time, open) in [
        ("07:59:59", false),
        ("08:00:00", true),
        ("17:59:59", true),
        ("18:00:00", false),
        ("23:00:00", false),
    ] {
        let at = at(&format!("2026-11-21T{time}"));
        assert_eq!(is_inside(&day, at), open, "{time}");
        assert_eq!(is_inside(&night, at), !open, "{time}");
    }
}

#[test]
fn a_window_that_never_begins_is_never_open() {
    let never = Window {
        from: "0 0 30 2 *".to_owned(),
        to: "0 0 * * *".to_owned(),
        replicas: 5,
    };
    assert!(!is_inside(&never, at("2026-11-21T00:00")));
}
