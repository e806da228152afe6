//! One request to one pod, through the cluster's API: no way in has to be open for it.

use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::Request;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::Kubernetes;
use super::pods::Standing;
use crate::advice::advice;
use crate::release::ReleaseId;
use crate::spec::ProbeRequest;
use crate::target::{Reply, orders};

impl Kubernetes {
    pub(super) async fn asked(
        &self,
        release: ReleaseId,
        request: &ProbeRequest,
        within: u64,
        wanted: Option<u32>,
    ) -> Result<Reply> {
        let (replica, path) = self.ready_pod(release, wanted).await?;
        let request = built(&path, request)?;
        let begun = Instant::now();
        let mut first = None;
        let answer = self.answer(request, &mut first);
        let answered = timeout(Duration::from_millis(within), answer).await;
        let first = first.map(|at: Instant| at.duration_since(begun).as_millis() as u64);
        let reply = |status, body, says| Reply {
            replica,
            status,
            body,
            millis: begun.elapsed().as_millis() as u64,
            first_millis: first,
            says,
        };
        Ok(match answered {
            Err(_) => {
                let says = format!("gave no answer within {within} ms");
                reply(None, String::new(), Some(says))
            }
            Ok(answer) => match answer? {
                (_, body) if is_unreached(&body).is_some() => {
                    let says = is_unreached(&body).map(|says| format!("gave no answer: {says}"));
                    reply(None, String::new(), says)
                }
                (status, body) => reply(Some(status), body, None),
            },
        })
    }

    /// `first`: when the first bytes of the body came.
    async fn answer(
        &self,
        request: Request<Vec<u8>>,
        first: &mut Option<Instant>,
    ) -> Result<(u16, String)> {
        let answer = self.cluster.through(request).await?;
        let status = answer.status().as_u16();
        let (mut body, mut bytes) = (answer.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.context("the answer broke off")?;
            first.get_or_insert_with(Instant::now);
            bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| &data[..]));
        }
        let body = String::from_utf8_lossy(&bytes).into_owned();
        match refused(&body) {
            Some(says) => Err(advice(
                format!("could not ask a replica: {says}"),
                "probes go through the cluster's API: that takes the right to use pods/proxy",
            )),
            None => Ok((status, body)),
        }
    }

    /// Its number, and the way to it.
    async fn ready_pod(&self, release: ReleaseId, wanted: Option<u32>) -> Result<(u32, String)> {
        self.with_world(async |world, _| {
            world.catch_up()?;
            let things = &world.things;
            let all = things.standings(release).into_iter();
            let ready = all.filter(|(_, _, standing)| *standing == Standing::Ready);
            let ready = ready.min_by_key(|(number, _, _)| wanted.is_some_and(|it| it != *number));
            let (number, pod, _) =
                ready.with_context(|| format!("no replica of {release} is ready"))?;
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let port =
                port(pod).with_context(|| format!("{release} has no port to be asked at"))?;
            let namespace = &things.namespace;
            Ok((
                number,
                format!("/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy"),
            ))
        })
        .await
    }
}

fn port(pod: &Value) -> Option<u64> {
    let containers = pod["spec"]["containers"].as_array()?;
    let mut ports = containers
        .iter()
        .filter_map(|container| container["ports"].as_array())
        .flatten();
    let main = ports.find(|port| port["name"] == "http")?;
    main["containerPort"].as_u64()
}

fn built(way: &str, request: &ProbeRequest) -> Result<Request<Vec<u8>>> {
    let wanted = orders::request(request, 0, None);
    let path = match wanted.path.starts_with('/') {
        true => wanted.path,
        false => format!("/{}", wanted.path),
    };
    let mut built = Request::builder()
        .method(wanted.method.as_str())
        .uri(format!("{way}{path}"));
    for (name, value) in &wanted.headers {
        built = built.header(name, value);
    }
    Ok(built.body(wanted.body.into_bytes())?)
}

/// The cluster's own words where it could not reach the pod.
fn is_unreached(body: &str) -> Option<String> {
    let says = body.trim();
    let is_it = says.starts_with("Error trying to reach service")
        || says.starts_with("error trying to reach service");
    is_it.then(|| says.to_owned()).or_else(|| {
        let status = status(body)?;
        let message = status["message"].as_str()?;
        message
            .contains("error trying to reach service")
            .then(|| message.to_owned())
    })
}

/// Why the cluster itself would not.
fn refused(body: &str) -> Option<String> {
    let status = status(body)?;
    let reason = status["reason"].as_str().unwrap_or_default();
    let is_it = matches!(reason, "Forbidden" | "Unauthorized" | "NotFound");
    is_it.then(|| status["message"].as_str().unwrap_or(reason).to_owned())
}

fn status(body: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(body).ok()?;
    let is_it = value["kind"] == "Status" && value["apiVersion"] == "v1";
    is_it.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clusters_own_answers_are_told_from_the_agents() {
        let forbidden =
            r#"{"kind":"Status","apiVersion":"v1","reason":"Forbidden","message":"no"}"#;
        assert_eq!(refused(forbidden).unwrap(), "no");
        assert_eq!(refused(r#"{"kind":"Status","reason":"Forbidden"}"#), None);
        let unreached = "error trying to reach service: dial tcp: connection refused";
        assert_eq!(is_unreached(unreached).unwrap(), unreached);
        assert_eq!(is_unreached("hello"), None);
    }
}
