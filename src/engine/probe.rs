//! Probes: synthetic conversations with one release, and what must come back.

use anyhow::Result;
use regex_lite::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::Engine;
use super::judging::Jury;
use super::perform::Failure;
use crate::analysis::Probed;
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::Why;
use crate::spec::{Expect, Probe, ProbeRequest};
use crate::target::{Reply, Target};

/// How much of an unexpected reply is shown.
const SHOWN: usize = 200;

impl<T: Target, S: Store> Engine<'_, T, S> {
    pub(super) async fn probe(&self) -> Result<(), Failure> {
        let plan = self.rollout.plan();
        for (at, probe) in plan.probes.iter().enumerate() {
            let conversation = format!("probe-{}-{}-{at}", self.number, (self.clock)().0);
            let probed = run(self.target, plan.to, probe, &conversation, &self.jury()).await?;
            if !plan.judges.is_empty() {
                self.keep_judged().await?;
            }
            if let Some(says) = probed.failure {
                let says = format!("probe {}: {says}", probed.name);
                let seen = self.target.observe().await?;
                return Err(Failure::new(Why::Probe, says).seeing(&seen));
            }
        }
        Ok(())
    }
}

/// One turn, as it was had.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) request: ProbeRequest,
    pub(crate) reply: Reply,
}

/// All turns of it, until one is not as expected; `conversation` is a name that no other has.
///
/// # Errors
/// Where nobody could be asked.
pub(crate) async fn run<T: Target>(
    target: &T,
    release: ReleaseId,
    probe: &Probe,
    conversation: &str,
    jury: &Jury<'_>,
) -> Result<Probed> {
    let turns = probe.turns();
    let (mut had, mut failure) = (Vec::new(), None);
    for (at, turn) in turns.iter().enumerate() {
        take(target, release, *turn, conversation, &mut had).await?;
        if let Err(says) = as_expected(turn.1, &had, jury).await {
            let number = match turns.len() {
                1 => String::new(),
                _ => format!("turn {}: ", at + 1),
            };
            let replica = had.last().map_or(0, |turn| turn.reply.replica);
            failure = Some(format!("{number}{release}-{replica} {says}"));
            break;
        }
    }
    Ok(Probed {
        name: probe.label(),
        suite: probe.suite.clone(),
        millis: had.iter().map(|turn| turn.reply.millis).sum(),
        failure,
    })
}

/// All turns of it, to be judged.
///
/// # Errors
/// Where nobody could be asked, or an answer has another status than its turn expects.
pub(crate) async fn converse<T: Target>(
    target: &T,
    release: ReleaseId,
    probe: &Probe,
    conversation: &str,
) -> Result<Vec<Turn>> {
    let mut had = Vec::new();
    for turn in probe.turns() {
        take(target, release, turn, conversation, &mut had).await?;
        if let Some(Turn { reply, .. }) = had.last() {
            let answered = has_status(turn.1, reply);
            answered.map_err(|says| anyhow::anyhow!("{release}-{} {says}", reply.replica))?;
        }
    }
    Ok(had)
}

/// The next turn; all of them go to one replica.
async fn take<T: Target>(
    target: &T,
    release: ReleaseId,
    (request, expect): (&ProbeRequest, &Expect),
    conversation: &str,
    had: &mut Vec<Turn>,
) -> Result<()> {
    let request = named(request, conversation);
    let replica = had.last().map(|turn| turn.reply.replica);
    let within = expect.within.as_millis();
    let reply = target.request(release, &request, within, replica).await?;
    had.push(Turn { request, reply });
    Ok(())
}

/// The last of the turns that were had so far; judges read all of them.
async fn as_expected(expect: &Expect, had: &[Turn], jury: &Jury<'_>) -> Result<(), String> {
    if let Some(last) = had.last() {
        expected(expect, &last.reply)?;
    }
    for (judge, least) in &expect.judge {
        let score = jury.score(judge, had).await;
        match score.map_err(|says| format!("could not be judged by {judge}: {says}"))? {
            score if score < *least => {
                return Err(format!("has {score} of {least} from {judge}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The request with the conversation's name in it.
fn named(request: &ProbeRequest, conversation: &str) -> ProbeRequest {
    let fill = |text: &str| text.replace("{conversation}", conversation);
    let headers = request.headers.iter();
    ProbeRequest {
        method: request.method.clone(),
        path: fill(&request.path),
        headers: headers
            .map(|(name, value)| (name.clone(), fill(value)))
            .collect(),
        json: request.json.as_ref().map(|json| filled(json, &fill)),
    }
}

fn filled(json: &Value, fill: &impl Fn(&str) -> String) -> Value {
    match json {
        Value::String(text) => Value::String(fill(text)),
        Value::Array(all) => all.iter().map(|one| filled(one, fill)).collect(),
        Value::Object(all) => {
            let all = all.iter();
            all.map(|(key, value)| (key.clone(), filled(value, fill)))
                .collect()
        }
        other => other.clone(),
    }
}

fn expected(expect: &Expect, reply: &Reply) -> Result<(), String> {
    has_status(expect, reply)?;
    in_time(expect, reply)?;
    let found = match &expect.json {
        Some(path) => found(path, &reply.body)?,
        None => reply.body.clone(),
    };
    has_events(expect, &reply.body)?;
    match &expect.matches {
        Some(pattern) => matches(pattern, &found),
        None => Ok(()),
    }
}

fn has_status(expect: &Expect, reply: &Reply) -> Result<(), String> {
    match reply.status {
        None => Err(reply.says.as_deref().unwrap_or("gave no answer").to_owned()),
        Some(status) if status != expect.status => Err(format!(
            "answered {status} instead of {}: {}",
            expect.status,
            shown(&reply.body)
        )),
        Some(_) => Ok(()),
    }
}

fn in_time(expect: &Expect, reply: &Reply) -> Result<(), String> {
    if reply.millis > expect.within.as_millis() {
        return Err(format!("took {} ms of {}", reply.millis, expect.within));
    }
    match (expect.first_within, reply.first_millis) {
        (Some(within), None) => Err(format!("sent nothing within {within}")),
        (Some(within), Some(first)) if first > within.as_millis() => {
            Err(format!("began after {first} ms of {within}"))
        }
        _ => Ok(()),
    }
}

fn has_events(expect: &Expect, body: &str) -> Result<(), String> {
    let events = body
        .lines()
        .filter(|line| line.starts_with("data:"))
        .count();
    match expect.events {
        Some(wanted) if events < wanted as usize => {
            Err(format!("sent {events} events of {wanted}: {}", shown(body)))
        }
        _ => Ok(()),
    }
}

fn matches(pattern: &str, text: &str) -> Result<(), String> {
    let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
    match regex.is_match(text) {
        true => Ok(()),
        false => Err(format!("answered nothing like {pattern}: {}", shown(text))),
    }
}

/// What the path finds, as text.
pub(super) fn found(path: &str, body: &str) -> Result<String, String> {
    let path = JsonPath::parse(path).map_err(|error| error.to_string())?;
    let json: Value = serde_json::from_str(body)
        .map_err(|_| format!("answered with what is not JSON: {}", shown(body)))?;
    let found = path.query(&json).all();
    let texts = found.iter().map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    match found.is_empty() {
        true => Err(format!("answered without {path}: {}", shown(body))),
        false => Ok(texts.collect::<Vec<_>>().join("\n")),
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
    use serde_json::json;

    use super::*;
    use crate::spec::Period;

    fn reply(status: Option<u16>, body: &str, millis: u64) -> Reply {
        Reply {
            replica: 1,
            status,
            body: body.to_owned(),
            millis,
            first_millis: Some(millis / 2),
            says: None,
        }
    }

    #[test]
    fn what_must_come_back() {
        let expect = Expect {
            json: Some("$.reply".to_owned()),
            within: Period::secs(1),
            ..Expect::default()
        };
        let like = Expect {
            matches: Some("^h[aeiou]$".to_owned()),
            ..expect.clone()
        };
        let stream = Expect {
            events: Some(2),
            first_within: Some(Period::millis(100)),
            ..Expect::default()
        };
        let cases = [
            (&expect, reply(Some(200), r#"{"reply":"hi"}"#, 5), Ok(())),
            (
                &expect,
                reply(Some(200), r#"{"reply":"hi"}"#, 1001),
                Err("took 1001 ms of 1s"),
            ),
            (
                &expect,
                reply(Some(200), "{}", 5),
                Err("answered without $.reply: {}"),
            ),
            (
                &expect,
                reply(Some(200), "<html>", 5),
                Err("answered with what is not JSON: <html>"),
            ),
            (
                &expect,
                reply(Some(500), "oops", 5),
                Err("answered 500 instead of 200: oops"),
            ),
            (&expect, reply(None, "", 5), Err("gave no answer")),
            (&like, reply(Some(200), r#"{"reply":"hi"}"#, 5), Ok(())),
            (
                &like,
                reply(Some(200), r#"{"reply":"hm"}"#, 5),
                Err("answered nothing like ^h[aeiou]$: hm"),
            ),
            (
                &stream,
                reply(Some(200), "data: a\n\ndata: b\n\n", 50),
                Ok(()),
            ),
            (
                &stream,
                reply(Some(200), "data: a\n\n", 50),
                Err("sent 1 events of 2: data: a\n\n"),
            ),
            (
                &stream,
                reply(Some(200), "data: a\n\ndata: b\n\n", 500),
                Err("began after 250 ms of 100ms"),
            ),
        ];
        for (expect, reply, result) in cases {
            assert_eq!(expected(expect, &reply), result.map_err(str::to_owned));
        }
    }

    #[test]
    fn a_conversation_is_named_everywhere() {
        let request = ProbeRequest {
            method: "POST".to_owned(),
            path: "/chat/{conversation}".to_owned(),
            headers: [("X-Id".to_owned(), "{conversation}".to_owned())].into(),
            json: Some(json!({ "a": ["{conversation}", 1] })),
        };
        let named = named(&request, "p-1");
        assert_eq!(named.path, "/chat/p-1");
        assert_eq!(named.headers["X-Id"], "p-1");
        assert_eq!(named.json, Some(json!({ "a": ["p-1", 1] })));
    }
}
