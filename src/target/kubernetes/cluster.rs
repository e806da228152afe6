//! The cluster, as far as one agent is concerned: a few verbs over its API, each safe to repeat.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use hyper::{Method, Request};
use kube::Client;
use kube::core::WatchEvent;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout};

use super::address;
use super::reach::{Reached, reach};
use super::references::Referred;
use super::refusal::{self, Place};
use super::served::Served;

/// Whose fields are agentctl's.
pub(super) const MANAGER: &str = "agentctl";

/// A cluster that was reached and is not any more is tried again this long.
const PATIENCE: Duration = Duration::from_secs(120);
const AGAIN: Duration = Duration::from_secs(1);
/// What one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// An agent in a namespace of a cluster.
pub(crate) struct Cluster {
    client: Client,
    pub(super) url: String,
    pub(super) namespace: String,
    pub(super) agent: String,
    /// Empty: it has none.
    pub(super) environment: String,
    /// For messages: `support-agent (staging)`.
    pub(super) title: String,
    /// Other managers' fields are taken over.
    pub(crate) takes_over: Cell<bool>,
    /// A namespace that is missing is made.
    pub(crate) makes_namespace: Cell<bool>,
    pub(super) lacks_namespace: Cell<bool>,
    was_reached: Cell<bool>,
    requests: Cell<u64>,
    /// When a write under the lease was accepted last.
    pub(super) confirmed: Cell<Option<SystemTime>>,
    /// For the first Secret.
    pub(super) salt: RefCell<Option<String>>,
    /// Asked when it is first needed.
    pub(super) served: OnceCell<Served>,
    /// Asked when it is first needed.
    pub(super) referred: OnceCell<Referred>,
    /// What was applied by this process, by its path, and does not have to be again.
    pub(super) applied: RefCell<HashMap<String, Value>>,
}

/// A watch.
pub(super) type Events = LocalBoxStream<'static, Result<WatchEvent<Value>, kube::Error>>;

/// What is sent with a request.
pub(super) enum Body {
    None,
    Json(Value),
    Apply(Value),
    /// What is null in it goes.
    Merge(Value),
}

impl Cluster {
    pub(crate) async fn connect(
        context: Option<&str>,
        namespace: Option<&str>,
        agent: &str,
        environment: Option<&str>,
        title: String,
    ) -> Result<Self> {
        let reached = reach(context, namespace).await?;
        Ok(Self {
            environment: environment.unwrap_or_default().to_owned(),
            ..Self::of(reached, agent, title)
        })
    }

    pub(super) fn of(reached: Reached, agent: &str, title: String) -> Self {
        let Reached {
            client,
            url,
            namespace,
        } = reached;
        Self {
            client,
            url,
            namespace,
            agent: agent.to_owned(),
            environment: String::new(),
            title,
            takes_over: Cell::new(false),
            makes_namespace: Cell::new(false),
            lacks_namespace: Cell::new(false),
            was_reached: Cell::new(false),
            requests: Cell::new(0),
            confirmed: Cell::new(None),
            salt: RefCell::default(),
            served: OnceCell::new(),
            referred: OnceCell::new(),
            applied: RefCell::default(),
        }
    }

    /// Requests that were sent so far; a watch is one.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.get()
    }

    fn place(&self) -> Place<'_> {
        Place {
            url: &self.url,
            namespace: &self.namespace,
        }
    }

    /// `None`: there is none.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Value>> {
        self.there(Method::GET, path, &Body::None, &format!("read {path}"))
            .await
    }

    pub(super) async fn text(&self, path: &str) -> Result<Option<String>> {
        let ask = async || {
            let request = request(&Method::GET, path, &Body::None)?;
            self.client.request_text(request).await
        };
        match self.patiently(&format!("read {path}"), ask).await {
            Err(error) if refusal::code(&error) == Some(404) => Ok(None),
            text => text.map(Some),
        }
    }

    /// Puts it there, as far as its fields are ours.
    pub(super) async fn apply(&self, object: &Value, force: bool) -> Result<Value> {
        self.applied_so(object, force, false).await
    }

    /// The same, and a selector has no more in it than this one: clusters before 1.21 keep what somebody
    /// else added, and then it may select nobody.
    pub(super) async fn apply_alone(&self, object: &Value, force: bool) -> Result<Value> {
        let told = self.apply(object, force).await?;
        let gone = added(&object["spec"]["selector"], &told["spec"]["selector"]);
        if gone.is_empty() {
            return Ok(told);
        }
        let path = address::of(object, &self.namespace)?;
        let query = format!("{path}?fieldManager={MANAGER}");
        let what = format!("apply {}", address::title(object));
        let body = Body::Merge(json!({ "spec": { "selector": gone } }));
        self.ask(Method::PATCH, &query, &body, &what).await
    }

    /// What the object would be like.
    pub(super) async fn would_apply(&self, object: &Value) -> Result<Value> {
        self.applied_so(object, false, true).await
    }

    async fn applied_so(&self, object: &Value, force: bool, dry: bool) -> Result<Value> {
        let path = address::of(object, &self.namespace)?;
        let force = force || self.takes_over.get();
        let dry = if dry { "&dryRun=All" } else { "" };
        let query = format!("{path}?fieldManager={MANAGER}&force={force}{dry}");
        let what = format!("apply {}", address::title(object));
        let mut object = object.clone();
        keyed(&mut object);
        let body = Body::Apply(object);
        self.ask(Method::PATCH, &query, &body, &what).await
    }

    /// What depends on it goes too, without waiting; `false`: there was none.
    pub(super) async fn delete(&self, path: &str) -> Result<bool> {
        let query = format!("{path}?propagationPolicy=Background");
        let what = format!("delete {path}");
        let gone = self.there(Method::DELETE, &query, &Body::None, &what).await;
        Ok(gone?.is_some())
    }

    /// `None`: there is none.
    async fn there(
        &self,
        method: Method,
        path: &str,
        body: &Body,
        what: &str,
    ) -> Result<Option<Value>> {
        match self.ask(method, path, body, what).await {
            Err(error) if refusal::code(&error) == Some(404) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// # Errors
    /// `Refused` where the cluster says no.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Body,
        what: &str,
    ) -> Result<Value> {
        let ask = async || self.client.request(request(&method, path, body)?).await;
        self.patiently(what, ask).await
    }

    /// Changes from this version on; the cluster ends it after some minutes.
    pub(super) async fn watch(&self, path: &str, selectors: &str, version: &str) -> Result<Events> {
        let query =
            format!("{path}?watch=1&allowWatchBookmarks=true&resourceVersion={version}{selectors}");
        let ask = async || {
            let request = request(&Method::GET, &query, &Body::None)?;
            let events = self.client.request_events::<Value>(request).await?;
            Ok(events.boxed_local())
        };
        self.patiently(&format!("watch {path}"), ask).await
    }

    /// The raw answer, whatever its status.
    pub(super) async fn through(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<hyper::Response<kube::client::Body>> {
        self.requests.set(self.requests.get() + 1);
        let sent = self.client.send(request.map(kube::client::Body::from));
        sent.await
            .map_err(|error| refusal::of_way(&error, &self.place()))
    }

    async fn patiently<T>(
        &self,
        what: &str,
        ask: impl AsyncFn() -> Result<T, kube::Error>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            self.requests.set(self.requests.get() + 1);
            let error = match timeout(ANSWER, ask()).await {
                Ok(Ok(answer)) => {
                    self.was_reached.set(true);
                    return Ok(answer);
                }
                Ok(Err(error)) => Some(error),
                Err(_) => None,
            };
            let may_wait = self.was_reached.get() && begun.elapsed() < PATIENCE;
            if !may_wait || !error.as_ref().is_none_or(is_passing) {
                return Err(self.in_words(error.as_ref(), what));
            }
            sleep(AGAIN).await;
        }
    }

    /// `None`: there was no answer in time.
    fn in_words(&self, error: Option<&kube::Error>, what: &str) -> anyhow::Error {
        match error {
            None => refusal::late(what, &self.place()),
            Some(kube::Error::Api(status)) => refusal::of_status(status, what, &self.place()),
            Some(error) => refusal::of_way(error, &self.place()),
        }
    }
}

fn request(method: &Method, path: &str, body: &Body) -> Result<Request<Vec<u8>>, kube::Error> {
    let (kind, bytes) = match body {
        Body::None => (None, Vec::new()),
        Body::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
        // JSON is YAML.
        Body::Apply(value) => (
            Some("application/apply-patch+yaml"),
            value.to_string().into_bytes(),
        ),
        Body::Merge(value) => (
            Some("application/merge-patch+json"),
            value.to_string().into_bytes(),
        ),
    };
    let mut request = Request::builder().method(method).uri(path);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(bytes).map_err(kube::Error::HttpError)
}

/// What takes away again that was added.
fn added(ours: &Value, told: &Value) -> Map<String, Value> {
    let told = told.as_object().into_iter().flatten();
    let added = told.filter(|(key, _)| ours.get(key).is_none());
    added.map(|(key, _)| (key.clone(), Value::Null)).collect()
}

/// Ports are known by number and protocol, and clusters before 1.21 do not fill in the usual one here.
fn keyed(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(keyed),
        Value::Object(fields) => {
            let is_port = fields.contains_key("containerPort") || fields.contains_key("targetPort");
            if is_port {
                fields.entry("protocol").or_insert_with(|| "TCP".into());
            }
            fields.values_mut().for_each(keyed);
        }
        _ => {}
    }
}

/// The cluster is away for a moment, or has too much to do.
fn is_passing(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 429 | 502..=504),
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
