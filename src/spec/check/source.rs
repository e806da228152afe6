//! Whom gates and judges ask.

use super::super::wording::did_you_mean;
use super::super::{GateSource, Login, Part, Spec, Template};
use super::{Check, run};

pub(super) fn reachable(source: &GateSource, at: &str, spec: &Spec, check: &mut Check<'_>) {
    if let GateSource::Prometheus { server: None, .. } = source
        && spec.observe.prometheus.is_none()
    {
        let hint = "server = \"http://prometheus:9090\", or observe.prometheus for all";
        check.refuse_with(at, "it is not said which Prometheus to ask", hint);
    }
    if let Some(one) = source.login() {
        login(one, "source", at, spec, check);
    }
    match source {
        GateSource::Prometheus { prometheus, .. } => {
            placeholders(prometheus, &format!("{at}.prometheus"), check);
        }
        GateSource::Http { http, .. } => address(http, &format!("{at}.http"), spec, check),
        GateSource::Command { .. } | GateSource::Judge { .. } => {}
    }
}

fn address(http: &Template, path: &str, spec: &Spec, check: &mut Check<'_>) {
    run::secrets_of(http, path, spec, check);
    for part in &http.0 {
        if let Part::Text(text) = part {
            placeholders(text, path, check);
        }
    }
    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    if let Some(Part::Text(text)) = http.0.first()
        && !is_url(text)
    {
        let message = "it does not begin as the address of a server does";
        check.refuse_with(
            path,
            message,
            "http = \"https://scores.example.com/{release}\"",
        );
    }
}

/// What is put in where a source is asked.
const KNOWN: [&str; 4] = ["release", "stable", "window", "step"];

/// One word in braces means nothing else in a query or an address; in a command it may.
fn placeholders(text: &str, path: &str, check: &mut Check<'_>) {
    let is_word = |word: &&str| {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(inside)
    };
    let words = text.split('{').skip(1);
    let words = words.filter_map(|rest| rest.split_once('}').map(|(word, _)| word));
    for word in words.filter(is_word).filter(|word| !KNOWN.contains(word)) {
        let part = format!("{{{word}}}");
        let problem = check.at_part(path, &part, format!("nothing is put in for {part}"));
        let known = KNOWN.map(|known| format!("{{{known}}}")).join(", ");
        let hint = did_you_mean(word, KNOWN.into_iter());
        let hint = hint.unwrap_or(format!("there are {known}"));
        check.problems.push(problem.hint(Some(hint)));
    }
}

/// `who` gives it.
pub(super) fn login(login: &Login, who: &str, path: &str, spec: &Spec, check: &mut Check<'_>) {
    let logins: Vec<_> = login.templates().collect();
    if logins.len() > 1 {
        let message = format!("a {who} takes a token or a password, not both");
        check.refuse(path, message);
    }
    for (field, text) in logins {
        let path = format!("{path}.{field}");
        run::secrets_of(text, &path, spec, check);
        if !text.has_secret() {
            let hint = format!("{field} = \"${{secret:NAME}}\", and NAME under [secrets]");
            let message = "what stands in agent.toml stands in the journal: name a secret";
            check.refuse_with(&path, message, hint);
        }
    }
}
