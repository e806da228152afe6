//! Changes that nobody notices who uses the agent.

use std::collections::BTreeSet;

use super::crowd::Crowd;
use super::{Hosted, QUICK};

#[test]
fn nothing_is_failed_cut_or_switched() {
    let usual = "run.replicas = 2\ndrain.grace = \"1m\"\ndrain.conversations = \"1h\"\n";
    let Some(host) = Hosted::deployed("unnoticed", usual) else {
        return;
    };
    let crowd = Crowd::start(host.place.port, 4);
    let mut stream = host.place.open("/stream/60", "");
    assert_eq!(stream.after("data: "), "r1 0");
    assert_eq!(host.place.ask_in("anna", "release"), "r1");
    host.spec(&format!("{usual}run.env.ANSWER = \"two\"{QUICK}"));
    let mut deploy = host.start(&["deploy"]);
    while deploy.is_running() {
        assert_eq!(host.place.ask_in("anna", "release"), "r1");
    }
    deploy
        .wait()
        .ends(0)
        .says("traffic   r2 50 %, r1 50 %")
        .says("r2 is live");
    assert_eq!(host.place.ask_in("ben", "release"), "r2");
    for event in 1..60 {
        assert_eq!(stream.after("data: "), format!("r1 {event}"));
    }
    // A replica that still leaves would keep its number from the next one.
    host.whole("r2", &["edge", "r2-1", "r2-2"]);
    host.run(&["rollback"]).ends(0).says("r1 is live");
    host.whole("r1", &["edge", "r1-1", "r1-2"]);
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
    let both = BTreeSet::from(["r1".to_owned(), "r2".to_owned()]);
    assert_eq!(met.releases, both);
}
