//! The engine that builds, once it is needed.

use std::cell::RefCell;
use std::env::consts::ARCH;

use anyhow::Result;
use tokio::sync::OnceCell;

use super::super::site::variable;
use crate::docker::{Engine, Place};

/// Looked for once: what a registry has already needs no engine, so that only whoever builds meets
/// the error.
#[derive(Default)]
pub(super) struct Reached {
    engine: OnceCell<Engine>,
    failed: RefCell<Option<anyhow::Error>>,
}

impl Reached {
    pub(super) async fn engine(&self) -> Result<&Engine> {
        let connect = async || match self.failed.take() {
            Some(error) => Err(error),
            None => Engine::connect(Place::find(&variable)?).await,
        };
        self.engine.get_or_try_init(connect).await
    }

    /// What it builds for by itself; without an engine, what one on this machine would.
    pub(super) async fn platform(&self) -> String {
        let platform = async { self.engine().await?.platform().await };
        platform.await.unwrap_or_else(|error| {
            self.failed.replace(Some(error));
            of_this_machine()
        })
    }
}

/// As Go names machines.
fn of_this_machine() -> String {
    let machine = match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("linux/{machine}")
}
