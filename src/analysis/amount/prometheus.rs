//! The value of a query now.

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use serde_json::Value;

use super::{address, escaped, json};

pub(super) async fn value(server: &str, query: &str, token: Option<&str>) -> Result<f64> {
    let url = query_url(server, query)?;
    let (status, body) = json(url, token).await?;
    match body["error"].as_str() {
        Some(error) => bail!("it said: {error}"),
        None => ensure!(status.is_success(), "it answered with {status}"),
    }
    one(&body["data"]).with_context(|| format!("the query is {query}"))
}

pub(in crate::analysis) fn query_url(server: &str, query: &str) -> Result<Url> {
    let server = server.trim_end_matches('/');
    address(&format!("{server}/api/v1/query?query={}", escaped(query)))
}

/// How much waits is never below zero.
pub(super) fn one(data: &Value) -> Result<f64> {
    match one_of_any_sign(data)? {
        number if number < 0.0 => bail!("the query's value is {number}"),
        number => Ok(number),
    }
}

/// A scalar, or a vector of one.
pub(in crate::analysis) fn one_of_any_sign(data: &Value) -> Result<f64> {
    let result = &data["result"];
    let value = match (data["resultType"].as_str(), result.as_array()) {
        (Some("scalar"), _) => &result[1],
        (Some("vector"), Some(series)) => match series.as_slice() {
            [] => bail!("the query has no value now"),
            [one] => &one["value"][1],
            more => bail!("the query has {} values: sum() makes them one", more.len()),
        },
        _ => bail!("the query has no value that is a number"),
    };
    let number = value.as_str().and_then(|text| text.parse::<f64>().ok());
    let number = number.context("the query has no value that is a number")?;
    match number.is_finite() {
        true => Ok(number),
        false => bail!("the query's value is {number}"),
    }
}
