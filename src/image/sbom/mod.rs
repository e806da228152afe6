//! The packages of an image as a CycloneDX bill of materials.
//!
//! The image is read as the engine saves it, layer by layer while it comes, with no file written.
//! Invariants: what a later layer took away is not in it; the same image makes the same bytes.

mod alpine;
mod debian;
mod document;
mod found;
mod layer;
mod node;
mod package;
mod python;
mod saved;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, channel};

use crate::docker::Engine;

/// Pieces of the image that may wait to be read.
const AHEAD: usize = 16;

/// `image` is what the engine knows it by; `digest`, `sha256:…`, is what a registry does.
pub(crate) async fn sbom(engine: &Engine, image: &str, digest: &str) -> Result<Value> {
    let bytes = engine.docker.export_image(image);
    let bytes = bytes.map(|piece| piece.map_err(|error| engine.failure(error)));
    let packages = engine.attended(read(bytes)).await;
    let packages = packages.with_context(|| format!("could not list the packages of {image}"))?;
    Ok(document::document(image, digest, &packages))
}

async fn read(bytes: impl Stream<Item = Result<Bytes>>) -> Result<found::Packages> {
    let (sender, receiver) = channel(AHEAD);
    let reader = Pieces {
        receiver,
        current: Bytes::new(),
    };
    let reading = tokio::task::spawn_blocking(move || saved::packages(reader));
    let sending = async move {
        let mut bytes = std::pin::pin!(bytes);
        while let Some(piece) = bytes.next().await {
            let piece = piece.map_err(io::Error::other);
            // Nobody reads on once something is wrong with the image.
            if sender.send(piece).await.is_err() {
                break;
            }
        }
    };
    let (packages, ()) = tokio::join!(reading, sending);
    packages?
}

struct Pieces {
    receiver: Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}
