//! One pod, as far as a rollout cares: how it stands, and why it is not ready, in words. Pure.

use serde_json::Value;

/// How a pod stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Ready,
    /// It may get ready by itself; with what is in the way so far.
    Coming(Option<String>),
    /// It keeps exiting; so often already.
    Exits(u32, String),
    /// Waiting changes nothing.
    Hopeless(String),
    Leaving,
    /// It ended, and another stands for it.
    Over,
}

/// Why a container that never ran will not run either.
const HOPELESS: [&str; 7] = [
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// What runs containers was away for a moment, and the kubelet asks it again.
const PASSING: [&str; 4] = [
    "transport is closing",
    "connection refused",
    "connection error",
    "context deadline exceeded",
];

/// What a registry answers the next time too.
const FINAL: [&str; 5] = [
    "not found",
    "manifest unknown",
    "unauthorized",
    "authentication required",
    "denied",
];

const PULLS: [&str; 2] = ["ErrImagePull", "ImagePullBackOff"];

/// `reached`: whether its Service sends requests to it; `warnings`: what the cluster said about it,
/// oldest first.
pub(super) fn standing(pod: &Value, reached: bool, warnings: &[&Value]) -> Standing {
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return Standing::Leaving;
    }
    match pod["status"]["phase"].as_str() {
        Some("Failed" | "Succeeded") => return Standing::Over,
        _ if condition(pod, "Ready", "True").is_some() => {
            return match reached {
                true => Standing::Ready,
                false => Standing::Coming(None),
            };
        }
        _ => {}
    }
    if let Some(unscheduled) = condition(pod, "PodScheduled", "False") {
        let says = text(&unscheduled["message"]);
        return Standing::Coming(Some(format!("has no node: {says}")));
    }
    let troubled = containers(pod).find_map(|status| container(status, warnings));
    troubled.unwrap_or_else(|| Standing::Coming(asked_in_vain(warnings)))
}

fn condition<'a>(pod: &'a Value, kind: &str, status: &str) -> Option<&'a Value> {
    let conditions = pod["status"]["conditions"].as_array()?;
    let is_it = |one: &&Value| one["type"] == kind && one["status"] == status;
    conditions.iter().find(is_it)
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["initContainerStatuses", "containerStatuses"];
    let all = lists.into_iter().filter_map(|list| {
        let statuses = pod["status"][list].as_array()?;
        Some(statuses.iter())
    });
    all.flatten()
}

/// What is wrong with a container, if anything.
fn container(status: &Value, warnings: &[&Value]) -> Option<Standing> {
    let waiting = &status["state"]["waiting"];
    let reason = waiting["reason"].as_str().unwrap_or_default();
    if PULLS.contains(&reason) {
        let says = pulled_in_vain(status, waiting, warnings);
        let is_final = FINAL.iter().any(|answer| says.contains(answer));
        return Some(match is_final || HOPELESS.contains(&reason) {
            true => Standing::Hopeless(says),
            false => Standing::Coming(Some(says)),
        });
    }
    if HOPELESS.contains(&reason) {
        let says = format!("cannot be started: {}", text(&waiting["message"]));
        let is_passing = PASSING.iter().any(|answer| says.contains(answer));
        return Some(match is_passing {
            true => Standing::Coming(Some(says)),
            false => Standing::Hopeless(says),
        });
    }
    let now = &status["state"]["terminated"];
    let last = &status["lastState"]["terminated"];
    let ended = if now.is_null() { last } else { now };
    if ended.is_null() || status["state"]["running"].is_object() {
        return None;
    }
    // A helper that prepares something, and did.
    if ended["exitCode"] == 0 && reason.is_empty() {
        return None;
    }
    let restarts = status["restartCount"].as_u64().unwrap_or(0) as u32;
    Some(Standing::Exits(restarts + 1, exited(ended)))
}

fn exited(ended: &Value) -> String {
    match (ended["reason"].as_str(), ended["signal"].as_u64()) {
        (Some("OOMKilled"), _) => "was killed: it needs more than its memory limit".to_owned(),
        (_, Some(signal)) if signal > 0 => format!("was ended by signal {signal}"),
        _ => format!("exited with status {}", ended["exitCode"]),
    }
}

/// The reason stands in an event; the state often says only that it is tried again later.
fn pulled_in_vain(status: &Value, waiting: &Value, warnings: &[&Value]) -> String {
    let told = warnings.iter().rev().map(|event| text(&event["message"]));
    let told = told
        .filter(|message| message.starts_with("Failed to pull image"))
        .find_map(|message| Some(message.rsplit(": ").next()?.trim().to_owned()));
    let says = told.unwrap_or_else(|| text(&waiting["message"]).to_owned());
    format!("cannot pull {}: {says}", text(&status["image"]))
}

/// What its probe, or its volumes, last came to.
fn asked_in_vain(warnings: &[&Value]) -> Option<String> {
    let last = warnings.iter().rev().find(|event| {
        matches!(
            event["reason"].as_str(),
            Some("Unhealthy" | "FailedMount" | "FailedCreatePodSandBox")
        )
    })?;
    Some(format!("is not ready: {}", text(&last["message"]).trim()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(state: &Value) -> Value {
        json!({ "metadata": {}, "status": { "phase": "Pending", "containerStatuses": [state] } })
    }

    fn event(reason: &str, message: &str) -> Value {
        json!({ "reason": reason, "message": message })
    }

    #[test]
    fn a_pod_is_ready_once_its_service_reaches_it() {
        let conditions = json!([{ "type": "Ready", "status": "True" }]);
        let pod =
            json!({ "metadata": {}, "status": { "phase": "Running", "conditions": conditions } });
        assert_eq!(standing(&pod, true, &[]), Standing::Ready);
        assert_eq!(standing(&pod, false, &[]), Standing::Coming(None));
        let mut leaving = pod.clone();
        leaving["metadata"]["deletionTimestamp"] = json!("2026-11-28T16:00:00Z");
        assert_eq!(standing(&leaving, true, &[]), Standing::Leaving);
        let over = json!({ "metadata": {}, "status": { "phase": "Failed" } });
        assert_eq!(standing(&over, false, &[]), Standing::Over);
    }

    #[test]
    fn an_image_that_is_not_there_is_said_with_the_registrys_answer() {
        let waiting = |reason: &str| {
            with(&json!({
                "image": "r/bot@sha256:0",
                "state": { "waiting": { "reason": reason, "message": "Back-off pulling image" } },
            }))
        };
        let failed = event(
            "Failed",
            "Failed to pull image \"r/bot\": rpc error: not found",
        );
        let again = event("Failed", "Error: ErrImagePull");
        let says = "cannot pull r/bot@sha256:0: not found".to_owned();
        let warnings = [&failed, &again];
        assert_eq!(
            standing(&waiting("ErrImagePull"), false, &warnings),
            Standing::Hopeless(says.clone())
        );
        let busy = event(
            "Failed",
            "Failed to pull image \"r/bot\": rpc error: timeout",
        );
        let later = "cannot pull r/bot@sha256:0: timeout".to_owned();
        assert_eq!(
            standing(&waiting("ErrImagePull"), false, &[&busy]),
            Standing::Coming(Some(later))
        );
        assert_eq!(
            standing(&waiting("ImagePullBackOff"), false, &warnings),
            Standing::Hopeless(says)
        );
    }

    #[test]
    fn what_keeps_exiting_is_counted() {
        let ended = json!({ "exitCode": 3, "reason": "Error" });
        let crashed = with(&json!({
            "restartCount": 2,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } },
            "lastState": { "terminated": ended },
        }));
        assert_eq!(
            standing(&crashed, false, &[]),
            Standing::Exits(3, "exited with status 3".to_owned())
        );
        let killed = with(&json!({
            "restartCount": 0,
            "state": { "terminated": { "exitCode": 137, "reason": "OOMKilled" } },
        }));
        assert_eq!(
            standing(&killed, false, &[]),
            Standing::Exits(
                1,
                "was killed: it needs more than its memory limit".to_owned()
            )
        );
        let again = with(&json!({
            "restartCount": 1,
            "state": { "running": {} },
            "lastState": { "terminated": ended },
        }));
        assert_eq!(standing(&again, false, &[]), Standing::Coming(None));
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        let unscheduled = json!({
            "metadata": {},
            "status": { "phase": "Pending", "conditions": [
                { "type": "PodScheduled", "status": "False", "message": "0/1 nodes are available" },
            ] },
        });
        assert_eq!(
            standing(&unscheduled, false, &[]),
            Standing::Coming(Some("has no node: 0/1 nodes are available".to_owned()))
        );
        let running = with(&json!({ "state": { "running": {} } }));
        let unhealthy = event(
            "Unhealthy",
            "Readiness probe failed: HTTP probe failed with 503",
        );
        assert_eq!(
            standing(&running, false, &[&unhealthy]),
            Standing::Coming(Some(
                "is not ready: Readiness probe failed: HTTP probe failed with 503".to_owned()
            ))
        );
        let missing = with(&json!({ "state": { "waiting": {
            "reason": "CreateContainerConfigError", "message": "secret \"x\" not found",
        } } }));
        assert_eq!(
            standing(&missing, false, &[]),
            Standing::Hopeless("cannot be started: secret \"x\" not found".to_owned())
        );
        let away = with(&json!({ "state": { "waiting": {
            "reason": "RunContainerError", "message": "transport is closing",
        } } }));
        assert_eq!(
            standing(&away, false, &[]),
            Standing::Coming(Some("cannot be started: transport is closing".to_owned()))
        );
    }
}
