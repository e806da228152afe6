use super::*;
use crate::journal::Owner;
use crate::journal::lease::Beat;

const NOON: u64 = 1_772_366_624_000;

fn holder() -> Holder {
    Holder {
        owner: Owner {
            user: "anna".to_owned(),
            host: "ci-3".to_owned(),
            pid: 4711,
            process: None,
            run: None,
        },
        fence: 9,
        since: NOON,
        beat: Beat { count: 3, at: NOON },
        ttl: 15_000,
    }
}

fn held(at: u64) -> Held {
    Held {
        what: "support-agent".to_owned(),
        holder: holder(),
        stale_in: Duration::from_millis(12_900),
        at,
    }
}

#[test]
fn held_says_by_whom_and_since_when() {
    let says = "support-agent is held by anna@ci-3 (pid 4711) since";
    let cases = [
        (NOON + 2_400, "12:03:44Z, last heartbeat 2 s ago"),
        (NOON - 1, "12:03:44Z, last heartbeat 0 s ago"),
        (
            NOON + DAY,
            "2026-03-01T12:03:44Z, last heartbeat 86400 s ago",
        ),
    ];
    for (at, rest) in cases {
        assert_eq!(held(at).to_string(), format!("{says} {rest}"));
    }
    assert!(held(NOON).hint().ends_with("within 13 s"));
}

#[test]
fn fenced_says_who_went_on() {
    let fenced = |holder| Fenced {
        what: "support-agent".to_owned(),
        holder,
    };
    let says = "support-agent is no longer held by this process: it gave no heartbeat, and";
    assert_eq!(
        fenced(Some(holder())).to_string(),
        format!("{says} anna@ci-3 (pid 4711) took over at 12:03:44Z")
    );
    assert_eq!(
        fenced(None).to_string(),
        format!("{says} someone else took over and is done")
    );
}

#[test]
fn every_no_has_a_hint_through_all_its_context() {
    let no = [
        anyhow::Error::from(held(NOON)),
        Fenced {
            what: String::new(),
            holder: None,
        }
        .into(),
        Newer {
            file: PathBuf::new(),
            format: 2,
        }
        .into(),
        Corrupt {
            file: PathBuf::new(),
            line: 1,
            says: String::new(),
            hint: "ask someone",
        }
        .into(),
    ];
    for error in no {
        assert!(hint(&error.context("cannot deploy")).is_some());
    }
    assert_eq!(hint(&anyhow::anyhow!("no room left")), None);
}

#[test]
fn a_stamp_beyond_all_calendars_is_still_shown() {
    assert_eq!(clock(u64::MAX, 0), "9999-12-31T23:59:59Z");
}
