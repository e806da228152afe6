//! What the cluster tells by itself of the objects of one kind.
//!
//! A list, then a watch from its version on; a watch that ended goes on where it was, and where that
//! is too long ago it begins with a list again. Nothing is asked twice without need.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt;
use futures_util::stream::{self, LocalBoxStream};
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::time::sleep;

use super::cluster::{Cluster, Events};
use super::refusal;

/// The version is too long ago.
const GONE: u16 = 410;
/// A watch that ends at once must not become a loop.
const BREATH: Duration = Duration::from_millis(500);

/// By name.
pub(super) type Objects = BTreeMap<String, Value>;

pub(super) enum Change {
    All(Vec<Value>),
    Put(Value),
    Gone(Value),
}

/// What is listened to.
#[derive(Clone)]
pub(super) struct Topic {
    pub(super) path: String,
    /// `&labelSelector=…&fieldSelector=…`
    pub(super) selectors: String,
}

struct Feed {
    cluster: Rc<Cluster>,
    topic: Topic,
    version: Option<String>,
    watch: Option<Events>,
}

/// Changes without an end; begins with `Change::All`.
pub(super) fn feed(cluster: Rc<Cluster>, topic: Topic) -> LocalBoxStream<'static, Result<Change>> {
    feed_from(cluster, topic, None)
}

/// Changes since a version that is known; without one, as `feed`.
fn feed_from(
    cluster: Rc<Cluster>,
    topic: Topic,
    version: Option<String>,
) -> LocalBoxStream<'static, Result<Change>> {
    let feed = Feed {
        cluster,
        topic,
        version,
        watch: None,
    };
    stream::unfold(feed, |mut feed| async move {
        let change = feed.next().await;
        Some((change, feed))
    })
    .boxed_local()
}

impl Feed {
    async fn next(&mut self) -> Result<Change> {
        loop {
            let Some(version) = self.version.clone() else {
                return self.list().await.map(Change::All);
            };
            let Some(watch) = &mut self.watch else {
                self.open(&version).await?;
                continue;
            };
            match watch.next().await {
                Some(Ok(event)) => {
                    if let Some(change) = self.heard(event) {
                        return Ok(change);
                    }
                }
                Some(Err(_)) | None => {
                    self.watch = None;
                    sleep(BREATH).await;
                }
            }
        }
    }

    async fn list(&mut self) -> Result<Vec<Value>> {
        let query = format!("{}?{}", self.topic.path, self.topic.selectors);
        let mut list = self.cluster.get(&query).await?.unwrap_or_default();
        self.version = version_of(&list).or_else(|| Some("0".to_owned()));
        Ok(match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        })
    }

    async fn open(&mut self, version: &str) -> Result<()> {
        let Topic { path, selectors } = &self.topic;
        match self.cluster.watch(path, selectors, version).await {
            Ok(watch) => self.watch = Some(watch),
            Err(error) if refusal::code(&error) == Some(GONE) => self.version = None,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn heard(&mut self, event: WatchEvent<Value>) -> Option<Change> {
        let (change, version) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                let version = version_of(&object);
                (Some(Change::Put(object)), version)
            }
            WatchEvent::Deleted(object) => {
                let version = version_of(&object);
                (Some(Change::Gone(object)), version)
            }
            WatchEvent::Bookmark(mark) => (None, Some(mark.metadata.resource_version)),
            WatchEvent::Error(_) => {
                self.watch = None;
                self.version = None;
                return None;
            }
        };
        self.version = version.or_else(|| self.version.take());
        change
    }
}

fn version_of(object: &Value) -> Option<String> {
    let version = object["metadata"]["resourceVersion"].as_str()?;
    Some(version.to_owned())
}

fn name_of(object: &Value) -> Option<String> {
    Some(object["metadata"]["name"].as_str()?.to_owned())
}

/// Whether this is no older than what is known; versions count up.
fn is_newer(object: &Value, known: Option<&Value>) -> bool {
    let number = |object: &Value| version_of(object)?.parse::<u64>().ok();
    match (number(object), known.and_then(number)) {
        (Some(new), Some(old)) => new >= old,
        _ => true,
    }
}

/// News that is older than what an answer told already changes nothing.
pub(super) fn put(objects: &mut Objects, object: Value) {
    if let Some(name) = name_of(&object)
        && is_newer(&object, objects.get(&name))
    {
        objects.insert(name, object);
    }
}

pub(super) fn take_in(objects: &mut Objects, change: Change) {
    match change {
        Change::All(all) => {
            let named = all
                .into_iter()
                .filter_map(|object| Some((name_of(&object)?, object)));
            *objects = named.collect();
        }
        Change::Put(object) => put(objects, object),
        Change::Gone(object) => {
            if let Some(name) = name_of(&object)
                && is_newer(&object, objects.get(&name))
            {
                objects.remove(&name);
            }
        }
    }
}

/// One kind, as it was heard of up to now.
pub(super) struct Heard {
    pub(super) objects: Objects,
    feed: LocalBoxStream<'static, Result<Change>>,
}

impl Heard {
    /// All that there is now.
    pub(super) async fn of(cluster: Rc<Cluster>, topic: Topic) -> Result<Self> {
        let mut heard = Self {
            objects: Objects::new(),
            feed: feed(cluster, topic),
        };
        if let Some(first) = heard.feed.next().await {
            take_in(&mut heard.objects, first?);
        }
        Ok(heard)
    }

    /// This one object, as an answer told it, and what becomes of it.
    pub(super) fn from(cluster: Rc<Cluster>, topic: Topic, object: Value) -> Self {
        let version = version_of(&object);
        let mut objects = Objects::new();
        put(&mut objects, object);
        Self {
            objects,
            feed: feed_from(cluster, topic, version),
        }
    }

    /// Waits for the next change.
    pub(super) async fn news(&mut self) -> Result<()> {
        if let Some(change) = self.feed.next().await {
            take_in(&mut self.objects, change?);
        }
        Ok(())
    }

    /// What came in meanwhile; waits for nothing.
    pub(super) fn catch_up(&mut self) -> Result<()> {
        use futures_util::FutureExt;
        while let Some(Some(change)) = self.feed.next().now_or_never() {
            take_in(&mut self.objects, change?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str, what: u32) -> Value {
        json!({ "metadata": { "name": "bot", "resourceVersion": version }, "what": what })
    }

    #[test]
    fn what_an_answer_told_is_not_undone_by_older_news() {
        let mut objects = Objects::new();
        take_in(&mut objects, Change::All(vec![object("5", 1)]));
        put(&mut objects, object("9", 2));
        take_in(&mut objects, Change::Put(object("7", 1)));
        take_in(&mut objects, Change::Gone(object("8", 1)));
        assert_eq!(objects["bot"]["what"], 2);
        take_in(&mut objects, Change::Gone(object("10", 2)));
        assert!(objects.is_empty());
    }
}
