//! Two releases at once, in containers, until a person decides.

use serde_json::{Value, json};

use super::Hosted;
use crate::ab::{USER, WAITS, asked};
use crate::support::engine::docker;
use crate::support::eventually;

fn arm(host: &Hosted, arm: usize) -> Value {
    host.status()["rollout"]["arms"][arm].clone()
}

#[test]
fn a_user_keeps_an_arm_until_b_takes_over() {
    let Some(host) = Hosted::deployed("arms", "") else {
        return;
    };
    let test = format!("rollout.strategy = \"ab\"\nrun.env.ANSWER = \"two\"\n{USER}");
    let deploy = host.deploy_until(&test, WAITS);
    let of = |user: u32| asked(&host.place, &format!("X-User-Id: {user}"));
    let all = || (0..20).map(of).collect::<Vec<_>>();
    let first = all();
    assert!(
        ["r1", "r2"]
            .map(str::to_owned)
            .iter()
            .all(|arm| first.contains(arm))
    );
    assert_eq!(all(), first);
    assert_eq!(asked(&host.place, "X-Nobody: 1"), "r1");
    let to_b = first.iter().filter(|arm| *arm == "r2").count() * 2;
    eventually("all are counted", || {
        let told = [0, 1].map(|index| arm(&host, index));
        let told = told.map(|arm| json!([arm["arm"], arm["release"], arm["begun"]]));
        told == [json!(["a", "r1", 41 - to_b]), json!(["b", "r2", to_b])]
    });
    // The engine starts an edge again that was killed: nobody is drawn anew.
    docker(&["kill", &host.edge()]).unwrap();
    host.run(&["status"]).ends(0).says("  b  r2: ");
    eventually("both are ready again", || {
        let releases = host.status()["releases"].clone();
        (0..2).all(|index| releases[index]["ready"] == 1)
    });
    assert_eq!(all(), first);
    host.run(&["promote", "b"]).ends(0);
    deploy.wait().ends(0).says("r2 is live");
    assert!(all().iter().all(|release| release == "r2"));
    host.whole("r2", &["edge", "r2-1"]);
}

#[test]
fn a_keeps_the_old_release() {
    let Some(host) = Hosted::deployed("arm-a", "") else {
        return;
    };
    let test = "rollout.strategy = \"ab\"\nrun.env.ANSWER = \"two\"\nrollout.match = [\"cookie:beta=1\"]\n";
    let deploy = host.deploy_until(test, WAITS);
    assert_eq!(asked(&host.place, "Cookie: beta=1"), "r2");
    assert_eq!(asked(&host.place, "Cookie: beta=0"), "r1");
    host.run(&["promote", "a"]).ends(0);
    deploy.wait().ends(1);
    assert_eq!(asked(&host.place, "Cookie: beta=1"), "r1");
    host.whole("r1", &["edge", "r1-1"]);
}
