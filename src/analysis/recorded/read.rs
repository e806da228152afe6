//! Observations as a file has them: a JSON object a line, or CSV with a line of names.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Observation;
use crate::analysis::judges::Arm;
use crate::spec::Percent;

/// What is wrong, and where.
#[derive(Debug, PartialEq)]
pub(crate) struct Unreadable {
    /// From 1.
    line: usize,
    says: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.says)
    }
}

impl std::error::Error for Unreadable {}

type Fields = Map<String, Value>;

/// In the order of their time.
pub(crate) fn observations(text: &str) -> Result<Vec<Observation>, Unreadable> {
    let lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()));
    let lines: Vec<_> = lines.filter(|(_, line)| !line.is_empty()).collect();
    let is_json = lines.first().is_some_and(|(_, line)| line.starts_with('{'));
    let rows = match is_json {
        true => lines
            .iter()
            .map(|(line, text)| (*line, object(text)))
            .collect(),
        false => table(&lines)?,
    };
    let read = rows.into_iter().filter_map(|(line, fields)| {
        let read = fields.and_then(|fields| match has_one_release(&fields) {
            true => Ok(None),
            false => observation(&fields).map(Some),
        });
        read.map_err(|says| Unreadable { line, says }).transpose()
    });
    let mut all = read.collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(all)
}

type Rows = Vec<(usize, Result<Fields, String>)>;

fn object(line: &str) -> Result<Fields, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(error) => Err(format!("it is no JSON: {error}")),
    }
}

fn table(lines: &[(usize, &str)]) -> Result<Rows, Unreadable> {
    let Some(((line, head), rows)) = lines.split_first() else {
        return Ok(Vec::new());
    };
    let unreadable = |says| Unreadable { line: *line, says };
    let names = cells(head).map_err(unreadable)?;
    if !names.iter().any(|name| name == "time") {
        let says = "it is neither JSON nor the names of columns, with \"time\" among them";
        return Err(unreadable(says.to_owned()));
    }
    let row = |text: &str| {
        let cells = cells(text)?;
        if cells.len() != names.len() {
            return Err(format!("it has {} cells, not {}", cells.len(), names.len()));
        }
        let filled = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        Ok(filled
            .map(|(name, cell)| (name.clone(), cell.into()))
            .collect())
    };
    Ok(rows.iter().map(|(line, text)| (*line, row(text))).collect())
}

/// A cell in quotes may have commas in it, and quotes as `""`.
fn cells(line: &str) -> Result<Vec<String>, String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let cell = cells.last_mut();
        match (c, is_quoted) {
            ('"', true) if chars.peek() == Some(&'"') => {
                chars.next();
                cell.into_iter().for_each(|cell| cell.push('"'));
            }
            ('"', _) => is_quoted = !is_quoted,
            (',', false) => cells.push(String::new()),
            (c, _) => cell.into_iter().for_each(|cell| cell.push(c)),
        }
    }
    match is_quoted {
        true => Err("a quote is not closed".to_owned()),
        false => Ok(cells
            .into_iter()
            .map(|cell| cell.trim().to_owned())
            .collect()),
    }
}

/// Before and after a step that splits traffic there is nothing to compare.
fn has_one_release(fields: &Fields) -> bool {
    let weight = fields.get("weight").and_then(number);
    weight.is_some_and(|weight| weight == 0.0 || weight == 100.0)
}

fn observation(fields: &Fields) -> Result<Observation, String> {
    let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
    Ok(Observation {
        time: time(given("time").ok_or("it has no time")?)?,
        arm: given("arm").map(arm).transpose()?,
        failed: given("error").map(yes).transpose()?.unwrap_or(false),
        latency: given("latency")
            .map(|value| amount("latency", value))
            .transpose()?,
        cost: given("cost")
            .map(|value| amount("cost", value))
            .transpose()?,
        conversation: given("conversation").map(text),
        weight: given("weight").map(weight).transpose()?,
    })
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    number.filter(|number: &f64| number.is_finite())
}

/// Seconds since 1970, or a moment as RFC 3339 has it.
fn time(value: &Value) -> Result<f64, String> {
    let moment = || text(value).parse::<Timestamp>().ok();
    let moment = || moment().map(|moment| moment.as_nanosecond() as f64 / 1e9);
    number(value)
        .or_else(moment)
        .ok_or_else(|| format!("time is neither seconds nor like 2026-10-06T12:03:44Z: {value}"))
}

fn arm(value: &Value) -> Result<Arm, String> {
    match value.as_str() {
        Some("stable") => Ok(Arm::Stable),
        Some("candidate") => Ok(Arm::Candidate),
        _ => Err(format!("arm is \"stable\" or \"candidate\", not {value}")),
    }
}

fn yes(value: &Value) -> Result<bool, String> {
    match text(value).as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("error is true or false, not {value}")),
    }
}

fn amount(name: &str, value: &Value) -> Result<f64, String> {
    let amount = number(value).filter(|amount| *amount >= 0.0);
    amount.ok_or_else(|| format!("{name} is a number that is not below 0, not {value}"))
}

fn weight(value: &Value) -> Result<Percent, String> {
    let percent = number(value).and_then(Percent::new);
    let inside = percent.filter(|weight| weight.is_split());
    inside.ok_or_else(|| format!("weight is a percentage between 0 and 100, not {value}"))
}
