//! Values from variables and files, in a Secret of the agent's. Nothing else holds one; what marks
//! their change is a hash with salt, which the Secret keeps.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::cluster::MANAGER;
use super::world::NAME;
use super::{Cluster, address};
use crate::release::Identity;
use crate::target::process::secrets::Values;

/// Makes hashes of values worthless to who guesses values.
const SALT: &str = "agentctl.dev/salt";

impl Cluster {
    fn secret(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": format!("{}-secrets", self.agent),
                "labels": { NAME: self.agent, "app.kubernetes.io/managed-by": MANAGER },
            },
        })
    }

    async fn kept_secret(&self) -> Result<Option<Value>> {
        self.get(&address::of(&self.secret(), &self.namespace)?)
            .await
    }

    /// The values that the last deploy left there.
    pub(crate) async fn kept_secrets(&self) -> Result<Values> {
        match self.kept_secret().await? {
            Some(secret) => values(&secret),
            None => Ok(Values::new()),
        }
    }

    /// What tells these values from others; nothing where there are none.
    pub(crate) async fn mark_of(&self, values: &Values) -> Result<Option<Identity>> {
        if values.is_empty() {
            return Ok(None);
        }
        let kept = self.kept_secret().await?;
        let salt = self.salt(kept.as_ref())?;
        let text = json!({ "salt": salt, "values": values }).to_string();
        Ok(Some(Identity::of(text.as_bytes())))
    }

    /// The salt that is kept, or else the one that will be.
    fn salt(&self, kept: Option<&Value>) -> Result<String> {
        if let Some(salt) = kept.and_then(salt) {
            return Ok(salt);
        }
        let mut fresh = self.salt.borrow_mut();
        if fresh.is_none() {
            *fresh = Some(fresh_salt()?);
        }
        Ok(fresh.clone().unwrap_or_default())
    }

    /// Keeps these, and the older ones of other names that an earlier release may need; the answer
    /// is whether a value that was kept has changed.
    pub(crate) async fn keep_secrets(&self, new: &Values) -> Result<bool> {
        if new.is_empty() {
            return Ok(false);
        }
        let kept = self.kept_secret().await?;
        let old = kept.as_ref().map(values).transpose()?.unwrap_or_default();
        let is_same = new.iter().all(|(name, value)| old.get(name) == Some(value));
        if is_same && kept.as_ref().and_then(salt).is_some() {
            return Ok(false);
        }
        let changed =
            |(name, value): (&String, &String)| old.get(name).is_some_and(|old| old != value);
        let changed = new.iter().any(changed);
        let salt = self.salt(kept.as_ref())?;
        let all = old.iter().chain(new.iter());
        let data: BTreeMap<&String, String> = all
            .map(|(name, value)| (name, STANDARD.encode(value)))
            .collect();
        let mut secret = self.secret();
        secret["metadata"]["annotations"] = json!({ SALT: salt });
        secret["data"] = json!(data);
        self.apply(&secret, false)
            .await
            .context("could not keep the secrets")?;
        Ok(changed)
    }
}

fn values(secret: &Value) -> Result<Values> {
    let data = secret["data"].as_object().into_iter().flatten();
    data.map(|(name, value)| {
        let bytes = STANDARD.decode(value.as_str().unwrap_or_default())?;
        Ok((name.clone(), String::from_utf8_lossy(&bytes).into_owned()))
    })
    .collect()
}

fn salt(secret: &Value) -> Option<String> {
    let salt = secret["metadata"]["annotations"][SALT].as_str()?;
    Some(salt.to_owned())
}

fn fresh_salt() -> Result<String> {
    let mut bytes = [0; 16];
    let mut random = std::fs::File::open("/dev/urandom").context("there is no randomness")?;
    std::io::Read::read_exact(&mut random, &mut bytes)?;
    Ok(crate::hex::hex(&bytes))
}
