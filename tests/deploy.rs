//! First deploys, edits, changed replica counts, and nothing to do.

use std::fs;

use crate::support::{CANARY, Place, eventually, free_port, kill};

const TWO: &str = "run.env.ANSWER = \"two\"\n";

#[test]
fn the_first() {
    let place = Place::new("run.replicas = 2");
    place.run(&["plan"]).exactly(
        0,
        "\
bot   first deploy   r1

step   r1   traffic to r1   then
   1   2   100 %   done

undo   nothing runs yet: a failure stops r1 again
",
        "",
    );
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   first deploy r1, 1 step
TIME  r1   2 replicas started
TIME  r1   2 of 2 ready
TIME  traffic   r1 100 %
r1 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.ask("release"), "r1");
    assert_eq!(place.replicas().len(), 2);
}

#[test]
fn unchanged() {
    let place = Place::deployed("");
    let (processes, files) = (place.processes(), place.kept());
    let records = place.records(1);
    let nothing = "nothing changed: r1 of bot is live at http://127.0.0.1:PORT\n";
    place.run(&["deploy"]).exactly(0, "", nothing);
    place.run(&["plan"]).exactly(0, "", nothing);
    assert_eq!(place.processes(), processes);
    assert_eq!((place.records(1), place.records(2)), (records, 0));
    assert_eq!(place.kept(), files);
}

#[test]
fn an_edit_rolls_replica_by_replica() {
    let place = Place::deployed("run.replicas = 2");
    let before = place.replicas();
    place.spec(&format!("run.replicas = 2\n{TWO}"));
    place.run(&["plan"]).exactly(
        0,
        "\
bot   rolling   r1 → r2

  run.env.ANSWER: \"two\"

step   r1   r2   traffic to r2   then
   1   1   1   50 %
   2   1   2   100 %
   3   0   2   100 %   done; no undo from here on

undo   a failure before step 3 goes step by step back to r1
",
        "",
    );
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   rolling r1 → r2, 3 steps
TIME  r2   1 replica started
TIME  r2   1 of 1 ready
TIME  traffic   r2 50 %, r1 50 %
TIME  r1   1 replica leaving
TIME  r2   1 replica started
TIME  r2   2 of 2 ready
TIME  traffic   r2 100 %, r1 0 %
TIME  r1   1 replica leaving
r2 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.ask("reply"), "two");
    eventually("the old replicas are gone", || place.replicas().len() == 2);
    assert!(before.iter().all(|pid| !place.replicas().contains(pid)));
}

#[test]
fn no_more_replicas_at_once_than_the_machine_has_room_for() {
    let one_gpu = "rollout.max_surge = 0\nrollout.max_unavailable = 1\n";
    let place = Place::deployed(one_gpu);
    place.spec(&format!("{one_gpu}{TWO}"));
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   rolling r1 → r2, 2 steps
TIME  r1   1 replica leaving
TIME  r2   1 replica started
TIME  r2   1 of 1 ready
TIME  traffic   r2 100 %, r1 0 %
r2 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.ask("reply"), "two");
}

#[test]
fn an_edit_goes_blue_green() {
    let place = Place::deployed("run.replicas = 2");
    place.spec(&format!(
        "run.replicas = 2\nrollout.strategy = \"blue-green\"\nrollout.bake = \"100ms\"\n{TWO}"
    ));
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   blue-green r1 → r2, 2 steps
TIME  r2   2 replicas started
TIME  r2   2 of 2 ready
TIME  traffic   r2 100 %, r1 0 %
TIME  gate   holding at 100 % for T
TIME  gate   held T
TIME  r1   2 replicas leaving
r2 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.ask("reply"), "two");
}

#[test]
fn an_edit_goes_as_a_canary() {
    let steps = r#"
run.replicas = 4
rollout.strategy = "canary"
rollout.steps = [{ weight = 25, hold = "50ms" }, { weight = 50 }, { weight = 100 }]
"#;
    let place = Place::deployed(steps);
    place.spec(&format!("{steps}{TWO}"));
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   canary r1 → r2, 4 steps
TIME  r2   1 replica started
TIME  r2   1 of 1 ready
TIME  traffic   r2 25 %, r1 75 %
TIME  gate   holding at 25 % for T
TIME  gate   held T
TIME  r2   1 replica started
TIME  r2   2 of 2 ready
TIME  traffic   r2 50 %, r1 50 %
TIME  r2   2 replicas started
TIME  r2   4 of 4 ready
TIME  traffic   r2 100 %, r1 0 %
TIME  r1   4 replicas leaving
r2 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.ask("reply"), "two");
}

#[test]
fn weights_are_exact() {
    let place = Place::deployed("run.replicas = 2");
    let deploy = place.deploy_until(&format!("{}{TWO}", CANARY), "holding at 50 %");
    let asked = || place.ask("release");
    let new = (0..40).filter(|_| asked() == "r2").count();
    assert_eq!(new, 20);
    deploy.kill();
}

#[test]
fn more_replicas_and_fewer() {
    let place = Place::deployed("");
    let first = place.replicas();
    place.spec("run.replicas = 3");
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   scale r1, 1 step
TIME  r1   2 replicas started
TIME  r1   3 of 3 ready
r1 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.replicas().len(), 3);
    assert!(place.replicas().contains(&first[0]));
    place.spec("");
    place.run(&["plan"]).exactly(
        0,
        "\
bot   scale   r1   3 → 1 replicas

step   r1   traffic to r1   then
   1   1   100 %   done

undo   a failure goes back to 3 replicas
",
        "",
    );
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   scale r1, 1 step
TIME  r1   2 replicas leaving
r1 is live at http://127.0.0.1:PORT (T)
",
    );
    eventually("one is left", || place.replicas().len() == 1);
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn after_a_stop() {
    let place = Place::deployed("");
    place
        .run(&["stop"])
        .exactly(0, "", "bot is stopped; its history is kept\n");
    eventually("nothing runs", || place.processes().is_empty());
    place.run(&["deploy"]).ends(0).says("r1 is live");
    assert_eq!(place.ask("release"), "r1");
    assert_eq!(place.outcomes(), ["completed", "completed"]);
}

/// A pipeline must not be green on what answers nobody.
#[test]
fn what_runs_already_and_is_not_ready() {
    let place = Place::new("");
    let waits = format!("run.env.READY_WITH = \"{}\"\n", place.path("go").display());
    place.write("go", "");
    place.spec(&waits);
    place.run(&["deploy"]).ends(0);
    fs::remove_file(place.path("go")).unwrap();
    eventually("it is not ready", || {
        place.status()["releases"][0]["ready"] == 0
    });
    let ran = place.run(&["deploy"]).ends(3);
    let says = "nothing changed, but r1 of bot is not live: 0 of 1 replicas are ready: r1-1 ";
    assert!(ran.stderr.starts_with(says), "{}", ran.stderr);
    place.write("go", "");
    eventually("it is ready", || {
        place.status()["releases"][0]["ready"] == 1
    });
    place
        .run(&["deploy"])
        .ends(0)
        .says("nothing changed: r1 of bot is live at");
}

#[test]
fn another_port_is_told_before() {
    let place = Place::deployed("");
    let other = free_port();
    place.spec(&format!("run.port = {other}\n"));
    let says = format!(
        "http://127.0.0.1:{} will be closed, and port {other} opened in its place\n",
        place.port
    );
    place.run(&["plan"]).ends(0).says(&says);
    place.run(&["deploy"]).ends(0).says(&says);
}

/// Its journal was moved away, as the hint for one that is damaged says; what it was about still runs.
#[test]
fn the_number_of_what_still_runs_is_not_given_again() {
    let place = Place::deployed("");
    let two = format!("run.env.ANSWER = \"two\"\n{CANARY}");
    place.deploy_until(&two, "holding at 50 %").kill();
    fs::remove_file(place.state().join("rollouts/0002.journal")).unwrap();
    place.spec("run.env.ANSWER = \"three\"\n");
    place.run(&["deploy"]).ends(0).says("r3 is live");
    assert_eq!(place.ask("reply"), "three");
}

#[test]
fn at_once_after_a_stop() {
    let place = Place::deployed("");
    for _ in 0..3 {
        place.run(&["stop", "--now"]).ends(0);
        place.run(&["deploy"]).ends(0).says("r1 is live");
    }
}

#[test]
fn two_environments_side_by_side() {
    let place = Place::new("");
    let other = free_port();
    place.spec(&format!("[environments.staging]\nrun.port = {other}\n"));
    place.run(&["deploy"]).ends(0);
    place.run(&["deploy", "-e", "staging"]).ends(0);
    place
        .run(&["deploy", "-e", "staging"])
        .ends(0)
        .says("nothing changed: r1 of bot (staging) is live at");
    assert_eq!(place.replicas().len(), 2);
    place.run(&["stop", "--now", "-e", "staging"]).ends(0);
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn files_beside_it_are_kept_apart_from_later_edits() {
    let place = Place::deployed("");
    place.write("agent.py", "raise SystemExit('edited')");
    let replica = place.replicas()[0];
    kill(replica);
    eventually("it is restarted", || {
        place.replicas().iter().any(|pid| *pid != replica) && place.get("/").0 == 200
    });
    place.write("notes.txt", "no part of a release");
    place.run(&["plan"]).ends(0).says("r1 → r2");
}

#[test]
fn a_log_that_is_written_beside_the_agent_is_no_part_of_it() {
    let place = Place::deployed("");
    let log = std::fs::File::create(place.path("deploy.log")).unwrap();
    let mut deploy = place.command(&["deploy"]);
    let ended = deploy.stdout(log.try_clone().unwrap()).stderr(log).status();
    assert!(ended.unwrap().success());
    let log = place.read("deploy.log");
    assert!(log.contains("nothing changed: r1 "), "{log}");
}
