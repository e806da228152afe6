//! What is wrong with values of agent.toml that only this machine or another room can tell.

use anyhow::Result;
use jiff::tz::{TimeZone, db};

use crate::image;
use crate::spec::{Loaded, Part, Problem, Problems, Spec, Template};

/// Refuses a time zone that this machine does not know, if it knows any.
pub(super) fn zone(loaded: &Loaded, text: &str) -> Result<(), Problems> {
    let name = &loaded.spec.agent.time_zone;
    // To know any other, all zones of the machine are listed, which takes longer than all the rest.
    if name == "UTC" || db().is_definitively_empty() || TimeZone::get(name).is_ok() {
        return Ok(());
    }
    let message = format!("there is no time zone \"{name}\"");
    let hint = "as timedatectl list-timezones has them; old names are in Debian's tzdata-legacy";
    Err(loaded
        .problem(text, "agent.time_zone", &message, hint)
        .into())
}

/// No service's keys are shorter.
const SHORTEST: usize = 20;

/// Warns of keys that stand in plain text wherever the agent runs. The line is not shown: it
/// holds them.
pub(super) fn keys(loaded: &Loaded, text: &str) -> Result<Vec<Problem>> {
    let values = plain_values(&loaded.spec).into_iter();
    let (paths, values): (Vec<_>, Vec<_>) =
        values.filter(|(_, value)| value.len() >= SHORTEST).unzip();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let mut warnings = Vec::new();
    for found in image::in_text("agent.toml", &values.join("\n"))? {
        let at = found.line.and_then(|line| paths.get(line - 1));
        warnings.extend(at.map(|path| warning(loaded, text, path, found.what)));
    }
    Ok(warnings)
}

/// What comes into files that anyone may read, by its path in agent.toml. A build looks through its
/// arguments itself.
fn plain_values(spec: &Spec) -> Vec<(String, String)> {
    let run = spec.run.env.iter();
    let run = run.map(|(name, value)| (format!("run.env.{name}"), value));
    let env = run.chain(spec.env_beside());
    let env = env.map(|(path, value)| (path, plain(value)));
    let command = spec.run.command.iter().enumerate();
    let command = command.map(|(at, word)| (format!("run.command.{at}"), plain(word)));
    let settings = spec.config.settings.iter();
    let settings =
        settings.map(|(name, value)| (format!("config.settings.{name}"), value.to_string()));
    env.chain(command).chain(settings).collect()
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
        ] {
            let text = format!("{FILE}{more}");
            let warnings = keys(&loaded(&text), &text).unwrap();
            assert_eq!(warnings.len(), 1, "{path}");
            let said = warnings[0].render();
            assert!(said.starts_with(path) && !said.contains(KEY), "{said}");
        }
        let text = format!("{FILE}run.env.API = \"sk-proj-your-key-goes-here-0123\"\n");
        assert!(keys(&loaded(&text), &text).unwrap().is_empty());
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
