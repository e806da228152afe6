//! What every target does alike; run over the fake, over processes and over containers.

use std::collections::BTreeMap;

use super::{Seen, Target, Traffic};
use crate::release::{Artifact, Contents, Identity, Release, ReleaseId};
use crate::spec::{
    Config, ConversationKey, Drain, Health, Kind, Percent, Period, ProbeRequest, Template,
};

/// A release that serves its folder, from files that the target has.
pub(crate) fn release(number: u32, files: Identity) -> Release {
    let command = [
        "python3",
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "${PORT}",
    ];
    release_of(number, Artifact::Files(files), &command)
}

/// One that is started so, and answers all requests.
pub(crate) fn release_of(number: u32, artifact: Artifact, command: &[&str]) -> Release {
    let word = |text: &str| Template::parse(text).unwrap();
    let contents = Contents {
        artifact,
        command: command.iter().map(|text| word(text)).collect(),
        env: BTreeMap::from([("NUMBER".to_owned(), word(&number.to_string()))]),
        config: Config::default(),
        secrets: BTreeMap::new(),
        health: Health::default(),
        drain: Drain {
            grace: Period::secs(1),
            ..Drain::default()
        },
        kind: Kind::default(),
    };
    Release {
        id: ReleaseId(number),
        identity: contents.identity().unwrap(),
        made: 0,
        by: "anna@laptop".to_owned(),
        base: None,
        origin: Default::default(),
        objects: Vec::new(),
        beside: Vec::new(),
        contents,
    }
}

async fn until<T: Target>(target: &T, holds: impl Fn(&Seen) -> bool) -> Seen {
    let mut seen = target.observe().await.unwrap();
    while !holds(&seen) {
        seen = target.next().await.unwrap();
    }
    seen
}

fn traffic(shares: &[(ReleaseId, f64)]) -> Traffic {
    Traffic {
        shares: shares
            .iter()
            .map(|(id, share)| (*id, Percent::new(*share).unwrap()))
            .collect(),
        keys: vec![ConversationKey::Header("x-conversation".to_owned())],
        sticky: true,
        settle: None,
        mirror: None,
        arms: None,
    }
}

pub(crate) async fn holds<T: Target>(target: &T, old: &Release, new: &Release) {
    nothing_is_seen_where_nothing_runs(target).await;
    scaling_is_seen_and_can_be_repeated(target, old).await;
    shares_are_what_was_routed(target, old, new).await;
    a_ready_replica_answers(target, new).await;
    scaled_to_nothing_is_gone(target, old, new).await;
}

async fn nothing_is_seen_where_nothing_runs<T: Target>(target: &T) {
    let seen = target.observe().await.unwrap();
    assert_eq!((seen.releases.len(), seen.shares.len()), (0, 0));
}

async fn scaling_is_seen_and_can_be_repeated<T: Target>(target: &T, old: &Release) {
    for replicas in [2, 2, 1, 3] {
        target.scale(old, replicas).await.unwrap();
        let seen = until(target, |seen| seen.releases[&old.id].ready == replicas).await;
        assert_eq!(seen.releases[&old.id].wanted, replicas);
    }
}

async fn shares_are_what_was_routed<T: Target>(target: &T, old: &Release, new: &Release) {
    target.scale(new, 1).await.unwrap();
    until(target, |seen| seen.releases[&new.id].ready == 1).await;
    for shares in [
        traffic(&[(old.id, 100.0)]),
        traffic(&[(old.id, 94.5), (new.id, 5.5)]),
        traffic(&[(old.id, 94.5), (new.id, 5.5)]),
        traffic(&[(new.id, 100.0)]),
    ] {
        target.route(&shares).await.unwrap();
        assert_eq!(target.observe().await.unwrap().shares, shares.shares);
        // News that came before the look is not told after it.
        assert_eq!(target.next().await.unwrap().shares, shares.shares);
    }
}

async fn a_ready_replica_answers<T: Target>(target: &T, new: &Release) {
    let request = ProbeRequest {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        headers: BTreeMap::new(),
        json: None,
    };
    let reply = target.request(new.id, &request, 5_000, None).await.unwrap();
    assert_eq!((reply.status, reply.replica), (Some(200), 1));
    assert!(
        target
            .request(ReleaseId(99), &request, 5_000, None)
            .await
            .is_err()
    );
    assert_eq!(target.logs(new.id, 5).await.unwrap().len(), 1);
}

async fn scaled_to_nothing_is_gone<T: Target>(target: &T, old: &Release, new: &Release) {
    target.scale(old, 0).await.unwrap();
    let seen = until(target, |seen| !seen.releases.contains_key(&old.id)).await;
    assert_eq!(seen.releases[&new.id].ready, 1);
}
