//! What the control socket takes and refuses.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::*;
use crate::advice::Advice;
use crate::edge::api::{Listen, Request, Traffic};
use crate::edge::client::Refused;

fn refused<T: std::fmt::Debug>(outcome: anyhow::Result<T>) -> (u16, String) {
    let refused: Refused = outcome.unwrap_err().downcast().unwrap();
    (refused.status, refused.refusal.error)
}

#[tokio::test]
async fn an_order_of_someone_who_was_overtaken_is_refused() {
    let stage = Stage::new().await;
    let order = |fence| Traffic {
        fence,
        ..Traffic::default()
    };
    assert_eq!(stage.edge.traffic(&order(5)).await.unwrap().fence, 5);
    let (status, error) = refused(stage.edge.traffic(&order(4)).await);
    assert_eq!(status, 409);
    assert_eq!(
        error,
        "a later command has taken over: this order carries fence 4, the edge has seen 5"
    );
    stage.edge.traffic(&order(5)).await.unwrap();
    stage.end().await;
}

#[tokio::test]
async fn an_edge_that_was_told_to_stop_takes_no_orders() {
    let stage = Stage::new().await;
    let mut recipe = stage.recipe("trap '' TERM; AGENT");
    recipe.drain.grace = 1_000;
    stage.scale("a", 1, &recipe).await;
    stage.until(ready(1)).await;
    let (fence, now) = (1, false);
    stage.edge.stop(&Stop { fence, now }).await.unwrap();
    let order = Traffic {
        fence,
        ..Traffic::default()
    };
    let error = stage.edge.traffic(&order).await.unwrap_err();
    let refused: Refused = error.downcast().unwrap();
    assert_eq!((refused.status, refused.is_stale()), (410, false));
    stage.end().await;
}

#[tokio::test]
async fn an_edge_that_has_ended_leaves_only_its_fence() {
    let mut stage = Stage::new().await;
    let (fence, now) = (7, true);
    stage.edge.stop(&Stop { fence, now }).await.unwrap();
    while stage.state.join("edge.sock").exists() {
        tokio::task::yield_now().await;
    }
    for gone in ["edge.json", "counts.json"] {
        assert!(!stage.state.join(gone).exists(), "{gone}");
    }
    stage.start_again().await;
    let order = Traffic {
        fence: 6,
        ..Traffic::default()
    };
    assert_eq!(refused(stage.edge.traffic(&order).await).0, 409);
    stage.end().await;
}

#[tokio::test]
async fn a_port_that_is_in_use_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (status, error) = refused(stage.edge.listen(&Listen { fence: 1, address }).await);
    assert_eq!(status, 400);
    assert!(
        error.starts_with(&format!(
            "cannot listen on {address}: Address already in use"
        )),
        "{error}"
    );
    assert_eq!(stage.edge.state().await.unwrap().listen, None);
    stage.end().await;
}

async fn listens(stage: &Stage, address: SocketAddr) -> anyhow::Result<SocketAddr> {
    let state = stage.edge.listen(&Listen { fence: 1, address }).await?;
    Ok(state.listen.unwrap())
}

#[tokio::test]
async fn an_address_moves_to_others_of_the_same_port_and_back() {
    let stage = Stage::new().await;
    let mut address = listens(&stage, "127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    for ip in ["0.0.0.0", "127.0.0.1"] {
        address.set_ip(ip.parse().unwrap());
        assert_eq!(listens(&stage, address).await.unwrap(), address);
        TcpStream::connect(("127.0.0.1", address.port())).unwrap();
    }
    stage.end().await;
}

#[tokio::test]
async fn an_address_that_cannot_be_written_down_is_not_moved_to() {
    let stage = Stage::new().await;
    let address = listens(&stage, "127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let in_the_way = stage.state.join(".edge.json.tmp");
    while std::fs::create_dir(&in_the_way).is_err() {
        tokio::task::yield_now().await;
    }
    let other = SocketAddr::from(([0, 0, 0, 0], address.port()));
    assert_eq!(refused(listens(&stage, other).await).0, 500);
    assert_eq!(stage.edge.state().await.unwrap().listen, Some(address));
    TcpStream::connect(address).unwrap();
    std::fs::remove_dir(in_the_way).unwrap();
    stage.end().await;
}

#[tokio::test]
async fn a_request_goes_to_a_ready_replica() {
    let stage = Stage::new().await;
    let request = Request {
        method: "POST".into(),
        path: "/chat".into(),
        headers: BTreeMap::from([("x-who".into(), "me".into())]),
        body: "hello".into(),
        within: 20_000,
        replica: None,
    };
    let (status, error) = refused(stage.edge.request("a", &request).await);
    assert_eq!((status, error.as_str()), (503, "no replica of a is ready"));
    stage.scale("a", 1, &stage.recipe("")).await;
    stage.until(ready(1)).await;
    let reply = stage.edge.request("a", &request).await.unwrap();
    assert_eq!(
        (reply.replica, reply.status, reply.body.as_str()),
        (1, Some(200), "1")
    );
    stage.end().await;
}

#[tokio::test]
async fn names_that_cannot_be_files_are_refused() {
    let stage = Stage::new().await;
    let order = ScalePool {
        fence: 1,
        replicas: 1,
        recipe: stage.recipe(""),
    };
    assert_eq!(refused(stage.edge.scale("..", &order).await).0, 400);
    assert_eq!(refused(stage.edge.scale("a%2Fb", &order).await).0, 400);
    stage.end().await;
}

#[tokio::test]
async fn a_folder_with_a_very_long_name_will_do() {
    let stage = Stage::below(&"long".repeat(40)).await;
    assert!(stage.edge.state().await.unwrap().pools.is_empty());
    stage.end().await;
}

#[tokio::test]
async fn two_who_start_an_edge_at_once_get_the_same_one() {
    let stage = Stage::new().await;
    stage.kill_edge().await;
    let program = stand_in(stage.dir.path());
    let (one, two) = tokio::join!(
        Edge::start(&stage.state, &program),
        Edge::start(&stage.state, &program)
    );
    let (one, two) = (
        one.unwrap().state().await.unwrap(),
        two.unwrap().state().await.unwrap(),
    );
    assert_eq!(one.pid, two.pid);
    stage.end().await;
}

#[tokio::test]
async fn an_edge_that_cannot_start_says_why() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("edge.json"), "{").unwrap();
    let error = format!(
        "{:#}",
        Edge::start(dir.path(), &stand_in(dir.path()))
            .await
            .unwrap_err()
    );
    assert!(
        error.contains("it ended with exit status: 1;") && error.contains("cannot understand"),
        "{error}"
    );
}

/// Paused, the clock jumps to the next deadline as soon as nothing else can happen.
#[tokio::test(start_paused = true)]
async fn an_edge_that_hangs_is_told_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let _mute = std::os::unix::net::UnixListener::bind(dir.path().join("edge.sock")).unwrap();
    let edge = Edge::connect(dir.path()).await.unwrap().unwrap();
    let error = edge.state().await.unwrap_err();
    assert!(error.to_string().ends_with(" has not answered for 10s"));
    let hint = &error.downcast_ref::<Advice>().unwrap().hint;
    let kill = format!("`kill -9 {}`", std::process::id());
    assert!(hint.contains(&kill) && hint.contains("edge.log"), "{hint}");
    assert!(edge.watch().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_does_not_answer_is_not_waited_for_without_end() {
    let dir = tempfile::tempdir().unwrap();
    let home = super::super::Home::make(dir.path()).unwrap();
    let hangs = std::fs::File::create(home.lock()).unwrap();
    hangs.lock().unwrap();
    let error = super::super::start(&home, false)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.ends_with("edge.lock and does not answer"), "{error}");
}

#[tokio::test]
async fn nobody_answers_where_no_edge_runs() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Edge::connect(dir.path()).await.unwrap().is_none());
    assert!(
        Edge::connect(&dir.path().join("nothing"))
            .await
            .unwrap()
            .is_none()
    );
}
