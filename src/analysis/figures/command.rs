//! A command as a source.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::{About, cut, number_at};

/// Its exit code where no path is given.
pub(super) async fn figure(
    command: Vec<String>,
    json: Option<&str>,
    folder: &Path,
    about: &About,
) -> Result<f64> {
    let (program, arguments) = command.split_first().context("the command is empty")?;
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("AGENTCTL_RELEASE", &about.release)
        .env("AGENTCTL_STABLE", &about.stable)
        .env("AGENTCTL_WINDOW", about.window.to_string())
        .env("AGENTCTL_STEP", about.step.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("could not run {program}"))?;
    let Some(path) = json else {
        return match ran.status.code() {
            Some(code @ (0 | 1)) => Ok(f64::from(code)),
            _ => bail!("it ended with {}{}", ran.status, last_words(&ran.stderr)),
        };
    };
    if !ran.status.success() {
        bail!("it ended with {}{}", ran.status, last_words(&ran.stderr));
    }
    let json = serde_json::from_slice(&ran.stdout).context("it printed what is not JSON")?;
    number_at(path, &json)
}

fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let last = text.trim_end().lines().next_back();
    last.map_or_else(String::new, |line| format!(": {}", cut(line)))
}
