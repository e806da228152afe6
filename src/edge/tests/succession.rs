//! An edge that gives its place to another one, under requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::edge::api::{Listen, Traffic};

impl Stage {
    /// Open to clients, all of whose requests go to `a`.
    async fn opened(&self) -> std::net::SocketAddr {
        let address = "127.0.0.1:0".parse().unwrap();
        let state = self.edge.listen(&Listen { fence: 1, address }).await;
        let shares = BTreeMap::from([("a".to_owned(), 10_000)]);
        let order = Traffic {
            fence: 1,
            shares,
            ..Traffic::default()
        };
        self.edge.traffic(&order).await.unwrap();
        state.unwrap().listen.unwrap()
    }

    /// Another edge takes the place of the one that runs.
    async fn renewed(&mut self) {
        let before = self.pid;
        let program = self.dir.path().join("agentctl");
        let mut text = std::fs::read_to_string(&program).unwrap();
        text.push_str("# another program\n");
        std::fs::write(&program, text).unwrap();
        self.edge = self
            .edge
            .clone()
            .renew(&self.state, &program)
            .await
            .unwrap();
        self.pid = pid(&self.edge).await;
        assert_ne!(self.pid, before);
    }
}

/// Sends its number at once, and the end of its reply when there is a file `over`.
const SLOW: &str = r#"exec python3 -c '
import http.server, os, time
class Agent(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "10")
        self.end_headers()
        if self.path != "/slow":
            self.wfile.write(b"0123456789")
            return
        self.wfile.write(b"begin")
        while not os.path.exists("over"): time.sleep(0.01)
        self.wfile.write(b" end.")
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Agent).serve_forever()
'"#;

async fn asked(stream: &mut TcpStream, path: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
}

async fn heard(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(read > 0, "broken off after {text:?}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    text
}

#[tokio::test]
async fn no_request_notices() {
    let mut stage = Stage::new().await;
    let mut recipe = stage.recipe(SLOW);
    recipe.health.live = None;
    recipe.health.ready = None;
    recipe.drain.grace = 60_000;
    stage.scale("a", 1, &recipe).await;
    stage.until(ready(1)).await;
    let address = stage.opened().await;
    let [mut slow, mut kept] = [
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    ];
    asked(&mut slow, "/slow").await;
    heard(&mut slow, "begin").await;
    asked(&mut kept, "/").await;
    heard(&mut kept, "0123456789").await;

    stage.renewed().await;
    let state = stage.edge.state().await.unwrap();
    assert_eq!(state.listen, Some(address));
    assert!(ready(1)(&state), "{state:?}");
    // Who stayed connected is served once more, and told to come anew.
    asked(&mut kept, "/").await;
    let answer = heard(&mut kept, "0123456789").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"));
    let mut fresh = TcpStream::connect(address).await.unwrap();
    asked(&mut fresh, "/").await;
    assert!(!heard(&mut fresh, "0123456789").await.contains("close"));
    // A reply that the first edge still passes on keeps its replica from being stopped.
    stage.scale("a", 0, &recipe).await;
    let stopping = |state: &State| standings(state, "a") == [(1, Standing::Stopping)];
    let open = |state: &State| state.pools["a"].replicas[0].open;
    assert_eq!(open(&stage.until(stopping).await), 1);
    std::fs::write(stage.dir.path().join("over"), "").unwrap();
    heard(&mut slow, " end.").await;
    drop(slow);
    stage.until(|state| standings(state, "a").is_empty()).await;
    assert!(!stage.log().contains("does not stop when told"));
    while !stage.log().contains("the edge before this one has ended") {
        tokio::task::yield_now().await;
    }
    stage.end().await;
}

#[tokio::test]
async fn it_is_kept_by_its_own_program_and_by_an_older_one() {
    let stage = Stage::new().await;
    let program = stage.dir.path().join("agentctl");
    let before = stage.pid;
    let same = stage
        .edge
        .clone()
        .renew(&stage.state, &program)
        .await
        .unwrap();
    assert_eq!(pid(&same).await, before);
    let state = State {
        version: "0.2.0".to_owned(),
        ..same.state().await.unwrap()
    };
    assert!(!state.is_to_give_way("0.1.9-0123456789"));
    assert!(state.is_to_give_way("0.10.0-0123456789"));
    stage.end().await;
}

#[tokio::test]
async fn an_edge_that_is_killed_with_its_successor_leaves_its_replicas() {
    let mut stage = Stage::new().await;
    stage.scale("a", 1, &stage.recipe("")).await;
    let before = stage.until(ready(1)).await;
    stage.opened().await;
    stage.renewed().await;
    stage.kill_edge().await;
    stage.start_again().await;
    let after = stage.until(ready(1)).await;
    let pid = |state: &State| state.pools["a"].replicas[0].pid;
    assert_eq!(pid(&before), pid(&after));
    stage.end().await;
}
