use std::path::Path;

use super::super::show::key;
use super::super::{Notify, Part, SecretSource, Spec, Template};
use super::{Check, names_secret};

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    super::beside::resources("run.resources", &spec.run.resources, check);
    for (at, word) in spec.run.command.iter().enumerate() {
        no_secrets(word, &format!("run.command.{at}"), check);
    }
    if spec
        .run
        .command
        .first()
        .is_some_and(|program| program.0.is_empty())
    {
        check.refuse("run.command.0", "the program to run must not be empty");
    }
    if spec.run.files.is_empty() {
        check.refuse_with(
            "run.files",
            "run.files must not be empty",
            "files = [\".\"] takes all",
        );
    }
    for (name, value) in &spec.run.env {
        let path = format!("run.env.{}", key(name));
        secrets_of(value, &path, spec, check);
        twice(name, value, &path, spec, check);
    }
    for (path, value) in others(spec) {
        secrets_of(value, &path, spec, check);
    }
    settings(spec, check);
    among_prompts(spec, check);
}

/// They are the agent's as they are written: a secret's name would be all that arrives.
fn settings(spec: &Spec, check: &mut Check<'_>) {
    let settings = spec.config.settings.iter();
    for (name, _) in settings.filter(|(_, value)| names_secret(&value.to_string())) {
        check.refuse_with(
            &format!("config.settings.{}", key(name)),
            "a secret must not stand in the settings: they are a file that anyone may read",
            "the agent finds each of [secrets] in its environment",
        );
    }
}

/// What lies in the folder of prompts is written into rendered files.
fn among_prompts(spec: &Spec, check: &mut Check<'_>) {
    let Some(prompts) = &spec.config.prompts else {
        return;
    };
    for (name, source) in &spec.secrets {
        let SecretSource::File(file) = source else {
            continue;
        };
        if Path::new(file).starts_with(prompts) {
            check.refuse_with(
                &format!("secrets.{}", key(name)),
                format!("{file} is among the prompts, which anyone may read"),
                "keep it in a folder of its own, like .secrets",
            );
        }
    }
}

/// Variables of what runs beside the agent, and where others are told.
fn others(spec: &Spec) -> Vec<(String, &Template)> {
    let notify = spec.notify.iter().flat_map(Notify::templates);
    spec.env_beside().into_iter().chain(notify).collect()
}

/// Whoever may look at this machine's processes reads their arguments.
fn no_secrets(template: &Template, path: &str, check: &mut Check<'_>) {
    for name in template.secrets() {
        let part = format!("${{secret:{name}}}");
        let message = "a secret must not stand in a command: any user of the machine could read it";
        let problem = check.at_part(path, &part, message.to_owned());
        let hint = format!("the agent finds it in its environment, as {name}");
        check.problems.push(problem.hint(Some(hint)));
    }
}

pub(super) fn secrets_of(template: &Template, path: &str, spec: &Spec, check: &mut Check<'_>) {
    let unknown = template
        .secrets()
        .filter(|name| !spec.secrets.contains_key(*name));
    for name in unknown {
        let message = format!("there is no secret \"{name}\"");
        let hint = format!("add {name} = {{ env = \"{name}\" }} under [secrets]");
        let problem = check.at_part(path, &format!("${{secret:{name}}}"), message);
        check.problems.push(problem.hint(Some(hint)));
    }
}

/// A secret is a variable of the agent's environment by itself; saying so again changes nothing.
fn twice(name: &str, value: &Template, path: &str, spec: &Spec, check: &mut Check<'_>) {
    let itself = [Part::Secret(name.to_owned())];
    if spec.secrets.contains_key(name) && value.0 != itself {
        let message = format!("{name} is a secret too; the agent would get only one of them");
        check.refuse_with(path, message, "take it out here or under [secrets]");
    }
}
