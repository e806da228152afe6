//! Why there is no image, in the words of whoever wrote the Dockerfile.

use std::fmt;

use super::classic::RESERVED;
use super::steps::{Step, Steps};
use crate::advice::{Advice, with_advice};
use crate::image::dockerfile::{Dockerfile, Instruction};
use crate::image::{Recipe, Repository};

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
    fn of(step: &Step, cause: &str, dockerfile: &Dockerfile, recipe: &Recipe) -> Self {
        let base = step
            .base()
            .and_then(|image| line(image, dockerfile, recipe));
        let at = |line| dockerfile.instructions.iter().find(|one| one.line == line);
        let found = match base {
            Some(line) => at(line),
            None => find(&dockerfile.instructions, &step.name),
        };
        Self {
            dockerfile: name(recipe).to_owned(),
            line: found.map(|found| found.line),
            step: found.map_or_else(|| step.name.clone(), shown),
            cause: cause.to_owned(),
            tail: step.tail().map(str::to_owned).collect(),
        }
    }

    /// Before any step began.
    fn at(found: &Instruction, cause: &str, recipe: &Recipe) -> Self {
        Self {
            dockerfile: name(recipe).to_owned(),
            line: Some(found.line),
            step: shown(found),
            cause: cause.to_owned(),
            tail: Vec::new(),
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
pub(super) fn explain(
    error: anyhow::Error,
    recipe: &Recipe,
    steps: &Steps<'_>,
    no_login: Option<anyhow::Error>,
) -> anyhow::Error {
    if error.downcast_ref::<Advice>().is_some() {
        return error.context(format!("could not build {}", recipe.tag));
    }
    let cause = steps
        .redact(short(&format!("{error:#}")))
        .replace(RESERVED, name(recipe));
    let what = format!("could not build {}", recipe.tag);
    let hint = hint(&cause, steps.failed(), name(recipe));
    let is_refused = is_refused(&cause, steps.failed());
    let dockerfile = Dockerfile::parse(&recipe.dockerfile);
    let failure = match (steps.failed(), misnamed(&cause, &dockerfile)) {
        (Some(step), _) => anyhow::Error::new(Failure::of(step, &cause, &dockerfile, recipe)),
        (None, Some(found)) => anyhow::Error::new(Failure::at(found, &cause, recipe)),
        (None, None) => anyhow::anyhow!(cause),
    };
    match no_login.filter(|_| is_refused) {
        Some(no_login) => no_login.context(failure.to_string()).context(what),
        None => with_advice(failure, what, hint),
    }
}

/// A login may have made the difference.
fn is_refused(cause: &str, failed: Option<&Step>) -> bool {
    const WORDS: [&str; 4] = ["denied", "unauthorized", "authentication", "no basic auth"];
    WORDS.iter().any(|word| cause.contains(word)) || failed.is_some_and(Step::is_base)
}

fn name(recipe: &Recipe) -> &str {
    recipe.own.as_deref().unwrap_or("Dockerfile")
}

/// Where the Dockerfile names an image: `a:1` may be told as `docker.io/library/a:1`.
fn line(image: &str, dockerfile: &Dockerfile, recipe: &Recipe) -> Option<usize> {
    let whole = |name: &str| {
        let (repository, tag) = Repository::of_image(name).ok()?;
        Some((repository, tag.to_owned()))
    };
    let wanted = whole(image)?;
    let bases = dockerfile.bases(&recipe.args).into_iter();
    let mut found = bases.filter(|base| whole(&base.image).as_ref() == Some(&wanted));
    found.next().map(|base| base.line)
}

/// Where the name of an image stands that BuildKit could not read.
fn misnamed<'a>(cause: &str, dockerfile: &'a Dockerfile) -> Option<&'a Instruction> {
    let (_, rest) = cause.split_once("failed to parse stage name \"")?;
    let (name, _) = rest.split_once('"')?;
    let mut all = dockerfile.instructions.iter();
    all.find(|one| one.text.contains(name))
}

/// The instruction that a step's name shows, variables in it replaced or not.
fn find<'a>(all: &'a [Instruction], step: &str) -> Option<&'a Instruction> {
    let name = match step.split_once("] ") {
        Some((stage, name)) if stage.starts_with('[') => name,
        _ => step,
    };
    // BuildKit gets what ADD names in a step of its own.
    if name.starts_with("http://") || name.starts_with("https://") {
        return all.iter().find(|one| one.text.contains(name));
    }
    let name = words(name);
    let keyword = name.split(' ').next().unwrap_or_default();
    let alike = |one: &&Instruction| one.keyword.eq_ignore_ascii_case(keyword);
    let same = |one: &Instruction| {
        let shown = shown(one);
        let pairs = shown.bytes().zip(name.bytes());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    let candidates = || all.iter().filter(alike);
    let exact = candidates().find(|one| shown(one).eq_ignore_ascii_case(&name));
    // The first of several that are equally alike: the later ones were not reached.
    exact.or_else(|| candidates().rev().max_by_key(|one| same(one)))
}

/// On one line, without what a heredoc adds below it.
fn shown(one: &Instruction) -> String {
    let first = one.text.lines().next().unwrap_or_default();
    words(&format!("{} {first}", one.keyword))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
    if has(&["cannot be empty", "no instructions"]) {
        return format!("begin {dockerfile} with FROM and an image");
    }
    if has(&["parse error", "unknown instruction"]) {
        return format!("mend that line of {dockerfile}");
    }
    if has(&["should not be blank"]) {
        return format!(
            "give what FROM in {dockerfile} names a value: ARG NAME=…, or [build] args"
        );
    }
    if has(&["unknown operating system or architecture"]) {
        return "a platform is a system and a processor: --platform linux/amd64".to_owned();
    }
    let is_name = !has(&["invalid reference format"]);
    if has(&["pull access denied", "manifest unknown"])
        || is_name && failed.is_some_and(Step::is_base)
    {
        return format!("see whether {dockerfile} names an image that is there: docker pull IMAGE");
    }
    if has(&["invalid reference format"]) {
        return "an image is named like python:3.13, or NAME@sha256:… with all 64 digits; --from takes no \
                variable, but the name of a stage: FROM $NAME AS it"
            .to_owned();
    }
    if has(&["Get \"http"]) {
        return "see whether the engine reaches that address, or fetch the file first and COPY it"
            .to_owned();
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
        let error = explain(anyhow!("{cause}"), &recipe, &steps, None);
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
            (None, "base name ($X) should not be blank", "ARG NAME=…"),
            (
                None,
                "\"bogus\": unknown operating system or architecture",
                "linux/amd64",
            ),
            (
                None,
                "failed to parse stage name \"a@sha256:1\": invalid reference format",
                "64 digits",
            ),
            (
                Some("FROM a@sha256:1"),
                "invalid reference format",
                "64 digits",
            ),
            (
                Some("https://a/x"),
                "Get \"https://a/x\": dial tcp: no such host",
                "COPY it",
            ),
            (None, "unexpected EOF", "docker info"),
        ];
        for (step, cause, part) in cases {
            let (_, hint) = told(step, cause);
            assert!(hint.contains(part), "{cause}: {hint}");
        }
    }

    #[test]
    fn a_step_is_found_by_its_name() {
        let text = "# syntax\nARG BASE=a\nFROM ${BASE} AS one\n\n\
            RUN apt-get update \\\n    # why\n    && apt-get install  x\n\
            RUN <<EOF\nRUN no\nEOF\nCOPY a b\nRUN ls ${DIR}\nADD https://a/x /x\n";
        let dockerfile = Dockerfile::parse(text);
        let cases = [
            (
                "[one 2/5] RUN apt-get update     && apt-get install  x",
                Some(5),
            ),
            ("[stage-1 3/5] RUN ls /app", Some(12)),
            ("COPY a b", Some(11)),
            ("https://a/x", Some(13)),
            ("[internal] load metadata for docker.io/x", None),
        ];
        for (step, line) in cases {
            let found = find(&dockerfile.instructions, step);
            assert_eq!(found.map(|found| found.line), line, "{step}");
        }
    }

    #[test]
    fn buildkits_own_layers_are_left_out() {
        let cause =
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: no";
        assert_eq!(told(None, cause).0, "no");
        let misnamed = "failed to parse stage name \"a\": invalid reference format";
        let says = format!("docker/Dockerfile:1: FROM a\n{misnamed}");
        assert_eq!(told(None, misnamed).0, says);
        let (text, _) = told(Some("[2/2] RUN make"), "exit code 2");
        assert_eq!(text, "docker/Dockerfile:2: RUN make\nexit code 2");
    }
}
