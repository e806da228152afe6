//! What began on a release ends there.

use crate::support::{CANARY, Place, eventually};

const TWO: &str = "run.env.ANSWER = \"two\"\n";

#[test]
fn a_stream_reaches_its_last_event() {
    let place = Place::deployed("drain.grace = \"1m\"");
    let mut stream = place.open("/stream/8", "");
    assert_eq!(stream.after("data: "), "r1 0");
    place.spec(&format!("drain.grace = \"1m\"\n{TWO}"));
    place.run(&["deploy"]).ends(0);
    assert_eq!(place.ask("release"), "r2");
    for event in 1..8 {
        assert_eq!(stream.after("data: "), format!("r1 {event}"));
    }
    drop(stream);
    eventually("the old replica is gone", || place.replicas().len() == 1);
}

#[test]
fn an_upgraded_connection_goes_on() {
    let place = Place::deployed("drain.grace = \"1m\"");
    let mut socket = place.open("/", "Connection: Upgrade\r\nUpgrade: echo\r\n");
    assert_eq!(socket.after("HTTP/1.1 "), "101 Switching Protocols");
    place.spec(&format!("drain.grace = \"1m\"\n{TWO}"));
    place.run(&["deploy"]).ends(0);
    socket.send("still here\n");
    assert_eq!(socket.after("r1 "), "still here");
    drop(socket);
    eventually("the old replica is gone", || place.replicas().len() == 1);
}

#[test]
fn a_conversation_stays_where_it_began() {
    let usual = "drain.idle = \"1s\"\ndrain.conversations = \"1h\"\n";
    let place = Place::deployed(usual);
    assert_eq!(place.ask_in("anna", "release"), "r1");
    place.spec(&format!("{usual}{TWO}{}", CANARY.replace("1h", "10ms")));
    let mut deploy = place.start(&["deploy"]);
    while deploy.is_running() {
        assert_eq!(place.ask_in("anna", "release"), "r1");
    }
    deploy.wait().ends(0);
    assert_eq!(place.ask_in("anna", "release"), "r1");
    assert_eq!(place.ask_in("ben", "release"), "r2");
    let status = place.status();
    let old = &status["releases"][1];
    assert_eq!(
        (&old["release"], &old["role"], &old["open_conversations"]),
        (&"r1".into(), &"draining".into(), &1.into()),
        "{status}"
    );
    place.ask_in("anna", "release");
    place
        .run(&["status"])
        .ends(0)
        .says("└ r1  draining  1 leaving");
    eventually("the old release is gone", || place.replicas().len() == 1);
    assert_eq!(place.ask_in("anna", "release"), "r2");
}

#[test]
fn a_conversation_ends_at_its_longest() {
    let usual = "drain.idle = \"1h\"\ndrain.conversations = \"100ms\"\n";
    let place = Place::deployed(usual);
    assert_eq!(place.ask_in("anna", "release"), "r1");
    place.spec(&format!("{usual}{TWO}"));
    place.run(&["deploy"]).ends(0);
    eventually("the old release is gone", || place.replicas().len() == 1);
    assert_eq!(place.ask_in("anna", "release"), "r2");
}
