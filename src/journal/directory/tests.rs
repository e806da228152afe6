use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;

use serde_json::json;

use super::*;
use crate::journal::contract::{anna, block_on, now};
use crate::journal::{Held, Newer};

fn place() -> (tempfile::TempDir, Directory) {
    let place = tempfile::tempdir().unwrap();
    let directory = Directory::new(place.path().join("state"), "support-agent");
    (place, directory)
}

/// A journal with one record in rollout 7, and its lease.
fn begun() -> (tempfile::TempDir, Directory, Hold) {
    let (place, directory) = place();
    let hold = block_on(directory.acquire(anna(1), now())).unwrap();
    block_on(directory.append(&hold, 7, 0, json!({}))).unwrap();
    (place, directory, hold)
}

#[test]
fn looking_leaves_no_trace() {
    let (place, directory) = place();
    block_on(directory.list()).unwrap();
    block_on(directory.read(1)).unwrap();
    block_on(directory.holder()).unwrap();
    assert!(!place.path().join("state").exists());
}

#[test]
fn only_the_owner_may_look() {
    let (_place, directory, hold) = begun();
    block_on(directory.put(&hold, "r1.json", b"{}")).unwrap();
    let mode = |name: &str| {
        let found = fs::metadata(directory.root.join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    for folder in ["", "rollouts", "documents"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in [
        "lease.json",
        "lease.lock",
        "rollouts/0007.journal",
        "documents/r1.json",
    ] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[test]
fn of_many_who_come_at_once_one_gets_in() {
    let (place, _) = place();
    let start = Barrier::new(8);
    let one = |pid| {
        let directory = Directory::new(place.path(), "support-agent");
        start.wait();
        block_on(directory.acquire(anna(pid), now()))
    };
    let results: Vec<Result<Hold>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|pid| scope.spawn(move || one(pid))).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let refused = results.iter().filter_map(|it| it.as_ref().err());
    assert_eq!(refused.filter(|error| error.is::<Held>()).count(), 7);
}

#[test]
fn held_names_the_agent() {
    let (_place, directory, _hold) = begun();
    let error = block_on(directory.acquire(anna(2), now())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "support-agent is held by anna@ci-3 (pid 1) since 12:03:44Z, last heartbeat 0 s ago"
    );
}

/// Whatever was begun since by who took over.
#[test]
fn who_lost_the_lease_is_told_of_no_rollout_of_others() {
    let (_place, directory, hold) = begun();
    let holder = block_on(directory.holder()).unwrap();
    block_on(directory.take(holder.as_ref(), anna(2), 0)).unwrap();
    block_on(directory.append(&Hold::again(2), 8, 1, json!({}))).unwrap();
    let error = block_on(directory.append(&hold, 7, 1, json!({}))).unwrap_err();
    let says = "support-agent is no longer held by this process";
    assert!(error.to_string().starts_with(says), "{error}");
}

#[test]
fn readers_skip_a_torn_end_and_leave_it() {
    let (_place, directory, hold) = begun();
    let file = directory.rollout(7);
    let torn = [fs::read(&file).unwrap(), b"0badcafe {\"v\":1,\"se".to_vec()].concat();
    fs::write(&file, &torn).unwrap();
    assert_eq!(block_on(directory.read(7)).unwrap().len(), 1);
    assert_eq!(fs::read(&file).unwrap(), torn);
    let next = Directory::new(directory.root.clone(), "support-agent");
    block_on(next.append(&hold, 7, 1, json!({}))).unwrap();
    assert_eq!(block_on(directory.read(7)).unwrap().len(), 2);
}

#[test]
fn a_journal_without_a_record_is_damaged() {
    let (_place, directory, _hold) = begun();
    for text in ["", "0badcafe {\"v\":1,\"se"] {
        fs::write(directory.rollout(7), text).unwrap();
        let error = block_on(directory.read(7)).unwrap_err();
        assert_eq!(error.downcast::<Corrupt>().unwrap().line, 1);
    }
    assert!(block_on(directory.read(8)).unwrap().is_empty());
}

#[test]
fn a_damaged_journal_is_not_written_to() {
    let (_place, directory, hold) = begun();
    let file = directory.rollout(7);
    let bad = [b"no record\n".to_vec(), fs::read(&file).unwrap()].concat();
    fs::write(&file, &bad).unwrap();
    let next = Directory::new(directory.root.clone(), "support-agent");
    let error = block_on(next.append(&hold, 7, 1, json!({}))).unwrap_err();
    assert_eq!(error.downcast::<Corrupt>().unwrap().line, 1);
    assert_eq!(fs::read(&file).unwrap(), bad);
}

#[test]
fn a_lease_that_cannot_be_read_is_nobodys_to_take() {
    let (_place, directory, _hold) = begun();
    let lease = directory.root.join("lease.json");
    fs::write(&lease, r#"{"v":2,"who":"knows"}"#).unwrap();
    let error = block_on(directory.acquire(anna(2), now())).unwrap_err();
    assert_eq!(error.downcast::<Newer>().unwrap().format, 2);
    fs::write(&lease, r#"{"v":1,"fence":"#).unwrap();
    let error = block_on(directory.acquire(anna(2), now())).unwrap_err();
    assert!(error.downcast::<Corrupt>().unwrap().hint.contains("fence"));
    fs::write(&lease, r#"{"v":1,"fence":100,"holder":null}"#).unwrap();
    let hold = block_on(directory.acquire(anna(2), now())).unwrap();
    assert_eq!(hold.fence(), 101);
}

#[test]
fn other_files_are_no_rollouts() {
    let (_place, directory, _hold) = begun();
    for name in [".0008.journal.tmp", "0009.journal~", "notes.journal"] {
        fs::write(directory.root.join("rollouts").join(name), "").unwrap();
    }
    assert_eq!(block_on(directory.list()).unwrap(), [7]);
}

#[test]
fn a_lock_that_is_never_let_go_is_blamed_on_somebody() {
    let (_place, directory, _hold) = begun();
    let says = directory.stuck(Path::new("lease.lock"));
    assert!(says.contains("probably by anna@ci-3 (pid 1)"), "{says}");
    let (_place, nobodys) = place();
    let says = nobodys.stuck(Path::new("lease.lock"));
    assert!(says.contains("probably by another agentctl"), "{says}");
}
