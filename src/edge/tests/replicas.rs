//! Starting, checking, ending replicas.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};

use super::*;
use crate::edge::api::{Key, Listen, Traffic};

#[tokio::test]
async fn replicas_come_up_leave_and_are_forgotten() {
    let stage = Stage::new().await;
    stage.scale("a", 3, &stage.recipe("")).await;
    let state = stage.until(ready(3)).await;
    let ports: BTreeSet<_> = state.pools["a"]
        .replicas
        .iter()
        .map(|replica| replica.address.unwrap())
        .collect();
    assert_eq!(ports.len(), 3);
    stage.scale("a", 1, &stage.recipe("")).await;
    let state = stage.until(ready(1)).await;
    assert_eq!(standings(&state, "a"), [(1, Standing::Ready)]);
    stage.scale("a", 0, &stage.recipe("")).await;
    stage.until(|state| state.pools.is_empty()).await;
    stage.end().await;
}

#[tokio::test]
async fn one_that_exits_is_started_again_and_says_why() {
    let stage = Stage::new().await;
    stage
        .scale("a", 1, &stage.recipe("echo out; echo err >&2; exit 3"))
        .await;
    let state = stage
        .until(|state| state.pools["a"].replicas[0].restarts >= 2)
        .await;
    assert_eq!(
        (says(&state), standings(&state, "a")),
        ("exited with status 3", vec![(1, Standing::Unready)])
    );
    let log = std::fs::read_to_string(&state.pools["a"].replicas[0].log).unwrap();
    assert!(log.starts_with("out\nerr\nout\nerr\n"), "{log}");
    stage.end().await;
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let stage = Stage::new().await;
    let mut recipe = stage.recipe("");
    let secret = Piece::Secret("PLACE".into());
    recipe.command = vec![vec![Piece::Text("./".into()), secret]];
    std::fs::write(stage.state.join("secrets.json"), r#"{"PLACE": "sesame"}"#).unwrap();
    stage.scale("a", 1, &recipe).await;
    let state = stage.until(|state| !says(state).is_empty()).await;
    assert_eq!(says(&state), "no such program: ./${secret:PLACE}");
    stage.end().await;
}

#[tokio::test]
async fn a_secret_is_looked_up_at_each_start() {
    let stage = Stage::new().await;
    let mut recipe = stage.recipe("test \"$TOKEN\" = '<sesame>' && AGENT");
    let token = vec![
        Piece::Text("<".into()),
        Piece::Secret("TOKEN_1".into()),
        Piece::Text(">".into()),
    ];
    recipe.env.insert("TOKEN".to_owned(), token);
    stage.scale("a", 1, &recipe).await;
    let state = stage.until(|state| !says(state).is_empty()).await;
    assert!(
        says(&state).starts_with("secret TOKEN_1 is missing in "),
        "{}",
        says(&state)
    );
    std::fs::write(stage.state.join("secrets.json"), r#"{"TOKEN_1": "sesame"}"#).unwrap();
    stage.until(ready(1)).await;
    stage.end().await;
}

#[tokio::test]
async fn one_that_does_not_stop_when_told_is_killed_after_its_grace() {
    let stage = Stage::new().await;
    let mut recipe = stage.recipe("trap '' TERM; AGENT");
    recipe.drain.grace = 200;
    stage.scale("a", 1, &recipe).await;
    stage.until(ready(1)).await;
    stage.scale("a", 0, &recipe).await;
    stage.until(|state| state.pools.is_empty()).await;
    assert!(
        stage
            .log()
            .contains("a-1: does not stop when told; killed\n"),
        "{}",
        stage.log()
    );
    stage.end().await;
}

#[tokio::test]
async fn readiness_goes_and_comes_back() {
    let stage = Stage::new().await;
    stage.scale("a", 1, &stage.recipe("")).await;
    stage.until(ready(1)).await;
    let unready = stage.dir.path().join("unready");
    std::fs::write(&unready, "").unwrap();
    let state = stage.until(|state| !says(state).is_empty()).await;
    assert_eq!(
        (says(&state), standings(&state, "a")),
        ("answers 503 on /unready", vec![(1, Standing::Unready)])
    );
    std::fs::remove_file(&unready).unwrap();
    let state = stage.until(ready(1)).await;
    assert_eq!(
        (says(&state), state.pools["a"].replicas[0].restarts),
        ("", 0)
    );
    stage.end().await;
}

#[tokio::test]
async fn one_that_is_not_alive_is_started_again() {
    let stage = Stage::new().await;
    stage
        .scale("a", 1, &stage.recipe("rm -f dead; exec AGENT"))
        .await;
    stage.until(ready(1)).await;
    std::fs::write(stage.dir.path().join("dead"), "").unwrap();
    let state = stage
        .until(|state| state.pools["a"].replicas[0].restarts == 1)
        .await;
    assert_eq!(
        says(&state),
        "answers 503 on /dead, so it was ended: killed by signal 15"
    );
    stage.until(ready(1)).await;
    stage.end().await;
}

#[tokio::test]
async fn one_that_has_not_been_ready_is_stopped_at_once() {
    let stage = Stage::new().await;
    std::fs::write(stage.dir.path().join("unready"), "").unwrap();
    stage.scale("a", 2, &stage.recipe("")).await;
    let state = stage.scale("a", 1, &stage.recipe("")).await;
    assert_eq!(
        standings(&state, "a"),
        [(1, Standing::Coming), (2, Standing::Stopping)]
    );
    stage.until(|state| standings(state, "a").len() == 1).await;
    stage.end().await;
}

#[tokio::test]
async fn one_that_is_leaving_with_a_conversation_is_taken_back() {
    let stage = Stage::new().await;
    let address = talk(&stage).await;
    let state = stage.scale("a", 0, &stage.recipe("")).await;
    assert_eq!(standings(&state, "a"), [(1, Standing::Leaving)]);
    assert!(
        get(address).ends_with("\r\n\r\n1"),
        "a conversation goes on where it began"
    );
    let before = state.pools["a"].replicas[0].pid;
    let state = stage.scale("a", 1, &stage.recipe("")).await;
    assert_eq!(standings(&state, "a"), [(1, Standing::Ready)]);
    assert_eq!(
        (before, state.pools["a"].conversations),
        (state.pools["a"].replicas[0].pid, 1)
    );
    stage.end().await;
}

#[tokio::test]
async fn conversations_and_counts_outlive_an_edge() {
    let mut stage = Stage::new().await;
    let address = talk(&stage).await;
    let counts = stage.state.join("counts.json");
    let told = || std::fs::read_to_string(&counts).unwrap_or_default();
    while !told().contains("\"requests\":1") {
        tokio::task::yield_now().await;
    }
    stage.kill_edge().await;
    stage.start_again().await;
    let state = stage.edge.state().await.unwrap();
    let pool = &state.pools["a"];
    assert_eq!(
        (
            pool.conversations,
            pool.total.requests,
            pool.window.requests
        ),
        (1, 1, 1)
    );
    assert_eq!(state.listen, Some(address));
    assert!(get(address).ends_with("\r\n\r\n1"));
    stage.end().await;
}

/// Begins a conversation with the only replica; answers with the public address.
async fn talk(stage: &Stage) -> SocketAddr {
    stage.scale("a", 1, &stage.recipe("")).await;
    let traffic = Traffic {
        fence: 1,
        shares: BTreeMap::from([("a".to_owned(), 10_000)]),
        keys: vec![Key::Header("x-talk".to_owned())],
        sticky: true,
        settle: None,
        mirror: None,
        arms: None,
    };
    stage.edge.traffic(&traffic).await.unwrap();
    let address = "127.0.0.1:0".parse().unwrap();
    let state = stage
        .edge
        .listen(&Listen { fence: 1, address })
        .await
        .unwrap();
    stage.until(ready(1)).await;
    let address = state.listen.unwrap();
    assert!(get(address).ends_with("\r\n\r\n1"));
    address
}

fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET / HTTP/1.1\r\nhost: a\r\nx-talk: 7\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
