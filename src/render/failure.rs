use std::fmt;

/// Why a template did not make what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    template: String,
    /// From 1, where it is known.
    line: Option<usize>,
    message: String,
}

impl Failure {
    pub(super) fn of_template(name: &str, error: &minijinja::Error) -> Self {
        let source = std::error::Error::source(error);
        let cause = source.map(|cause| format!(": {cause}")).unwrap_or_default();
        let detail = error
            .detail()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        Self {
            template: error.name().unwrap_or(name).to_owned(),
            line: error.line(),
            message: format!("{}{detail}{cause}{}", error.kind(), near(error)),
        }
    }

    /// What a template made is not YAML.
    pub(super) fn of_yaml(name: &str, text: &str, error: &serde_yaml::Error) -> Self {
        let line = error.location().map(|location| location.line() as usize);
        let made = line.and_then(|line| text.lines().nth(line.saturating_sub(1)));
        let made = made
            .map(|made| format!(", in what it made: {}", cut(made.trim())))
            .unwrap_or_default();
        Self {
            template: name.to_owned(),
            line: None,
            message: format!("not YAML: {error}{made}"),
        }
    }

    pub(super) fn not_an_object(name: &str, text: &str) -> Self {
        Self {
            template: name.to_owned(),
            line: None,
            message: format!(
                "it should make one YAML mapping, and made {:?}",
                cut(text.trim())
            ),
        }
    }

    pub(super) fn of_platform(name: &str, message: String) -> Self {
        Self {
            template: name.to_owned(),
            line: None,
            message,
        }
    }
}

/// The expression and the values that it was made of, as far as the engine knows them.
fn near(error: &minijinja::Error) -> String {
    let Some(range) = error.range() else {
        return String::new();
    };
    let source = error.template_source().and_then(|source| source.get(range));
    source
        .map(|source| format!(", at {}", cut(source)))
        .unwrap_or_default()
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(120).collect();
    match short.len() < text.len() {
        true => short + "…",
        false => short,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "templates/{}", self.template)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Failure {}
