//! Who the registries are told that we are while an image is built: those that its bases come from,
//! and the one that has its cache.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::image::dockerfile::Dockerfile;
use crate::image::registry::Credentials;
use crate::image::{Recipe, Repository};

/// Asked when a registry wants to know. Where a helper fails the registry is told nothing: it may
/// be open to all, or the engine have the base already. Why it failed is told if the build fails.
pub(crate) struct Logins {
    /// Holds Docker's `config.json`.
    folder: Option<PathBuf>,
    failed: Mutex<Option<anyhow::Error>>,
}

impl Logins {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            failed: Mutex::default(),
        }
    }

    pub(super) async fn of(&self, registry: &Repository) -> Credentials {
        match Credentials::find(self.folder.as_deref(), registry).await {
            Ok(found) => found,
            Err(error) => {
                if let Ok(mut failed) = self.failed.lock() {
                    failed.get_or_insert(error);
                }
                Credentials::None
            }
        }
    }

    /// For a builder that cannot ask: the value of `X-Registry-Config`, before it is encoded.
    pub(super) async fn of_bases(&self, recipe: &Recipe) -> Value {
        let mut known = BTreeMap::new();
        for base in Dockerfile::parse(&recipe.dockerfile).bases(&recipe.args) {
            let Ok((registry, _)) = Repository::of_image(&base.image) else {
                continue;
            };
            let said = match self.of(&registry).await {
                Credentials::None => continue,
                Credentials::Basic(user, password) => {
                    json!({ "username": user, "password": password })
                }
                Credentials::Identity(token) => json!({ "identitytoken": token }),
            };
            known.insert(registry.key().to_owned(), said);
        }
        json!(known)
    }

    /// What a helper said, once.
    pub(super) fn trouble(&self) -> Option<anyhow::Error> {
        self.failed.lock().ok()?.take()
    }
}
