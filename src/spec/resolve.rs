//! `${VAR}` becomes its value. `${PORT}` stays: each replica gets its own; `${secret:NAME}` stays:
//! it is put in only where the agent is started.

use super::check::Check;
use super::show::key;
use super::{GateSource, Part, Spec, Template};

/// The variables of the environment that agentctl runs in.
pub(crate) type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

pub(super) fn resolve(spec: &mut Spec, variables: Variables<'_>, check: &mut Check<'_>) {
    for (path, template) in templates(spec) {
        resolve_one(template, variables, &path, check);
    }
}

/// Every template of the file, with its path.
fn templates(spec: &mut Spec) -> Vec<(String, &mut Template)> {
    let command = spec.run.command.iter_mut().enumerate();
    let mut all: Vec<_> = command
        .map(|(at, word)| (format!("run.command.{at}"), word))
        .collect();
    let services = spec.services.iter_mut();
    let tools = spec.tools.iter_mut();
    let sidecars = spec.sidecars.iter_mut();
    let maps = std::iter::once(("run.env".to_owned(), &mut spec.run.env))
        .chain(
            spec.build
                .iter_mut()
                .map(|build| ("build.args".to_owned(), &mut build.args)),
        )
        .chain(services.map(|(name, one)| (format!("services.{}.env", key(name)), &mut one.env)))
        .chain(tools.map(|(name, one)| (format!("tools.{}.env", key(name)), &mut one.env)))
        .chain(sidecars.map(|(name, one)| (format!("sidecars.{}.env", key(name)), &mut one.env)));
    for (path, map) in maps {
        let entries = map.iter_mut();
        all.extend(entries.map(|(name, value)| (format!("{path}.{}", key(name)), value)));
    }
    for (at, gate) in spec.gate.iter_mut().enumerate() {
        let texts = gate.source.iter_mut().flat_map(GateSource::templates_mut);
        all.extend(texts.map(|(name, text)| (format!("gate.{at}.source.{name}"), text)));
    }
    for (name, judge) in &mut spec.judges {
        let texts = judge.login.templates_mut();
        all.extend(texts.map(|(field, text)| (format!("judges.{}.{field}", key(name)), text)));
    }
    if let Some(notify) = &mut spec.notify {
        all.extend(notify.templates_mut());
    }
    all
}

fn resolve_one(
    template: &mut Template,
    variables: Variables<'_>,
    path: &str,
    check: &mut Check<'_>,
) {
    let parts = std::mem::take(&mut template.0);
    let known = |part| match part {
        Part::Variable(name) if name != "PORT" => match variables(&name) {
            Some(value) => Part::Text(value),
            None => {
                check.missing_variable(path, &name);
                Part::Variable(name)
            }
        },
        part => part,
    };
    template.0 = joined(parts.into_iter().map(known));
    // A release writes it down and reads it back.
    if Template::parse(&template.to_string()).as_ref() != Ok(template) {
        check.refuse(
            path,
            "a $ directly before ${…} would read as $${, which is plain text",
        );
    }
}

/// Neighbouring texts as one, so that equal templates are equal.
fn joined(parts: impl Iterator<Item = Part>) -> Vec<Part> {
    parts.fold(Vec::new(), |mut parts, part| {
        match (parts.last_mut(), part) {
            (_, Part::Text(empty)) if empty.is_empty() => {}
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
            (_, part) => parts.push(part),
        }
        parts
    })
}
