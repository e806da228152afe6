//! Why there is no image, in the words of whoever wrote the Dockerfile.

use std::fmt;

use super::dockerfile::{find, instructions};
use super::steps::{Step, Steps};
use crate::advice::{Advice, advice};
use crate::image::Recipe;

/// A step that failed: where it stands, what it is, what it said.
#[derive(Debug)]
struct Failure {
    dockerfile: String,
    line: Option<usize>,
    step: String,
    cause: String,
    tail: Vec<String>,
}

impl Failure {
    fn of(step: &Step, cause: &str, recipe: &Recipe) -> Self {
        let all = instructions(&recipe.dockerfile);
        let found = find(&all, &step.name);
        Self {
            dockerfile: name(recipe).to_owned(),
            line: found.map(|found| found.line),
            step: found.map_or_else(|| step.name.clone(), |found| found.text.clone()),
            cause: cause.to_owned(),
            tail: step.tail().map(str::to_owned).collect(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "{}:{line}: ", self.dockerfile)?;
        }
        write!(f, "{}", self.step)?;
        for line in &self.tail {
            write!(f, "\n  | {line}")?;
        }
        write!(f, "\n{}", self.cause)
    }
}

impl std::error::Error for Failure {}

/// Every way for it to fail has one thing to do next.
pub(super) fn explain(error: anyhow::Error, recipe: &Recipe, steps: &Steps<'_>) -> anyhow::Error {
    if error.downcast_ref::<Advice>().is_some() {
        return error.context(format!("could not build {}", recipe.tag));
    }
    let cause = steps.redact(short(&format!("{error:#}")));
    let advice = advice(
        format!("could not build {}", recipe.tag),
        hint(&cause, steps.failed(), name(recipe)),
    );
    let what = match steps.failed() {
        Some(step) => anyhow::Error::new(Failure::of(step, &cause, recipe)),
        None => anyhow::anyhow!(cause),
    };
    match advice.downcast::<Advice>() {
        Ok(advice) => what.context(advice),
        Err(other) => other,
    }
}

fn name(recipe: &Recipe) -> &str {
    recipe.own.as_deref().unwrap_or("Dockerfile")
}

/// BuildKit says first through which of its parts an error came.
fn short(cause: &str) -> &str {
    const LAYERS: [&str; 4] = [
        "failed to solve with frontend dockerfile.v0: ",
        "failed to solve: ",
        "failed to create LLB definition: ",
        "rpc error: code = Unknown desc = ",
    ];
    let mut rest = cause;
    while let Some(shorter) = LAYERS.iter().find_map(|layer| rest.strip_prefix(layer)) {
        rest = shorter;
    }
    rest
}

fn hint(cause: &str, failed: Option<&Step>, dockerfile: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    if has(&["no space left on device"]) {
        return "make room on the engine's disk: docker system df says what takes it".to_owned();
    }
    if has(&["parse error", "unknown instruction", "no instructions"]) {
        return format!("mend that line of {dockerfile}");
    }
    if has(&["pull access denied", "manifest unknown"]) || failed.is_some_and(Step::is_base) {
        return format!(
            "see whether FROM in {dockerfile} names an image that is there: docker pull IMAGE"
        );
    }
    match failed {
        Some(_) => format!("mend what {dockerfile} does there, and build again"),
        None => "see what the engine says of itself: docker info".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Ended;
    use crate::redact::Redactor;
    use anyhow::anyhow;

    /// What is said of an error in this step.
    fn told(step: Option<&str>, cause: &str) -> (String, String) {
        let mut watch = |_| ();
        let mut steps = Steps::new(&mut watch, Redactor::default());
        if let Some(name) = step {
            let step = steps.begin(name);
            steps.end(step, Ended::Failed);
        }
        let recipe = Recipe {
            dockerfile: "FROM a\nRUN make\n".to_owned(),
            own: Some("docker/Dockerfile".to_owned()),
            tag: "a:1".to_owned(),
            ..Recipe::default()
        };
        let error = explain(anyhow!("{cause}"), &recipe, &steps);
        let hint = error.downcast_ref::<Advice>().unwrap().hint.clone();
        (error.root_cause().to_string(), hint)
    }

    #[test]
    fn each_failure_says_what_to_do_next() {
        let cases = [
            (
                Some("[2/2] RUN make"),
                "write /x: no space left on device",
                "docker system df",
            ),
            (
                None,
                "dockerfile parse error line 2: unknown instruction: RUNN",
                "mend that line",
            ),
            (Some("Step: FROM a"), "manifest unknown", "docker pull"),
            (
                Some("FROM a"),
                "Get \"http://b\": connection refused",
                "docker pull",
            ),
            (
                Some("[internal] load metadata for a"),
                "failed to do request",
                "docker pull",
            ),
            (
                Some("RUN make"),
                "exit code 2",
                "mend what docker/Dockerfile does there",
            ),
            (None, "unexpected EOF", "docker info"),
        ];
        for (step, cause, part) in cases {
            let (_, hint) = told(step, cause);
            assert!(hint.contains(part), "{cause}: {hint}");
        }
    }

    #[test]
    fn buildkits_own_layers_are_left_out() {
        let cause =
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: no";
        assert_eq!(told(None, cause).0, "no");
        let (text, _) = told(Some("[2/2] RUN make"), "exit code 2");
        assert_eq!(text, "docker/Dockerfile:2: RUN make\nexit code 2");
    }
}
