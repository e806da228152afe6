//! Services and tools of the agent, which have to be well before it starts: an agent that finds no
//! database ends, and looks as if it were broken itself.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::address;
use super::cluster::Cluster;
use super::count::not_made;
use super::heard::{Heard, Objects, Topic};
use super::pods::{Standing, standing};
use super::world::NAME;
use crate::advice::because;
use crate::render::{Beside, beside};
use crate::spec::Spec;

/// What a start may take beyond its own time: a node is found, an image pulled.
const PULLED: Duration = Duration::from_secs(300);
/// One that has ended so often before it was well is not waited for any longer.
const RESTARTS: u32 = 3;

/// The label that says which description of a set a pod is of.
const REVISION: &str = "controller-revision-hash";

/// How one of them stands.
#[derive(Debug, PartialEq, Eq)]
enum Stands {
    Well,
    /// With what is in the way, if that is known.
    Comes(Option<String>),
    Fails(String),
}

/// One of them, as it was heard of up to now.
struct Standby<'a> {
    one: &'a Beside<'a>,
    cluster: Rc<Cluster>,
    workloads: Heard,
    pods: Heard,
    warnings: Heard,
}

impl Cluster {
    /// Returns when all are well.
    pub(crate) async fn stand_by(
        self: &Rc<Self>,
        spec: &Spec,
        say: &mut dyn FnMut(String),
    ) -> Result<()> {
        for one in &beside(spec) {
            let mut standby = Standby::of(self, one).await?;
            if standby.stands() != Stands::Well {
                say(format!("waiting for {}", one.name));
                standby.wait(say).await?;
                say(format!("{} is ready", one.name));
            }
        }
        Ok(())
    }
}

impl<'a> Standby<'a> {
    async fn of(cluster: &Rc<Cluster>, one: &'a Beside<'a>) -> Result<Self> {
        let labels = format!(
            "{NAME}={},app.kubernetes.io/part-of={}",
            one.name, cluster.agent
        );
        let about = "involvedObject.kind=Pod,type=Warning";
        let labelled = address::labelled(&labels);
        let events = format!("&fieldSelector={}", address::escaped(about));
        let hear = async |version: &str, kind: &str, selectors: &str| {
            let topic = Topic {
                path: address::all(version, kind, &cluster.namespace),
                selectors: selectors.to_owned(),
            };
            Heard::of(Rc::clone(cluster), topic).await
        };
        Ok(Self {
            one,
            workloads: hear("apps/v1", kind(one), &labelled).await?,
            pods: hear("v1", "Pod", &labelled).await?,
            warnings: hear("v1", "Event", &events).await?,
            cluster: Rc::clone(cluster),
        })
    }

    async fn wait(&mut self, say: &mut dyn FnMut(String)) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(self.one.startup) + PULLED;
        let mut said = None;
        loop {
            let why = match self.stands() {
                Stands::Well => return Ok(()),
                Stands::Fails(why) => return Err(self.failed(why)),
                Stands::Comes(why) => why,
            };
            if let Some(why) = why.as_ref().filter(|why| said.as_ref() != Some(*why)) {
                say(format!("{} {why}", self.one.name));
                said = Some(why.clone());
            }
            match timeout_at(deadline, self.news()).await {
                Ok(told) => told?,
                Err(_) => {
                    let why = why.unwrap_or_else(|| "it is not ready in time".to_owned());
                    return Err(self.failed(why));
                }
            }
        }
    }

    async fn news(&mut self) -> Result<()> {
        tokio::select! {
            told = self.workloads.news() => told,
            told = self.pods.news() => told,
            told = self.warnings.news() => told,
        }
    }

    fn stands(&self) -> Stands {
        let workload = self.workloads.objects.get(self.one.name);
        let warnings: Vec<&Value> = self.warnings.objects.values().collect();
        workload.map_or(Stands::Comes(None), |workload| {
            stands(workload, &self.pods.objects, &warnings)
        })
    }

    fn failed(&self, why: String) -> anyhow::Error {
        let Self { one, cluster, .. } = self;
        let (name, namespace) = (one.name, &cluster.namespace);
        let mut hint = format!(
            "kubectl logs -n {namespace} -l {NAME}={name} shows what it wrote; nothing of the agent was \
             changed"
        );
        if self.was_another() {
            let kind = kind(one).to_lowercase();
            hint += &format!(
                "; kubectl rollout undo -n {namespace} {kind}/{name} brings back what ran before"
            );
        }
        because(format!("could not start {name}"), why, hint)
    }

    fn was_another(&self) -> bool {
        let workload = self.workloads.objects.get(self.one.name);
        workload.is_some_and(|one| one["metadata"]["generation"].as_u64() > Some(1))
    }
}

/// With a disk of its own it is a StatefulSet, which keeps it.
fn kind(one: &Beside) -> &'static str {
    match one.has_disk() {
        true => "StatefulSet",
        false => "Deployment",
    }
}

/// Only pods of its newest description count: what they replace may be what was wrong before.
fn stands(workload: &Value, pods: &Objects, warnings: &[&Value]) -> Stands {
    let status = &workload["status"];
    if status["observedGeneration"] != workload["metadata"]["generation"] {
        return Stands::Comes(None);
    }
    if let Some(says) = not_made(workload) {
        return Stands::Fails(says);
    }
    let is_ready = status["readyReplicas"].as_u64() > Some(0);
    let all = || pods.values();
    match status["updateRevision"].as_str() {
        // Such a Deployment ends its old pods before it makes new ones.
        None if status["updatedReplicas"].as_u64().unwrap_or(0) == 0 => Stands::Comes(None),
        None if is_ready => Stands::Well,
        None => newest_stands(all(), warnings),
        Some(revision) => {
            let (new, old): (Vec<&Value>, Vec<&Value>) =
                all().partition(|pod| pod["metadata"]["labels"][REVISION] == revision);
            match (new.is_empty(), old.first()) {
                (true, Some(old)) => Stands::Comes(replaced_when_ready(old)),
                (false, None) if is_ready => Stands::Well,
                _ => newest_stands(new.into_iter(), warnings),
            }
        }
    }
}

/// A set waits for its pods to be well before it replaces them, even with what would mend them.
fn replaced_when_ready(old: &Value) -> Option<String> {
    match standing(old, true, &[]) {
        Standing::Ready | Standing::Leaving | Standing::Over => None,
        _ => {
            let name = old["metadata"]["name"].as_str().unwrap_or_default();
            Some(format!(
                "{name} is as it was before and not ready, and the cluster does not replace it until it \
                 is: kubectl delete pod {name}"
            ))
        }
    }
}

fn newest_stands<'a>(pods: impl Iterator<Item = &'a Value>, warnings: &[&Value]) -> Stands {
    let made = |pod: &&Value| {
        let made = pod["metadata"]["creationTimestamp"].as_str();
        made.map(str::to_owned)
    };
    pods.max_by_key(made)
        .map_or(Stands::Comes(None), |pod| pod_stands(pod, warnings))
}

fn pod_stands(pod: &Value, warnings: &[&Value]) -> Stands {
    let about = |event: &&&Value| event["involvedObject"]["uid"] == pod["metadata"]["uid"];
    let mut warnings: Vec<&Value> = warnings.iter().filter(about).copied().collect();
    warnings.sort_by_key(|event| event["lastTimestamp"].as_str().unwrap_or_default());
    match standing(pod, true, &warnings) {
        Standing::Hopeless(why) => Stands::Fails(why),
        Standing::Exits(times, why) if times >= RESTARTS => {
            Stands::Fails(format!("{why}, {times} times in a row"))
        }
        Standing::Exits(_, why) => Stands::Comes(Some(why)),
        Standing::Coming(why) => Stands::Comes(why),
        // Its workload has not heard of it yet.
        Standing::Ready | Standing::Leaving | Standing::Over => Stands::Comes(None),
    }
}

#[cfg(test)]
mod tests;
