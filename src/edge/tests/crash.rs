//! An edge that was killed, and its successor.

use serde_json::Value;

use super::*;

fn pids(state: &State) -> Vec<Option<u32>> {
    state.pools["a"]
        .replicas
        .iter()
        .map(|replica| replica.pid)
        .collect()
}

fn edit(stage: &Stage, change: impl FnOnce(&mut Value)) {
    let path = stage.state.join("edge.json");
    let mut book = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut book);
    std::fs::write(&path, book.to_string()).unwrap();
}

/// Facts are written down a little after they are told.
async fn until_written(stage: &Stage, what: impl Fn(&str) -> bool) {
    while !what(&std::fs::read_to_string(stage.state.join("edge.json")).unwrap()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn running_replicas_are_taken_back_ready_and_not_restarted() {
    let mut stage = Stage::new().await;
    stage.scale("a", 2, &stage.recipe("")).await;
    let before = stage.until(ready(2)).await;
    until_written(&stage, |book| {
        book.matches("\"standing\":\"ready\"").count() == 2
    })
    .await;
    stage.kill_edge().await;
    stage.start_again().await;
    let after = stage.edge.state().await.unwrap();
    assert!(ready(2)(&after), "{after:?}");
    assert_ne!(before.pid, after.pid);
    let addresses = |state: &State| {
        state.pools["a"]
            .replicas
            .iter()
            .map(|replica| replica.address)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (pids(&before), addresses(&before)),
        (pids(&after), addresses(&after))
    );
    stage.end().await;
}

#[tokio::test]
async fn a_process_that_was_not_written_down_is_found_by_its_marker() {
    let mut stage = Stage::new().await;
    stage.scale("a", 1, &stage.recipe("")).await;
    let before = stage.until(ready(1)).await;
    stage.kill_edge().await;
    edit(&stage, |book| {
        book["pools"]["a"]["replicas"]["1"]["running"] = Value::Null
    });
    stage.start_again().await;
    let after = stage.until(ready(1)).await;
    assert_eq!(pids(&before), pids(&after));
    stage.end().await;
}

#[tokio::test]
async fn a_process_that_is_not_wanted_any_more_is_ended() {
    let mut stage = Stage::new().await;
    stage.scale("a", 1, &stage.recipe("")).await;
    stage.until(ready(1)).await;
    stage.kill_edge().await;
    edit(&stage, |book| book["pools"] = serde_json::json!({}));
    stage.start_again().await;
    let marker = super::super::home::Home::find(&stage.state)
        .unwrap()
        .marker();
    while !super::super::process::find(&marker).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    stage.end().await;
}

#[tokio::test]
async fn one_that_died_meanwhile_is_started_again() {
    let mut stage = Stage::new().await;
    stage.scale("a", 1, &stage.recipe("")).await;
    let before = stage.until(ready(1)).await;
    stage.kill_edge().await;
    let pid = i32::try_from(pids(&before)[0].unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    stage.start_again().await;
    let after = stage
        .until(|state| ready(1)(state) && pids(state) != pids(&before))
        .await;
    assert_eq!(after.pools["a"].wanted, 1);
    stage.end().await;
}

#[tokio::test]
async fn a_stop_goes_on_where_it_was() {
    let mut stage = Stage::new().await;
    let mut recipe = stage.recipe("trap '' TERM; AGENT");
    recipe.drain.grace = 1_000;
    stage.scale("a", 1, &recipe).await;
    stage.until(ready(1)).await;
    stage.scale("a", 0, &recipe).await;
    stage
        .until(|state| standings(state, "a") == [(1, Standing::Stopping)])
        .await;
    stage.kill_edge().await;
    stage.start_again().await;
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
async fn counts_that_cannot_be_read_keep_no_edge_from_starting() {
    let mut stage = Stage::new().await;
    stage.kill_edge().await;
    std::fs::write(stage.state.join("counts.json"), "").unwrap();
    stage.start_again().await;
    let log = stage.log();
    assert!(log.contains("counts.json") && log.contains("what was counted is lost\n"));
    stage.end().await;
}
