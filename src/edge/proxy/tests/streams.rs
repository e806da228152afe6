//! What flows while it is still being made: events, uploads, tunnels, and more than memory holds.

use super::*;

const EVENTS: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const LAST: &str = "data: {\"usage\":{\"total_tokens\":42}}\n\n";

/// A replica for one connection, that can hold what the test hands it.
async fn single<T: Send + 'static, F>(
    with: T,
    talk: impl Fn(Wire, T) -> F + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let with = std::sync::Mutex::new(Some(with));
    replica(move |wire| talk(wire, with.lock().unwrap().take().unwrap()))
        .await
        .0
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_sent_and_it_is_in_flight_until_its_end() {
    let (go_on, heard) = oneshot::channel::<()>();
    let address = single(heard, |mut wire, heard| async move {
        wire.hear("\r\n\r\n").await;
        wire.say(&format!("{EVENTS}a\r\ndata: one\n\r\n")).await;
        heard.await.unwrap();
        wire.say(&format!("{:x}\r\n{LAST}\r\n0\r\n\r\n", LAST.len()))
            .await;
    })
    .await;
    let (edge, replica) = Edge::before(address);
    let mut client = edge.client().await;
    client.ask("GET / HTTP/1.1", "data: one\n\r\n").await;
    assert_eq!(replica.open(), 1);
    go_on.send(()).unwrap();
    client.hear("0\r\n\r\n").await;
    let measures = edge.measures(&replica).await;
    assert_eq!((measures.tokens, measures.token_requests), (42, 1));
}

#[tokio::test]
async fn each_chunk_of_an_upload_arrives_before_the_next_is_sent() {
    let (say, arrived) = oneshot::channel();
    let address = single(say, |mut wire, say| async move {
        let head = wire.hear("\r\n\r\n").await;
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        wire.hear("one").await;
        say.send(()).unwrap();
        wire.hear("two\r\n0\r\n\r\n").await;
        wire.say(OK).await;
    })
    .await;
    let (edge, _) = Edge::before(address);
    let mut client = edge.client().await;
    client
        .say("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        .await;
    arrived.await.unwrap();
    client.say("3\r\ntwo\r\n0\r\n\r\n").await;
    client.hear("ok").await;
}

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel_that_is_in_flight_until_both_sides_end() {
    let address = single((), |mut wire, ()| async move {
        let head = wire.hear("\r\n\r\n").await;
        assert!(head.contains("connection: upgrade\r\n"), "{head}");
        assert!(head.contains("upgrade: websocket\r\n"), "{head}");
        wire.say("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nhello").await;
        let heard = wire.hear("ping").await;
        wire.say(&heard).await;
        assert_eq!(wire.rest().await, "");
    })
    .await;
    let (edge, replica) = Edge::before(address);
    let mut client = edge.client().await;
    let head = "GET /chat HTTP/1.1\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket";
    let reply = client.ask(head, "hello").await;
    assert!(reply.starts_with("HTTP/1.1 101 "), "{reply}");
    assert!(reply.contains("upgrade: websocket\r\n"), "{reply}");
    client.say("ping").await;
    client.hear("ping").await;
    assert_eq!(replica.open(), 1);
    drop(client);
    let measures = edge.measures(&replica).await;
    assert_eq!((measures.requests, measures.errors), (1, 0));
}

const LARGE: usize = 256 << 20;

/// The most memory this process has had, in KiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn write_large(wire: &mut (impl AsyncWriteExt + Unpin)) {
    let chunk = vec![b'x'; 64 << 10];
    for _ in 0..LARGE / chunk.len() {
        wire.write_all(&chunk).await.unwrap();
    }
}

async fn read_large(wire: &mut (impl AsyncReadExt + Unpin)) {
    let mut chunk = vec![0; 64 << 10];
    let mut left = LARGE;
    while left > 0 {
        let most = left.min(chunk.len());
        left -= wire.read(&mut chunk[..most]).await.unwrap();
    }
}

/// Memory is counted per process, so these tests have one each: whether this is the one.
fn alone(test: &str) -> bool {
    if std::env::var_os("TEST_ALONE").is_some() {
        return true;
    }
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process
        .env("TEST_ALONE", "1")
        .stdout(std::process::Stdio::null());
    process.arg("--exact");
    process.arg(format!(
        "{}::{test}",
        module_path!().split_once("::").unwrap().1
    ));
    assert!(process.status().unwrap().success());
    false
}

#[tokio::test]
async fn large_bodies_pass_both_ways_at_once_in_little_memory() {
    if !alone("large_bodies_pass_both_ways_at_once_in_little_memory") {
        return;
    }
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n");
    let address = single(head, |mut wire, head| async move {
        wire.hear("\r\n\r\n").await;
        wire.say(&head).await;
        let (mut read, mut write) = wire.0.split();
        tokio::join!(read_large(&mut read), write_large(&mut write));
    })
    .await;
    let (edge, replica) = Edge::before(address);
    let mut client = edge.client().await;
    let before = peak();
    let head = format!("POST / HTTP/1.1\r\ncontent-length: {LARGE}");
    client.ask(&head, "\r\n\r\n").await;
    let (mut read, mut write) = client.0.split();
    tokio::join!(write_large(&mut write), read_large(&mut read));
    assert_eq!(edge.measures(&replica).await.errors, 0);
    assert!(peak() - before < 32 << 10, "{} KiB more", peak() - before);
}

#[tokio::test]
async fn a_large_reply_waits_for_its_client_and_not_in_memory() {
    if !alone("a_large_reply_waits_for_its_client_and_not_in_memory") {
        return;
    }
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n");
    let address = single(head, |mut wire, head| async move {
        wire.hear("\r\n\r\n").await;
        wire.say(&head).await;
        write_large(&mut wire.0).await;
    })
    .await;
    let (edge, replica) = Edge::before(address);
    let mut client = edge.client().await;
    let before = peak();
    client.ask("GET / HTTP/1.1", "\r\n\r\n").await;
    read_large(&mut client.0).await;
    assert_eq!(edge.measures(&replica).await.errors, 0);
    assert!(peak() - before < 32 << 10, "{} KiB more", peak() - before);
}
