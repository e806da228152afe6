//! The length of a list, in the protocol that every Redis speaks: a request is a list of texts, and
//! of the answers only lines are asked for.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Of all answers, which are a line each.
const MOST: u64 = 4096;
const PORT: u16 = 6379;

pub(super) async fn length(address: &str, list: &str, password: Option<&str>) -> Result<f64> {
    let address = match address.contains(':') {
        true => address.to_owned(),
        false => format!("{address}:{PORT}"),
    };
    let mut stream = TcpStream::connect(address)
        .await
        .context("could not connect")?;
    let login = password.map(|password| request(&["AUTH", password]));
    let asks = login.clone().unwrap_or_default() + &request(&["LLEN", list]);
    stream.write_all(asks.as_bytes()).await?;
    let mut answers = BufReader::new(stream.take(MOST)).lines();
    let mut answer = async || {
        let line = answers.next_line().await?;
        line.context("it closed the connection")
    };
    if login.is_some() {
        accepted(&answer().await?)?;
    }
    number(&answer().await?)
}

fn request(words: &[&str]) -> String {
    let words = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let count = words.len();
    format!("*{count}\r\n{}", words.collect::<String>())
}

/// Its own word for an error is the first of the line.
fn accepted(line: &str) -> Result<()> {
    match line.strip_prefix('-') {
        Some(error) => bail!("it said: {error}"),
        None => Ok(()),
    }
}

fn number(line: &str) -> Result<f64> {
    accepted(line)?;
    let number = line
        .strip_prefix(':')
        .and_then(|digits| digits.parse().ok());
    number.context("it answered with no number: is it a Redis?")
}
