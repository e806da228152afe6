//! Probes: one request each to the candidate, and what must come back.

use anyhow::Result;

use super::Engine;
use super::perform::Failure;
use crate::journal::Store;
use crate::rollout::Why;
use crate::spec::{Expect, Probe};
use crate::target::{Reply, Target};

/// How much of an unexpected reply is shown.
const SHOWN: usize = 200;

impl<T: Target, S: Store> Engine<'_, T, S> {
    pub(super) async fn probe(&self) -> Result<(), Failure> {
        let plan = self.rollout.plan();
        for probe in &plan.probes {
            let within = probe.expect.within.as_millis();
            let reply = self.target.request(plan.to, &probe.request, within).await?;
            if let Err(says) = expected(&probe.expect, &reply) {
                let says = format!("{}: {}-{} {says}", name(probe), plan.to, reply.replica);
                let seen = self.target.observe().await?;
                return Err(Failure::new(Why::Probe, says).seeing(&seen));
            }
        }
        Ok(())
    }
}

fn name(probe: &Probe) -> String {
    match &probe.name {
        Some(name) => format!("probe {name}"),
        None => format!("probe {} {}", probe.request.method, probe.request.path),
    }
}

fn expected(expect: &Expect, reply: &Reply) -> Result<(), String> {
    let Some(status) = reply.status else {
        let says = reply.says.as_deref().unwrap_or("gave no answer");
        return Err(says.to_owned());
    };
    if status != expect.status {
        return Err(format!(
            "answered {status} instead of {}: {}",
            expect.status,
            shown(&reply.body)
        ));
    }
    if reply.millis > expect.within.as_millis() {
        return Err(format!("took {} ms of {}", reply.millis, expect.within));
    }
    match &expect.json {
        Some(path) => found(path, &reply.body),
        None => Ok(()),
    }
}

fn found(path: &str, body: &str) -> Result<(), String> {
    let path = serde_json_path::JsonPath::parse(path).map_err(|error| error.to_string())?;
    let json: serde_json::Value = serde_json::from_str(body)
        .map_err(|_| format!("answered with what is not JSON: {}", shown(body)))?;
    match path.query(&json).is_empty() {
        true => Err(format!("answered without {path}: {}", shown(body))),
        false => Ok(()),
    }
}

fn shown(body: &str) -> String {
    match body.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &body[..end]),
        None => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Period;

    #[test]
    fn what_must_come_back() {
        let expect = Expect {
            status: 200,
            json: Some("$.reply".to_owned()),
            within: Period::secs(1),
        };
        let reply = |status, body: &str, millis| Reply {
            replica: 1,
            status,
            body: body.to_owned(),
            millis,
            says: None,
        };
        let cases = [
            (reply(Some(200), r#"{"reply":"hi"}"#, 5), Ok(())),
            (
                reply(Some(200), r#"{"reply":"hi"}"#, 1001),
                Err("took 1001 ms of 1s"),
            ),
            (
                reply(Some(200), "{}", 5),
                Err("answered without $.reply: {}"),
            ),
            (
                reply(Some(200), "<html>", 5),
                Err("answered with what is not JSON: <html>"),
            ),
            (
                reply(Some(500), "oops", 5),
                Err("answered 500 instead of 200: oops"),
            ),
            (reply(None, "", 5), Err("gave no answer")),
        ];
        for (reply, result) in cases {
            assert_eq!(expected(&expect, &reply), result.map_err(str::to_owned));
        }
    }
}
