//! Figures that the edge does not measure: asked of whom a gate names, now and then, all through a
//! hold.
//!
//! An answer is one finite number, or words for what there was instead: nothing, many series, a
//! text. Invariant: no way of failing is a number.

mod command;
mod judge;
mod web;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use serde_json_path::JsonPath;

pub(crate) use judge::{Purse, Said};

use super::amount::prometheus;
use super::answered;
use super::judge::{Finding, Verdict, against_bounds};
use crate::redact::Redactor;
use crate::spec::{GateSource, MetricGate, Part, Template};

/// Of one try.
const WITHIN: Duration = Duration::from_secs(10);

/// Breaths between tries: what is restarted is often back by then.
const BREATHS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) release: String,
    /// Nothing at a first deploy.
    pub(crate) stable: String,
    /// Seconds.
    pub(crate) window: u64,
    /// Counted from 1.
    pub(crate) step: usize,
}

/// What a source answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) number: f64,
    /// In its own words, of one that says no.
    pub(crate) says: Option<String>,
}

/// The same, or what there was instead, in words.
pub(crate) type Answer = Result<Reading, String>;

impl From<f64> for Reading {
    fn from(number: f64) -> Self {
        Self { number, says: None }
    }
}

/// Without what is to be kept out.
pub(crate) fn cleaned(answer: Answer, redactor: &Redactor) -> Answer {
    match answer {
        Ok(Reading { number, says }) => Ok(Reading {
            number,
            says: says.map(|says| redactor.clean(&says)),
        }),
        Err(says) => Err(redactor.clean(&says)),
    }
}

/// How sources are reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Of secrets, by their names.
    pub(crate) values: BTreeMap<String, String>,
    /// Where commands run and certificates are: beside agent.toml.
    pub(crate) folder: PathBuf,
}

impl Sources {
    /// One number, after some tries.
    ///
    /// # Errors
    /// What there was instead, in words.
    pub(crate) async fn figure(&self, source: &GateSource, about: &About) -> Answer {
        let mut breaths = BREATHS.into_iter();
        loop {
            let answer = self.once(source, about).await;
            match (answer, breaths.next()) {
                (Ok(figure), _) => return Ok(figure),
                (Err(error), None) => return Err(format!("{error:#}")),
                (Err(_), Some(breath)) => tokio::time::sleep(breath).await,
            }
        }
    }

    async fn once(&self, source: &GateSource, about: &About) -> Result<Reading> {
        let asked = async {
            match source {
                GateSource::Command { command, json } => {
                    let command = command.iter().map(|word| about.filled(word));
                    let path = json.as_deref();
                    command::figure(command.collect(), path, &self.folder, about).await
                }
                _ => self.web(source, about).await.map(Reading::from),
            }
        };
        match tokio::time::timeout(WITHIN, asked).await {
            Ok(answer) => answer,
            Err(_) => bail!("no answer within {} s", WITHIN.as_secs()),
        }
    }

    /// With the values of secrets put in.
    fn text(&self, template: &Template) -> Result<String> {
        let parts = template.0.iter().map(|part| match part {
            Part::Text(text) => Ok(text.clone()),
            Part::Secret(name) => {
                let value = self.values.get(name).cloned();
                value.with_context(|| format!("the value of the secret {name} is not there"))
            }
            Part::Variable(name) => bail!("${{{name}}} was left in the gate"),
        });
        parts.collect()
    }
}

impl About {
    fn filled(&self, text: &str) -> String {
        text.replace("{release}", &self.release)
            .replace("{stable}", &self.stable)
            .replace("{window}", &format!("{}s", self.window.max(1)))
            .replace("{step}", &self.step.to_string())
    }
}

/// Judges a gate by what its source said last; `None`: it has not answered yet.
pub(crate) fn judge_figure(gate: &MetricGate, answer: Option<&Answer>) -> Verdict {
    let name = gate.label();
    let is_answer = gate.source.as_ref().is_some_and(GateSource::is_answer);
    let (finding, says) = match answer {
        None => (Finding::Unclear, format!("{name} is being asked for")),
        Some(Err(says)) => (Finding::Unclear, format!("{name} is not known: {says}")),
        Some(Ok(figure)) if is_answer => yes_or_no(name, figure),
        Some(Ok(figure)) => against_bounds(gate, figure.number),
    };
    Verdict {
        gate: name.to_owned(),
        finding,
        figure: answer.and_then(|answer| Some(answer.as_ref().ok()?.number)),
        says,
        evidence: None,
        both: false,
    }
}

fn yes_or_no(name: &str, figure: &Reading) -> (Finding, String) {
    match (figure.number == 0.0, &figure.says) {
        (true, _) => (Finding::Pass, format!("{name} says yes")),
        (false, Some(words)) => (Finding::Fail, format!("{name} says no: {words}")),
        (false, None) => (Finding::Fail, format!("{name} says no")),
    }
}

/// The one number that a JSONPath finds.
fn number_at(path: &str, json: &Value) -> Result<f64> {
    let path = JsonPath::parse(path)?;
    let found = path.query(json).all();
    let value = match found.as_slice() {
        [] => bail!("{path} finds nothing"),
        [one] => *one,
        more => bail!("{path} finds {} values", more.len()),
    };
    match value {
        Value::Number(number) => finite(number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(yes) => Ok(f64::from(u8::from(*yes))),
        Value::String(text) => {
            let number = text.trim().parse().ok();
            finite(number.with_context(|| format!("{path} is the text \"{}\"", cut(text)))?)
        }
        other => bail!("{path} is {}, and no number", kind(other)),
    }
}

fn finite(number: f64) -> Result<f64> {
    match number.is_finite() {
        true => Ok(number),
        false => bail!("the answer is {number}"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
        _ => "something else",
    }
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
