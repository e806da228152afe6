//! Replicas follow the work that waits in a real queue.

use std::io::{Read, Write};
use std::net::TcpListener;

use rustix::process::Signal;

use crate::support::queues::{Rabbit, Redis, follower, following};
use crate::support::{CANARY, Place, eventually, free_port};

fn wanted(place: &Place) -> u64 {
    place.status()["releases"][0]["wanted"].as_u64().unwrap()
}

/// What leaves takes its time.
#[track_caller]
fn has(place: &Place, replicas: usize) {
    eventually("the replicas", || place.replicas().len() == replicas);
}

#[test]
fn up_at_once_and_down_when_less_has_lasted() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "down_after = \"0s\"");
    place.run(&["deploy"]).ends(0);
    let alone = "jobs 0, 10 for each: 1 replica stays\n";
    place.run(&["autoscale"]).exactly(0, "", alone);
    redis.holds(25);
    place.run(&["autoscale"]).exactly(
        0,
        "",
        "TIME  scale     jobs 25, 10 for each: 1 → 3 replicas\n\
         TIME  plan      scale r1, 1 step\n\
         TIME  r1        2 replicas started\n\
         TIME  r1        3 of 3 ready\n\
         r1 is live at http://127.0.0.1:PORT (T)\n",
    );
    assert_eq!(wanted(&place), 3);
    place.run(&["deploy"]).ends(0).says("nothing changed: r1");
    redis.holds(0);
    place
        .run(&["autoscale"])
        .ends(0)
        .says("jobs 0, 10 for each: 3 → 1 replica");
    has(&place, 1);
    let history = place.run(&["history"]).ends(0);
    let kinds = history.stdout.matches("scale").count();
    assert_eq!(kinds, 2, "{}", history.stdout);
    history.says("jobs 25, 10 for each: 1 → 3 replicas\n");
}

#[test]
fn every_look_of_cron_counts_for_the_next() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "down_after = \"1s\"");
    redis.holds(25);
    place.run(&["deploy"]).ends(0);
    place.run(&["autoscale"]).ends(0);
    redis.holds(15);
    place
        .run(&["autoscale"])
        .ends(0)
        .says("3 → 2 replicas in 1s (scale.down_after)");
    redis.holds(0);
    eventually("less has lasted", || {
        place.run(&["autoscale"]).ends(0);
        wanted(&place) < 3
    });
    // To the most that was wanted meanwhile, not to what is wanted now.
    assert_eq!(wanted(&place), 2);
}

#[test]
fn the_cooldown_is_counted_from_the_journal() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "");
    let slowly = place
        .read("agent.toml")
        .replace("cooldown = \"0s\"", "cooldown = \"1h\"");
    place.write("agent.toml", slowly);
    redis.holds(25);
    place.run(&["deploy"]).ends(0);
    let waits = "jobs 25, 10 for each: 1 → 3 replicas in";
    place
        .run(&["autoscale"])
        .ends(0)
        .says(waits)
        .says("(scale.cooldown)");
    assert_eq!(place.outcomes(), ["completed"]);
}

#[test]
fn a_deploy_keeps_the_number_within_the_bounds() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "");
    place.run(&["deploy"]).ends(0);
    redis.holds(25);
    place.run(&["autoscale"]).ends(0);
    place.spec(&("run.env.ANSWER = \"two\"\n".to_owned() + &following(redis.port, "")));
    place.run(&["deploy"]).ends(0).says("r2 is live");
    assert_eq!(wanted(&place), 3);
    let lower = place.read("agent.toml").replace("max = 3", "max = 2");
    place.write("agent.toml", lower);
    place.run(&["deploy"]).ends(0).says("1 replica leaving");
    assert_eq!(wanted(&place), 2);
}

#[test]
fn no_replica_while_nothing_waits() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "min = 0\nidle_to_zero = true\ndown_after = \"0s\"");
    place.run(&["deploy"]).ends(0);
    place.run(&["autoscale"]).ends(0).says("1 → 0 replicas");
    has(&place, 0);
    place.run(&["autoscale"]).ends(0).says("0 replicas stay");
    place.run(&["deploy"]).ends(0).says("nothing changed");
    redis.holds(1);
    place.run(&["autoscale"]).ends(0).says("0 → 1 replica");
    assert_eq!(place.ask("release"), "r1");
    place.run(&["stop", "--now"]).ends(0);
    place
        .run(&["autoscale"])
        .exactly(0, "", "bot is stopped: agentctl deploy starts it\n");
    has(&place, 0);
}

#[test]
fn nothing_is_scaled_on_a_guess() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "");
    place
        .run(&["autoscale"])
        .ends(2)
        .says("nothing of bot is deployed here");
    place.run(&["deploy"]).ends(0);
    redis.say(&["SET", "jobs", "text"]);
    let ran = place.run(&["autoscale"]).ends(2);
    ran.says("caused by: it said: WRONGTYPE")
        .says("hint: nothing was scaled");
    place.write("password", "not-the-password");
    place
        .run(&["autoscale"])
        .ends(2)
        .says("caused by: it said: WRONGPASS");
    drop(redis);
    let ran = place.run(&["autoscale"]).ends(2);
    ran.says("error: could not ask Redis at 127.0.0.1:")
        .says("caused by: could not connect");
    assert_eq!(place.outcomes(), ["completed"]);
}

#[test]
fn a_rollout_is_left_alone() {
    let Some(redis) = Redis::start() else { return };
    redis.holds(25);
    let place = follower(&redis, "");
    place.run(&["deploy"]).ends(0);
    let deploy = place.deploy_until(
        &(format!("run.env.ANSWER = \"two\"\n{CANARY}") + &following(redis.port, "")),
        "holding at 50 %",
    );
    let walked = "rollout 2 is walked by tester@host (pid N): nothing is scaled\n";
    place.run(&["autoscale"]).exactly(0, "", walked);
    deploy.kill();
    let ran = place.run(&["autoscale"]).ends(0);
    ran.says("rollout 2 has not ended: nothing is scaled; agentctl resume goes on with it");
    assert_eq!(place.outcomes(), ["unfinished", "completed"]);
}

#[test]
fn programs_are_told_too_and_a_dry_run_changes_nothing() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "");
    place.run(&["deploy"]).ends(0);
    redis.holds(15);
    let dry = place
        .run(&["autoscale", "--dry-run", "--output", "json"])
        .ends(0)
        .json();
    let result = &dry[0]["result"];
    assert_eq!(
        (&result["outcome"], &result["live"]),
        (&"up".into(), &1.into())
    );
    assert_eq!(
        (&result["wanted"], &result["replicas"]),
        (&2.into(), &2.into())
    );
    assert_eq!(place.outcomes(), ["completed"]);
    let real = place.run(&["autoscale", "--output", "json"]).ends(0).json();
    assert_eq!(real[0]["decision"]["outcome"], "up");
    let says = "jobs 15, 10 for each: 1 → 2 replicas";
    assert_eq!(real[0]["decision"]["says"], says);
    assert_eq!(real.last().unwrap()["result"]["outcome"], "completed");
    let history = place.run(&["history", "--output", "json"]).ends(0).json();
    assert_eq!(history[0]["rollouts"][0]["because"], says);
}

#[test]
fn watching_says_only_what_is_new_until_ctrl_c() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "down_after = \"0s\"");
    place.run(&["deploy"]).ends(0);
    let watch = place.start(&["autoscale", "--watch", "--every", "50ms"]);
    watch.until("jobs 0, 10 for each: 1 replica stays");
    redis.holds(15);
    watch.until("jobs 15, 10 for each: 2 replicas stay");
    let port = redis.port;
    drop(redis);
    watch.until("could not ask Redis");
    place.get("/");
    watch.signal(Signal::INT);
    let ran = watch.wait();
    ran.exactly(
        0,
        "",
        &format!(
            "TIME  scale     jobs 0, 10 for each: 1 replica stays\n\
         TIME  scale     jobs 15, 10 for each: 1 → 2 replicas\n\
         TIME  plan      scale r1, 1 step\n\
         TIME  r1        1 replica started\n\
         TIME  r1        2 of 2 ready\n\
         r1 is live at http://127.0.0.1:PORT (T)\n\
         TIME  scale     jobs 15, 10 for each: 2 replicas stay\n\
         TIME  scale     could not ask Redis at 127.0.0.1:{port} how much work waits: could not \
         connect: Connection refused (os error 111)\n"
        ),
    );
    assert_eq!(wanted(&place), 2);
}

#[test]
fn nobody_who_asks_is_failed_meanwhile() {
    let Some(redis) = Redis::start() else { return };
    let place = follower(&redis, "down_after = \"0s\"");
    place.run(&["deploy"]).ends(0);
    for entries in [25, 0, 15, 0] {
        redis.holds(entries);
        let mut scale = place.start(&["autoscale"]);
        while scale.is_running() {
            assert_eq!(place.get("/").0, 200);
        }
        scale.wait().ends(0);
    }
    assert_eq!(place.outcomes(), ["completed"; 5]);
}

#[test]
fn replicas_follow_a_rabbitmq_queue() {
    let Some(rabbit) = Rabbit::start() else {
        return;
    };
    let queue = format!(
        "[scale]\ncooldown = \"0s\"\nqueue = {{ kind = \"rabbitmq\", name = \"jobs\", \
         address = \"http://guest:guest@127.0.0.1:{}/\", per_replica = 2 }}\n",
        rabbit.port
    );
    let place = Place::deployed(&queue);
    let ran = place.run(&["autoscale"]).ends(2);
    ran.says("caused by: it has no queue \"jobs\" there");
    rabbit.publish(5);
    place
        .run(&["autoscale"])
        .ends(0)
        .says("jobs 5, 2 for each: 1 → 3 replicas");
    assert_eq!(wanted(&place), 3);
    let wrong = place
        .read("agent.toml")
        .replace("guest:guest", "guest:wrong");
    place.write("agent.toml", wrong);
    let ran = place.run(&["autoscale"]).ends(2);
    ran.says("caused by: it refused the login");
}

/// Gives each of these answers once, and asks for the query.
fn prometheus(answers: Vec<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            assert!(
                request.starts_with("GET /api/v1/query?query=sum%28jobs%29 "),
                "{request}"
            );
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                answer.len()
            );
            stream.write_all((head + answer).as_bytes()).unwrap();
        }
    });
    port
}

#[test]
fn replicas_follow_a_query() {
    let port = prometheus(vec![
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"4.5"]}]}}"#,
    ]);
    let place = Place::deployed(&format!(
        "observe.prometheus = \"http://127.0.0.1:{port}\"\n[scale]\ncooldown = \"0s\"\n\
         metrics = [{{ query = \"sum(jobs)\", target = 1.5 }}]\n"
    ));
    place
        .run(&["autoscale"])
        .ends(2)
        .says("the query's value is NaN");
    place
        .run(&["autoscale"])
        .ends(2)
        .says("the query has no value now");
    let up = "sum(jobs) 4.5, 1.5 for each: 1 → 3 replicas";
    place.run(&["autoscale"]).ends(0).says(up);
}

#[test]
fn a_file_that_says_nothing_of_it_is_refused() {
    let place = Place::deployed("");
    let ran = place.run(&["autoscale"]).ends(2);
    ran.says("nothing says when replicas of bot are added");
    let port = free_port();
    let ran = place.run(&["autoscale", "--every", "5s"]).ends(2);
    ran.says("--watch");
    place.spec(&format!(
        "[scale]\nqueue = {{ kind = \"kafka\", name = \"q\", address = \"127.0.0.1:{port}\", \
         group = \"g\", per_replica = 1 }}\n"
    ));
    place
        .run(&["deploy"])
        .ends(0)
        .says("scale.queue has no effect on processes");
}
