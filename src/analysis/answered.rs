//! What somebody else answers, as far as it is read: none of them may fill the memory of whoever asks.

use anyhow::{Result, ensure};
use reqwest::Response;

/// Beyond that it is no figure.
pub(super) const LARGEST: usize = 1 << 20;

/// # Errors
/// Where it breaks off, or has more than [`LARGEST`] bytes.
pub(super) async fn body(mut answer: Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        body.extend_from_slice(&part);
        ensure!(body.len() <= LARGEST, "it answered with more than 1 MiB");
    }
    Ok(body)
}
