use super::*;

fn owner(host: &str, pid: u32, process: Option<Process>) -> Owner {
    Owner {
        user: "anna".to_owned(),
        host: host.to_owned(),
        pid,
        process,
        run: None,
    }
}

fn process(machine: Option<&str>, boot: &str, space: &str) -> Option<Process> {
    Some(Process {
        machine: machine.map(str::to_owned),
        boot: boot.to_owned(),
        space: space.to_owned(),
        started: 100,
    })
}

#[test]
fn dead_only_beyond_doubt() {
    let me = owner("a", 1, process(Some("m"), "b1", "s"));
    let same = || owner("a", 7, process(Some("m"), "b1", "s"));
    let cases = [
        ("its pid is gone", same(), Pulse::Gone, true),
        ("its pid is another's", same(), Pulse::Started(101), true),
        ("it runs", same(), Pulse::Started(100), false),
        ("it is hidden", same(), Pulse::Unknown, false),
        (
            "another container",
            owner("a", 7, process(Some("m"), "b1", "t")),
            Pulse::Gone,
            false,
        ),
        (
            "the machine was booted again",
            owner("a", 7, process(Some("m"), "b0", "s")),
            Pulse::Unknown,
            true,
        ),
        (
            "another machine of that name",
            owner("a", 7, process(Some("n"), "b0", "s")),
            Pulse::Gone,
            false,
        ),
        (
            "perhaps another machine of that name",
            owner("a", 7, process(None, "b0", "s")),
            Pulse::Gone,
            false,
        ),
        (
            "another host from the same image",
            owner("b", 7, process(Some("m"), "b0", "s")),
            Pulse::Gone,
            false,
        ),
        (
            "its system does not tell",
            owner("a", 7, None),
            Pulse::Gone,
            false,
        ),
    ];
    for (name, it, pulse, dead) in cases {
        assert_eq!(it.is_dead(&me, |_| pulse), dead, "{name}");
    }
}

#[test]
fn a_machine_without_an_id_never_proves_a_reboot() {
    let me = owner("a", 1, process(None, "b1", "s"));
    let it = owner("a", 7, process(None, "b0", "s"));
    assert!(!it.is_dead(&me, |_| Pulse::Gone));
}

#[test]
fn stat_is_read_past_any_name() {
    let after = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
    let cases = [
        (format!("7 (x) S {after}"), Some(Pulse::Started(4242))),
        (
            format!("7 (a) Z 1 (b) S {after}"),
            Some(Pulse::Started(4242)),
        ),
        (format!("7 (x) Z {after}"), Some(Pulse::Gone)),
        ("7 (x) S 1".to_owned(), None),
        (String::new(), None),
    ];
    for (stat, expected) in cases {
        assert_eq!(parse_stat(&stat), expected, "{stat}");
    }
}

#[test]
fn this_process_is_found_and_alive() {
    let me = Owner::here(|_| None);
    assert_eq!(me.pid, std::process::id());
    assert!(!me.is_dead(&me, pulse));
}

#[test]
fn a_user_has_a_name() {
    let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nanna:x:1000:1000::/home/anna:/bin/sh\n";
    let cases = [
        (&[("USER", "bert"), ("LOGNAME", "carl")][..], 0, "bert"),
        (&[("USER", ""), ("LOGNAME", "carl")], 0, "carl"),
        (&[], 0, "root"),
        (&[], 1000, "anna"),
        (&[], 1001, "uid-1001"),
    ];
    for (vars, uid, name) in cases {
        let env = |name: &str| {
            let (_, value) = vars.iter().find(|(key, _)| *key == name)?;
            Some((*value).to_owned())
        };
        assert_eq!(user(&env, uid, passwd), name);
    }
}

#[test]
fn a_dead_process_is_dead() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    assert_eq!(pulse(child.id()), Pulse::Gone);
}

#[test]
fn the_run_is_named_by_its_address() {
    let github = [
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "a/b"),
        ("GITHUB_RUN_ID", "12"),
    ];
    let cases = [
        (&github[..], Some("https://github.com/a/b/actions/runs/12")),
        (&github[..2], None),
        (&[("CI_JOB_URL", "https://x/1")], Some("https://x/1")),
        (&[("BUILD_URL", "https://j/1")], Some("https://j/1")),
        (&[], None),
    ];
    for (vars, expected) in cases {
        let env = |name: &str| {
            let (_, value) = vars.iter().find(|(key, _)| *key == name)?;
            Some((*value).to_owned())
        };
        assert_eq!(run(&env).as_deref(), expected);
    }
}

#[test]
fn an_owner_reads_like_an_address() {
    let mut it = owner("ci-3", 4711, None);
    assert_eq!(it.to_string(), "anna@ci-3 (pid 4711)");
    it.run = Some("https://x/1".to_owned());
    assert_eq!(it.to_string(), "anna@ci-3 (pid 4711, https://x/1)");
}
