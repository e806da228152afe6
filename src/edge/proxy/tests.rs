use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;
use crate::edge::api::{Key, Measures, Standing, Traffic};
use crate::edge::replica::Replica;

mod failures;
mod streams;

/// An edge with one pool, on sockets of its own.
struct Edge {
    table: Arc<Table>,
    address: SocketAddr,
    server: Server,
}

impl Edge {
    fn start() -> Self {
        let table = Table::new();
        let traffic = Traffic {
            shares: [("a".to_owned(), 10_000)].into(),
            keys: vec![Key::Header("x-session".into()), Key::Json("session".into())],
            sticky: true,
            ..Traffic::default()
        };
        table.set_traffic(&traffic, 1);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = serve(listener, &table, 1).unwrap();
        Self {
            table,
            address,
            server,
        }
    }

    fn before(address: SocketAddr) -> (Self, Arc<Replica>) {
        let edge = Self::start();
        let replica = edge.replica(1, address);
        (edge, replica)
    }

    fn replica(&self, number: u32, address: SocketAddr) -> Arc<Replica> {
        let idle = Duration::from_secs(60);
        self.table.add("a", number, address, Standing::Ready, idle)
    }

    async fn client(&self) -> Wire {
        Wire(TcpStream::connect(self.address).await.unwrap())
    }

    /// After its last request has ended.
    async fn measures(&self, replica: &Replica) -> Measures {
        replica.quiet().await;
        self.table.pool_state("a").1
    }
}

/// One end of a connection on which HTTP is spoken by hand.
struct Wire(TcpStream);

impl Wire {
    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads up to and with `end`.
    async fn hear(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        while !heard.ends_with(end.as_bytes()) {
            let byte = self.0.read_u8().await;
            heard.push(byte.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&heard))));
        }
        String::from_utf8(heard).unwrap()
    }

    async fn rest(&mut self) -> String {
        let mut heard = Vec::new();
        let _ = self.0.read_to_end(&mut heard).await;
        String::from_utf8(heard).unwrap()
    }

    async fn ask(&mut self, head: &str, end: &str) -> String {
        self.say(&format!("{head}\r\nhost: agent\r\n\r\n")).await;
        self.hear(end).await
    }
}

/// A replica that does `talk` on each connection it takes; counts them.
async fn replica<F>(talk: impl Fn(Wire) -> F + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, SeqCst);
            tokio::spawn(talk(Wire(stream)));
        }
    });
    (address, taken)
}

/// Answers each request, none of which has a body, with `reply`.
async fn always(reply: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    replica(move |mut wire| async move {
        while wire.0.peek(&mut [0]).await.is_ok_and(|ready| ready > 0) {
            wire.hear("\r\n\r\n").await;
            wire.say(reply).await;
        }
    })
    .await
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let (address, taken) = always(OK).await;
    let (edge, replica) = Edge::before(address);
    let mut client = edge.client().await;
    for _ in 0..5 {
        let reply = client.ask("GET / HTTP/1.1", "ok").await;
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    }
    assert_eq!(taken.load(SeqCst), 1);
    assert_eq!(edge.measures(&replica).await.requests, 5);
}

#[tokio::test]
async fn a_replica_that_leaves_is_left_by_idle_connections() {
    let (left, gone) = oneshot::channel();
    let left = std::sync::Mutex::new(Some(left));
    let (address, _) = self::replica(move |mut wire| {
        let left = left.lock().unwrap().take();
        async move {
            wire.hear("\r\n\r\n").await;
            wire.say(OK).await;
            assert_eq!(wire.rest().await, "");
            left.unwrap().send(()).unwrap();
        }
    })
    .await;
    let (edge, replica) = Edge::before(address);
    edge.client().await.ask("GET / HTTP/1.1", "ok").await;
    replica.stand(Standing::Leaving);
    gone.await.unwrap();
}

#[tokio::test]
async fn head_has_a_length_and_no_body() {
    let (address, _) = always("HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n").await;
    let (edge, replica) = Edge::before(address);
    let mut client = edge.client().await;
    for _ in 0..2 {
        let reply = client.ask("HEAD / HTTP/1.1", "\r\n\r\n").await;
        assert!(reply.contains("content-length: 1234\r\n"), "{reply}");
    }
    assert_eq!(edge.measures(&replica).await.errors, 0);
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_its_end_by_close() {
    let (address, _) =
        always("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").await;
    let (edge, _) = Edge::before(address);
    let mut client = edge.client().await;
    client.say("GET / HTTP/1.0\r\n\r\n").await;
    let reply = client.rest().await;
    assert!(reply.starts_with("HTTP/1.0 200 OK\r\n"), "{reply}");
    assert!(reply.ends_with("\r\n\r\nok"), "{reply}");
}

#[tokio::test]
async fn interim_answers_come_before_the_final_one() {
    let (address, _) = self::replica(|mut wire| async move {
        let head = wire.hear("\r\n\r\n").await;
        assert!(!head.contains("expect"), "{head}");
        wire.hear("ping").await;
        wire.say("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
            .await;
        wire.say(OK).await;
    })
    .await;
    let (edge, _) = Edge::before(address);
    let mut client = edge.client().await;
    let head = "POST / HTTP/1.1\r\ncontent-length: 4\r\nexpect: 100-continue";
    assert_eq!(
        client.ask(head, "\r\n\r\n").await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    client.say("ping").await;
    assert!(client.hear("ok").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_request_waits_for_a_replica() {
    let (address, _) = always(OK).await;
    let edge = Edge::start();
    let mut client = edge.client().await;
    client.say("GET / HTTP/1.1\r\nhost: agent\r\n\r\n").await;
    let replica = edge.replica(1, address);
    client.hear("ok").await;
    assert_eq!(edge.measures(&replica).await.errors, 0);
}

#[tokio::test]
async fn a_json_body_names_its_conversation_and_arrives_whole() {
    let (address, _) = self::replica(|mut wire| async move {
        loop {
            let head = wire.hear("\r\n\r\n").await;
            assert!(head.contains("content-length: 15\r\n"), "{head}");
            wire.hear(r#"{"session":"s"}"#).await;
            wire.say(OK).await;
        }
    })
    .await;
    let (edge, _) = Edge::before(address);
    edge.replica(2, address);
    let mut client = edge.client().await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json";
    for _ in 0..4 {
        let body = "\r\ncontent-length: 15\r\n\r\n{\"session\":\"s\"}";
        client.say(&format!("{head}{body}")).await;
        client.hear("ok").await;
    }
    assert_eq!(edge.table.pool_state("a").0, 1);
    let [conversation] = &edge.table.conversations()[..] else {
        panic!("one conversation");
    };
    assert_eq!(conversation.pool, "a");
}

#[tokio::test]
async fn stopping_ends_idle_connections() {
    let (address, _) = always(OK).await;
    let (edge, _) = Edge::before(address);
    let mut client = edge.client().await;
    client.ask("GET / HTTP/1.1", "ok").await;
    edge.server.stop().await;
    assert_eq!(client.rest().await, "");
}
