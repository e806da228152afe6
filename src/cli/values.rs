//! What is wrong with values of agent.toml that only this machine or another room can tell.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::tz::{TimeZone, db};
use serde_json::Value;

use crate::image;
use crate::render;
use crate::spec::{
    Loaded, Part, Problem, Problems, Template, UTC, has_password, key, looks_secret,
};

/// Refuses a time zone that this machine does not know, if it knows any.
pub(super) fn zone(loaded: &Loaded, text: &str) -> Result<(), Problems> {
    let name = &loaded.spec.agent.time_zone;
    // To know any other, all zones of the machine are listed, which takes longer than all the rest.
    if name == UTC || db().is_definitively_empty() || TimeZone::get(name).is_ok() {
        return Ok(());
    }
    let message = format!("there is no time zone \"{name}\"");
    let hint = "as timedatectl list-timezones has them; old names are in Debian's tzdata-legacy";
    Err(loaded
        .problem(text, "agent.time_zone", &message, hint)
        .into())
}

/// Refuses keys in what a build is given: they would stay in the image's history, and in every file
/// that says how it is built.
pub(super) fn arguments(loaded: &Loaded, text: &str) -> Result<()> {
    let Some(build) = &loaded.spec.build else {
        return Ok(());
    };
    for (name, value) in &build.args {
        let path = format!("build.args.{name}");
        let found = image::in_text(&path, &plain(value))?;
        if let Some(found) = image::sort(found, &build.allow).refused.first() {
            let message = format!("{path} holds {}, which the image would keep", found.what);
            let hint = format!(
                "secrets = [\"{name}\"] under [build]; for what is no secret, [[build.allow]] with path = \"{path}\" and a reason"
            );
            let problem = loaded.problem(text, &path, &message, &hint).without_line();
            return Err(Problems::from(problem).into());
        }
    }
    Ok(())
}

/// Warns of what looks like a secret and stands in plain text wherever the agent runs. The line is
/// not shown: it holds it.
pub(super) fn keys(loaded: &Loaded, text: &str) -> Result<Vec<Problem>> {
    let mut values = Vec::new();
    plain_values("", &serde_json::to_value(&loaded.spec)?, &mut values);
    let keys = secrets_by_form(&values)?;
    let warnings = values.iter().filter_map(|(path, value)| {
        let what = keys.get(path.as_str()).copied();
        let what = what.or_else(|| secret_by_place(path, value))?;
        Some(warning(loaded, text, path, what))
    });
    Ok(warnings.collect())
}

/// No service's keys are shorter, and all have digits: most agents have no such value, and need no
/// search.
const SHORTEST: usize = 20;

/// By path, what the form of a value tells.
fn secrets_by_form(values: &[(String, String)]) -> Result<BTreeMap<&str, &'static str>> {
    let may_be = |(_, value): &&(String, String)| {
        value.len() >= SHORTEST && value.bytes().any(|byte| byte.is_ascii_digit())
    };
    let (paths, lines): (Vec<&str>, Vec<String>) = values
        .iter()
        .filter(may_be)
        .map(|(path, value)| (path.as_str(), value.replace('\n', " ")))
        .unzip();
    if lines.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = image::in_text("agent.toml", &lines.join("\n"))?.into_iter();
    let by_path =
        found.filter_map(|found| Some((*paths.get(found.line?.checked_sub(1)?)?, found.what)));
    Ok(by_path.collect())
}

/// Warns of ports beside the agent that it may reach, and that nothing listens on there.
pub(super) fn ports(loaded: &Loaded, text: &str) -> Vec<Problem> {
    let beside = render::beside(&loaded.spec);
    let allowed = loaded.spec.network.allow.iter().flatten().enumerate();
    let warnings = allowed.filter_map(|(at, endpoint)| {
        let (host, port) = endpoint.rsplit_once(':')?;
        let one = beside.iter().find(|one| one.name == host)?;
        let listens = one.port;
        let message = format!("{host} is reached on port {listens}, not {port}");
        let path = format!("network.allow.{at}");
        let problem = || loaded.problem(text, &path, &message, &format!("{host}:{listens}"));
        (port != listens.to_string()).then(problem)
    });
    warnings.collect()
}

/// What comes into files that anyone may read, by its path in agent.toml. Arguments of a build have a
/// rule of their own.
fn plain_values(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{}", key(name)),
    };
    match value {
        _ if path == "build.args" => {}
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                plain_values(&below(&at.to_string()), item, found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                plain_values(&below(name), value, found);
            }
        }
        _ => {}
    }
}

/// What no form of the value tells.
fn secret_by_place(path: &str, value: &str) -> Option<&'static str> {
    let variable = path.rsplit_once(".env.").map(|(_, name)| name);
    let is_plain = !value.contains("${") && !value.trim().is_empty();
    match variable {
        _ if has_password(value) => Some("a URL with a password"),
        Some(name) if looks_secret(name) && is_plain => Some("what its name calls a secret"),
        _ => None,
    }
}

/// In one line.
fn plain(value: &Template) -> String {
    let texts = value.0.iter().map(|part| match part {
        Part::Text(text) => text.replace('\n', " "),
        _ => " ".to_owned(),
    });
    texts.collect()
}

fn warning(loaded: &Loaded, text: &str, path: &str, what: &str) -> Problem {
    let message = format!("{path} holds {what}, and stands in plain text wherever the agent runs");
    let name = path.rsplit_once(".env.").map_or("NAME", |(_, name)| name);
    let hint = format!("{name} = {{ env = \"{name}\" }} under [secrets] instead");
    let problem = loaded.problem(text, path, &message, &hint);
    problem.without_line()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    const FILE: &str = "agent.name = \"bot\"\nrun.command = [\"true\"]\n";
    const KEY: &str = "sk-proj-a8Kd02mXq71LpZt5Rw93YvB6";

    fn loaded(text: &str) -> Loaded {
        Spec::load(text, "agent.toml", None, &|_| None).unwrap()
    }

    #[test]
    fn keys_in_variables_are_warned_of_and_not_shown() {
        let env = format!(
            "run.env.HINT = \"a long text that holds no key\"\nrun.env.API = \"Bearer {KEY}\"\n"
        );
        let text = format!("{FILE}{env}");
        let warnings = keys(&loaded(&text), &text).unwrap();
        let said: Vec<String> = warnings.iter().map(Problem::render).collect();
        assert_eq!(
            said,
            [
                "run.env.API holds a key of OpenAI, and stands in plain text wherever the agent runs\n \
                 --> agent.toml:4:15\n  = hint: API = { env = \"API\" } under [secrets] instead"
            ]
        );
        for (more, path) in [
            (
                format!("config.settings.a = {{ b = \"{KEY}\" }}\n"),
                "config.settings.a",
            ),
            (
                format!("sidecars.s = {{ image = \"s\", env = {{ X = \"{KEY}\" }} }}\n"),
                "sidecars.s.env.X",
            ),
            (
                "run.env.DB_PASSWORD = \"hunter2\"\n".to_owned(),
                "run.env.DB_PASSWORD",
            ),
            (
                "observe.prometheus = \"https://me:hunter2@metrics.example.com\"\n".to_owned(),
                "observe.prometheus",
            ),
            (
                "agent.source = \"https://me:hunter2@example.com/x.git\"\n".to_owned(),
                "agent.source",
            ),
        ] {
            let text = format!("{FILE}{more}");
            let warnings = keys(&loaded(&text), &text).unwrap();
            assert_eq!(warnings.len(), 1, "{path}");
            let said = warnings[0].render();
            let is_shown = said.contains(KEY) || said.contains("hunter2");
            assert!(said.starts_with(path) && !is_shown, "{said}");
        }
        for harmless in [
            "run.env.API = \"sk-proj-your-key-goes-here-0123\"",
            "run.env.MAX_TOKENS = \"400\"",
            "run.env.DB_PASSWORD = \"${secret:X}\"\nsecrets.X.env = \"X\"",
            "run.env.DSN = \"redis://:${secret:X}@cache:1\"\nsecrets.X.env = \"X\"",
            "observe.prometheus = \"https://user@metrics.example.com\"",
        ] {
            let text = format!("{FILE}{harmless}\n");
            assert!(
                keys(&loaded(&text), &text).unwrap().is_empty(),
                "{harmless}"
            );
        }
    }

    #[test]
    fn keys_in_arguments_of_a_build_are_refused_unless_they_are_allowed() {
        let args = format!("build.runtime = \"python\"\nbuild.args.URL = \"https://a.io/{KEY}\"\n");
        let allow = "[[build.allow]]\npath = \"build.args.URL\"\nreason = \"no key of ours\"\n";
        let text = format!("{FILE}{args}");
        let said = arguments(&loaded(&text), &text).unwrap_err().to_string();
        let holds = "build.args.URL holds a key of OpenAI, which the image would keep";
        assert!(said.starts_with(holds) && !said.contains(KEY), "{said}");
        let text = format!("{text}{allow}");
        arguments(&loaded(&text), &text).unwrap();
    }

    #[test]
    fn ports_that_nothing_listens_on_are_warned_of() {
        let services = "services.cache.preset = \"redis\"\n";
        let said = |allow: &str| {
            let text = format!("{FILE}network.allow = [{allow}]\n{services}");
            let warnings = ports(&loaded(&text), &text);
            warnings.iter().map(Problem::render).collect::<Vec<_>>()
        };
        assert!(said("\"cache:6379\", \"elsewhere:1\"").is_empty());
        let wrong = &said("\"cache:6380\"")[0];
        assert!(wrong.starts_with("cache is reached on port 6379, not 6380\n"));
        assert!(wrong.ends_with("hint: cache:6379"), "{wrong}");
    }

    #[test]
    fn time_zones_are_those_that_there_are() {
        for (name, is_known) in [("UTC", true), ("Europe/Berlin", true), ("Mars/X", false)] {
            let text = format!("{FILE}agent.time_zone = \"{name}\"\n");
            let said = zone(&loaded(&text), &text).map_err(|problems| problems.to_string());
            let is_right = is_known || db().is_definitively_empty();
            assert_eq!(said.is_ok(), is_right, "{name}: {said:?}");
        }
    }
}
