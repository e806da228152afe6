//! What is said over the control socket: HTTP/1.1 with JSON bodies on `edge.sock`, mode 0600.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /state` | | [`State`] |
//! | `GET /watch` | | [`State`] as JSON lines: now, and after each change (changes within 10 ms in one) |
//! | `PUT /listen` | [`Listen`] | opens the public address; the same one again does nothing |
//! | `PUT /pools/{name}` | [`ScalePool`] | replicas are started, or drained and stopped, after the answer |
//! | `PUT /traffic` | [`Traffic`] | shares changed: every later request follows them; a new window begins |
//! | `POST /pools/{name}/request` | [`Request`] | [`Reply`]: sent to one ready replica of the pool |
//! | `GET /spent/{epoch}/{place}` | | [`Spent`]: what conversations used, from that place of that epoch on |
//! | `GET /metrics` | | Prometheus text |
//! | `POST /succeed` | | gives its place to the edge that waits in the same folder, then answers |
//! | `POST /stop` | [`Stop`] | drains and stops everything, then the edge itself |
//!
//! Refusals are `409` for a stale fence, `410` from an edge that was told to stop, `400` for what is wrong in the request, `404` and `503`
//! (no ready replica), each with [`Refusal`] as body.

mod measured;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use measured::{Calls, Measures};

/// A piece of an argument or of a variable's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Piece {
    Text(String),
    /// Looked up in the secrets file when a replica is started.
    Secret(String),
    /// The port that this replica is to listen on.
    Port,
}

/// What a replica is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// A process, started in this folder.
    Folder(PathBuf),
    /// A container of the engine that the edge itself runs on.
    Container(Box<Container>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Container {
    /// What names of its containers begin with; the replica's own name follows.
    pub(crate) prefix: String,
    /// The port that every replica listens on.
    pub(crate) port: u16,
    /// The engine's words for a container, but for what differs between replicas: name, command,
    /// environment.
    pub(crate) create: Value,
    /// Secrets that are files in the folder that the edge shares with its replicas.
    pub(crate) secret_files: Vec<String>,
    /// Beside each replica and in its network, by name.
    pub(crate) sidecars: BTreeMap<String, Sidecar>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    pub(crate) create: Value,
    pub(crate) env: BTreeMap<String, Vec<Piece>>,
}

/// How replicas of a pool are started, checked and ended. A pool's recipe never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub(crate) place: Place,
    /// Empty: what a container's image starts.
    pub(crate) command: Vec<Vec<Piece>>,
    pub(crate) env: BTreeMap<String, Vec<Piece>>,
    pub(crate) health: Health,
    pub(crate) drain: Drain,
}

/// All times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    pub(crate) live: Option<String>,
    /// `None`: ready when its port takes a connection.
    pub(crate) ready: Option<String>,
    /// It may have no port: without a `ready`, it is once it has run for a second.
    #[serde(default)]
    pub(crate) is_mute: bool,
    pub(crate) startup: Option<String>,
    pub(crate) startup_within: u64,
    pub(crate) every: u64,
    pub(crate) timeout: u64,
    pub(crate) failures: u32,
}

/// All times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drain {
    pub(crate) grace: u64,
    pub(crate) conversations: u64,
    pub(crate) idle: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listen {
    pub(crate) fence: u64,
    pub(crate) address: SocketAddr,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScalePool {
    pub(crate) fence: u64,
    pub(crate) replicas: u32,
    pub(crate) recipe: Recipe,
}

/// Where a request names its conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Key {
    Header(String),
    Cookie(String),
    Query(String),
    /// A field of a JSON body; `a.b` goes deeper.
    Json(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Traffic {
    pub(crate) fence: u64,
    /// Shares by pool in hundredths of a per cent; they add up to 10,000, or nothing is served.
    pub(crate) shares: BTreeMap<String, u16>,
    pub(crate) keys: Vec<Key>,
    /// Whether a conversation keeps its pool while shares move.
    pub(crate) sticky: bool,
    /// Milliseconds after its beginning when what a conversation has used is told; `None`: nobody
    /// is going to ask.
    #[serde(default)]
    pub(crate) settle: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mirror: Option<Mirror>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arms: Option<Arms>,
}

/// Who begins where is told by requests, and not by turns; shares are nobody's but the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arms {
    /// Where those begin that say one of these, or whose user's lot is below the share.
    pub(crate) pool: String,
    /// All others.
    pub(crate) rest: String,
    pub(crate) says: Vec<(Key, String)>,
    pub(crate) user: Option<Key>,
    /// Of users, in hundredths of a per cent.
    pub(crate) share: u16,
}

/// Copies of requests for a pool that has no share: nobody gets its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mirror {
    pub(crate) pool: String,
    /// In hundredths of a per cent, of conversations that begin and of requests that belong to none.
    pub(crate) share: u16,
    /// Milliseconds after it began when it ends by itself.
    pub(crate) at_most: Option<u64>,
    /// It ends by itself once the pool's answers have told this much cost, in millionths.
    pub(crate) most_cost: Option<u64>,
    pub(crate) capture: Option<Capture>,
}

/// Requests and both their answers, as lines of JSON in a file of the edge's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Capture {
    pub(crate) file: String,
    /// What is left out beside Authorization and cookies.
    pub(crate) redact: Vec<Key>,
}

/// What became of the copies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mirrored {
    /// Copies that were answered, or had been given up.
    pub(crate) copied: u64,
    /// Of those, the ones that were answered with the same status.
    pub(crate) same_status: u64,
    /// And the ones with the same body too: JSON is the same whatever the order of its fields.
    pub(crate) same: u64,
    /// Requests that were to be copied and were not: too large, too many at once, or broken off.
    pub(crate) dropped: u64,
    /// Why nothing is copied any more.
    pub(crate) ended: Option<String>,
    /// Where pairs are written to, and why that does not work.
    pub(crate) file: Option<PathBuf>,
    pub(crate) says: Option<String>,
    /// The requests that were copied, as they were answered to whoever asked.
    pub(crate) beside: Measures,
}

/// What conversations used, and requests that belong to none, in the order in which they began:
/// one entry for each that began since the shares last changed and has settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    /// Another one than before: places are counted anew.
    pub(crate) epoch: u64,
    /// The place after the last one that is told here.
    pub(crate) next: u64,
    /// A bounded number; where it is not empty there may be more.
    pub(crate) units: Vec<Unit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) pool: String,
    pub(crate) used: Used,
}

/// What was told of one conversation; `None`: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cost_micros: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tool_calls: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stop {
    pub(crate) fence: u64,
    /// Do not wait for conversations and open requests.
    pub(crate) now: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// Milliseconds.
    pub(crate) within: u64,
    /// To this replica if it is ready, else to another one.
    #[serde(default)]
    pub(crate) replica: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) replica: u32,
    /// `None`: no answer in time, or none that is HTTP; `says` tells.
    pub(crate) status: Option<u16>,
    /// At most 1 MiB of it, as text.
    pub(crate) body: String,
    pub(crate) millis: u64,
    /// Until the first bytes of the body came.
    #[serde(default)]
    pub(crate) first_millis: Option<u64>,
    pub(crate) says: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) error: String,
    pub(crate) hint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) version: String,
    /// Which program exactly; `None`: it was started by hand.
    #[serde(default)]
    pub(crate) program: Option<String>,
    pub(crate) pid: u32,
    /// Milliseconds since the epoch.
    pub(crate) started: u64,
    pub(crate) fence: u64,
    pub(crate) listen: Option<SocketAddr>,
    /// Where it was told to, and cannot: somebody else has the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closed: Option<SocketAddr>,
    pub(crate) traffic: Traffic,
    /// It was told to stop, and takes no more orders.
    #[serde(default)]
    pub(crate) ending: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mirrored: Option<Mirrored>,
    pub(crate) pools: BTreeMap<String, PoolState>,
}

impl State {
    /// Whether this edge is of another program than this one, and not of a newer version.
    pub(crate) fn is_to_give_way(&self, program: &str) -> bool {
        let version = |text: &str| -> Vec<u64> {
            let numbers = text.split('-').next().unwrap_or_default().split('.');
            numbers.map_while(|number| number.parse().ok()).collect()
        };
        self.program.as_deref() != Some(program) && version(&self.version) <= version(program)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PoolState {
    /// Replicas to be kept up; others of the pool are on their way out.
    pub(crate) wanted: u32,
    pub(crate) replicas: Vec<ReplicaState>,
    /// Conversations that had a request within `drain.idle`.
    pub(crate) conversations: u64,
    /// All requests since the edge first saw the pool.
    pub(crate) total: Measures,
    /// Requests that began since the shares last changed.
    pub(crate) window: Measures,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReplicaState {
    pub(crate) number: u32,
    pub(crate) pid: Option<u32>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) standing: Standing,
    /// Milliseconds since the epoch.
    pub(crate) since: u64,
    /// In a row: counted anew once it was ready for a minute.
    pub(crate) restarts: u32,
    pub(crate) open: u32,
    pub(crate) conversations: u64,
    /// Why it is not ready, in words: "exited with status 1", "answers 503 on /health/ready".
    pub(crate) says: Option<String>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Started, not ready yet, and still within its startup time.
    Coming,
    Ready,
    /// Not ready: past its startup time, failing its checks, or waiting to be started again.
    Unready,
    /// Takes no new conversations, serves the ones it has.
    Leaving,
    /// Takes no requests; told to stop.
    Stopping,
}
