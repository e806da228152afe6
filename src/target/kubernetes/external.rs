//! Secrets that the External Secrets operator fetches: they are in the cluster before the replicas
//! that are started with them, since a pod that misses one counts as one that cannot be started.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::address;
use super::cluster::Cluster;
use super::heard::{Heard, Topic};
use super::orders::name;
use crate::advice::because;

const KIND: &str = "ExternalSecret";

/// How long the operator may take, and how long after it has said that it cannot: it tries again.
const WITHIN: Duration = Duration::from_secs(60);
const ONCE_REFUSED: Duration = Duration::from_secs(10);

impl Cluster {
    /// Returns when what this object names was fetched; `told`: as the cluster answered it.
    pub(super) async fn fetched(self: &Rc<Self>, told: Value) -> Result<()> {
        if told["kind"] != KIND || is_fetched(&told) {
            return Ok(());
        }
        let version = told["apiVersion"].as_str().unwrap_or_default();
        let name = name(&told).to_owned();
        let topic = Topic {
            path: address::all(version, KIND, &self.namespace),
            selectors: format!("&fieldSelector=metadata.name={name}"),
        };
        let mut heard = Heard::from(Rc::clone(self), topic, told);
        let mut deadline = Instant::now() + WITHIN;
        while !heard.objects.get(&name).is_some_and(is_fetched) {
            if heard.objects.get(&name).and_then(ready).is_some() {
                deadline = deadline.min(Instant::now() + ONCE_REFUSED);
            }
            match timeout_at(deadline, heard.news()).await {
                Ok(told) => told?,
                Err(_) => return Err(unfetched(&name, heard.objects.get(&name))),
            }
        }
        Ok(())
    }
}

/// As it is described now: the operator writes down of which generation it was, with a hash.
fn is_fetched(object: &Value) -> bool {
    let is_ready = ready(object).is_some_and(|ready| ready["status"] == "True");
    let of = object["status"]["syncedResourceVersion"].as_str();
    let generation = object["metadata"]["generation"].as_u64().unwrap_or(0);
    is_ready && of.is_none_or(|of| of.starts_with(&format!("{generation}-")))
}

fn ready(object: &Value) -> Option<&Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|one| one["type"] == "Ready")
}

fn unfetched(name: &str, object: Option<&Value>) -> anyhow::Error {
    let what = format!("the cluster did not fetch the secrets of {KIND} {name}");
    let says = object
        .and_then(ready)
        .and_then(|one| one["message"].as_str());
    match says {
        Some(says) => because(
            what,
            says,
            format!("kubectl describe externalsecret {name} tells what its store answered"),
        ),
        None => because(
            what,
            "nobody has said anything of it",
            "see whether the External Secrets operator runs: kubectl get pods -A",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(ready: &str, of: &Value) -> Value {
        json!({
            "kind": KIND,
            "metadata": { "generation": 2 },
            "status": {
                "conditions": [{ "type": "Ready", "status": ready }],
                "syncedResourceVersion": of,
            },
        })
    }

    #[test]
    fn only_what_was_fetched_as_it_is_described_now_is_there() {
        assert!(is_fetched(&told("True", &json!("2-abc"))));
        assert!(is_fetched(&told("True", &Value::Null)));
        assert!(!is_fetched(&told("True", &json!("1-abc"))));
        assert!(!is_fetched(&told("True", &json!("20-abc"))));
        assert!(!is_fetched(&told("False", &json!("2-abc"))));
        assert!(!is_fetched(&json!({ "kind": KIND })));
    }
}
