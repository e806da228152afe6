//! `${VAR}` becomes its value. `${PORT}` stays: each replica gets its own; `${secret:NAME}` stays:
//! it is put in only where the agent is started.

use super::check::Check;
use super::show::key;
use super::{Part, Run, Template};

/// The variables of the environment that agentctl runs in.
pub(crate) type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

pub(super) fn resolve(run: &mut Run, variables: Variables<'_>, check: &mut Check<'_>) {
    for (at, word) in run.command.iter_mut().enumerate() {
        resolve_one(word, variables, &format!("run.command.{at}"), check);
    }
    for (name, value) in &mut run.env {
        resolve_one(value, variables, &format!("run.env.{}", key(name)), check);
    }
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
