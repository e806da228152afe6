//! Replicas that refuse, die and break off; clients that go away.

use super::*;

const BODY: &str = "\r\ncontent-length: 4\r\nhost: a\r\n\r\nping";

/// An address that nobody listens on.
async fn nowhere() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Answers the first request of its first connection only; then hangs up on the next.
async fn once(requests: Arc<AtomicUsize>) -> SocketAddr {
    let connections = AtomicUsize::new(0);
    let talk = move |mut wire: Wire| {
        let first = connections.fetch_add(1, SeqCst) == 0;
        let requests = Arc::clone(&requests);
        async move {
            wire.hear("\r\n\r\n").await;
            requests.fetch_add(1, SeqCst);
            wire.say(OK).await;
            if first {
                wire.hear("\r\n\r\n").await;
                requests.fetch_add(1, SeqCst);
            }
        }
    };
    replica(talk).await.0
}

#[tokio::test]
async fn what_cannot_be_connected_is_tried_elsewhere_and_told() {
    let (good, _) = always(OK).await;
    let edge = Edge::start();
    let bad = edge.replica(1, nowhere().await);
    let other = edge.replica(2, good);
    let mut client = edge.client().await;
    for _ in 0..4 {
        client.ask("GET / HTTP/1.1", "ok").await;
    }
    bad.failing().await;
    assert_eq!(bad.standing(), Standing::Unready);
    let measures = edge.measures(&other).await;
    assert_eq!((measures.requests, measures.errors), (4, 0));
}

#[tokio::test]
async fn a_body_is_sent_to_another_replica_if_the_first_took_no_connection() {
    let (good, _) = replica(|mut wire| async move {
        wire.hear("ping").await;
        wire.say(OK).await;
    })
    .await;
    let edge = Edge::start();
    edge.replica(1, nowhere().await);
    edge.replica(2, good);
    let mut client = edge.client().await;
    client.say(&format!("POST / HTTP/1.1{BODY}")).await;
    client.hear("ok").await;
}

#[tokio::test]
async fn what_could_not_be_sent_waits_for_a_replica() {
    let (good, _) = always(OK).await;
    let edge = Edge::start();
    let bad = edge.replica(1, nowhere().await);
    let mut client = edge.client().await;
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    bad.failing().await;
    let other = edge.replica(2, good);
    client.hear("ok").await;
    let measures = edge.measures(&other).await;
    assert_eq!((measures.requests, measures.errors), (1, 0));
}

#[tokio::test]
async fn a_post_that_was_sent_is_never_sent_again() {
    let (address, taken) = replica(|mut wire| async move {
        wire.hear("ping").await;
    })
    .await;
    let (edge, first) = Edge::before(address);
    edge.replica(2, address);
    let mut client = edge.client().await;
    client.say(&format!("POST / HTTP/1.1{BODY}")).await;
    assert!(client.hear("\r\n").await.starts_with("HTTP/1.1 502 "));
    assert_eq!(taken.load(SeqCst), 1);
    assert_eq!(edge.measures(&first).await.errors, 1);
    assert_eq!(
        first.standing(),
        Standing::Ready,
        "one lost reply is an error"
    );
}

#[tokio::test]
async fn a_kept_connection_that_dies_is_replaced_if_that_does_no_harm() {
    for (method, line, requests) in [
        ("GET", "HTTP/1.1 200 OK", 3),
        ("OPTIONS", "HTTP/1.1 200 OK", 3),
        ("POST", "HTTP/1.1 502 ", 2),
        ("PUT", "HTTP/1.1 502 ", 2),
        ("DELETE", "HTTP/1.1 502 ", 2),
    ] {
        let seen = Arc::new(AtomicUsize::new(0));
        let (edge, _) = Edge::before(once(Arc::clone(&seen)).await);
        let mut client = edge.client().await;
        client.ask("GET / HTTP/1.1", "ok").await;
        let reply = client.ask(&format!("{method} / HTTP/1.1"), "\r\n").await;
        assert!(reply.starts_with(line), "{method}: {reply}");
        assert_eq!(seen.load(SeqCst), requests, "{method}");
    }
}

#[tokio::test]
async fn a_reply_that_breaks_off_breaks_off_for_the_client() {
    for (start, end) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "abc"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "3\r\nabc\r\n",
        ),
    ] {
        let (address, _) = replica(move |mut wire| async move {
            wire.hear("\r\n\r\n").await;
            wire.say(start).await;
        })
        .await;
        let (edge, replica) = Edge::before(address);
        let mut client = edge.client().await;
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let reply = client.rest().await;
        assert!(reply.ends_with(end), "{reply}");
        let measures = edge.measures(&replica).await;
        assert_eq!((measures.requests, measures.errors), (1, 1));
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_request_and_is_no_error() {
    let (say, mut told) = tokio::sync::mpsc::channel(2);
    let (address, _) = replica(move |mut wire| {
        let say = say.clone();
        async move {
            wire.hear("\r\n\r\n").await;
            say.send("heard").await.unwrap();
            wire.rest().await;
            say.send("gone").await.unwrap();
        }
    })
    .await;
    let (edge, replica) = Edge::before(address);
    let mut client = edge.client().await;
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(told.recv().await, Some("heard"));
    drop(client);
    assert_eq!(told.recv().await, Some("gone"));
    let measures = edge.measures(&replica).await;
    assert_eq!((measures.requests, measures.errors), (1, 0));
    assert_eq!(replica.standing(), Standing::Ready);
}

#[tokio::test]
async fn connect_is_refused() {
    let edge = Edge::start();
    let mut client = edge.client().await;
    client.say("CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(client.hear("\r\n").await.starts_with("HTTP/1.1 405 "));
}
