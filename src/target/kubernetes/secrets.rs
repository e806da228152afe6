//! Values from variables and files, in Secrets of the agent's: each set of values in one of its own,
//! which releases name, and the last set in one that all share. Nothing else holds one; what marks
//! their change is a hash with salt, which the shared one keeps.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::cluster::MANAGER;
use super::orders::name;
use super::world::NAME;
use super::{Cluster, address};
use crate::release::Identity;
use crate::render::secret_of;
use crate::target::process::secrets::Values;

/// Makes hashes of values worthless to who guesses values.
const SALT: &str = "agentctl.dev/salt";

impl Cluster {
    /// `None`: the shared one.
    fn secret(&self, of: Option<&Identity>) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": secret_of(&self.agent, of),
                "labels": { NAME: self.agent, "app.kubernetes.io/managed-by": MANAGER },
            },
        })
    }

    async fn kept_secret(&self, of: Option<&Identity>) -> Result<Option<Value>> {
        self.get(&address::of(&self.secret(of), &self.namespace)?)
            .await
    }

    /// The values that the last deploy left there.
    pub(crate) async fn kept_secrets(&self) -> Result<Values> {
        match self.kept_secret(None).await? {
            Some(secret) => values(&secret),
            None => Ok(Values::new()),
        }
    }

    /// What tells these values from others; nothing where there are none.
    pub(crate) async fn mark_of(&self, values: &Values) -> Result<Option<Identity>> {
        if values.is_empty() {
            return Ok(None);
        }
        let kept = self.kept_secret(None).await?;
        let salt = self.salt(kept.as_ref())?;
        let text = json!({ "salt": salt, "values": values }).to_string();
        Ok(Some(Identity::of(text.as_bytes())))
    }

    /// Whether no salt was kept when values were marked.
    pub(crate) fn marks_anew(&self) -> bool {
        self.salt.borrow().is_some()
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

    /// Keeps these, in a Secret that no other values take the place of, and as the last ones.
    pub(crate) async fn keep_secrets(&self, new: &Values) -> Result<()> {
        let Some(mark) = self.mark_of(new).await? else {
            return Ok(());
        };
        self.keep_last(new).await?;
        let kept = self.kept_secret(Some(&mark)).await?;
        match kept.as_ref().map(values).transpose()?.as_ref() == Some(new) {
            true => Ok(()),
            false => self.write(self.secret(Some(&mark)), new).await,
        }
    }

    /// Beside the older ones of other names, which a release of an earlier version of agentctl may
    /// need.
    async fn keep_last(&self, new: &Values) -> Result<()> {
        let kept = self.kept_secret(None).await?;
        let old = kept.as_ref().map(values).transpose()?.unwrap_or_default();
        let is_same = new.iter().all(|(name, value)| old.get(name) == Some(value));
        if is_same && kept.as_ref().and_then(salt).is_some() {
            return Ok(());
        }
        let mut secret = self.secret(None);
        secret["metadata"]["annotations"] = json!({ SALT: self.salt(kept.as_ref())? });
        let all = old.into_iter().chain(new.clone());
        self.write(secret, &all.collect()).await
    }

    async fn write(&self, mut secret: Value, values: &Values) -> Result<()> {
        let encoded = values
            .iter()
            .map(|(name, value)| (name, STANDARD.encode(value)));
        secret["data"] = json!(encoded.collect::<BTreeMap<_, _>>());
        let written = self.apply(&secret, false).await;
        written.map(drop).context("could not keep the secrets")
    }

    /// All of the agent's, the shared one too.
    async fn all_secrets(&self) -> Result<Vec<Value>> {
        let ours = address::ours(&self.agent);
        let all = address::all("v1", "Secret", &self.namespace);
        let list = self.get(&format!("{all}?{ours}")).await?;
        let shared = secret_of(&self.agent, None);
        let mut secrets = match list.unwrap_or_default()["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        // Others may carry the label too, as what External Secrets makes.
        secrets.retain(|secret| name(secret).starts_with(&shared));
        Ok(secrets)
    }

    /// The values of all releases that are kept; a name may have several.
    pub(crate) async fn all_values(&self) -> Result<Vec<(String, String)>> {
        let secrets = self.all_secrets().await?;
        let each = secrets.iter().map(values).collect::<Result<Vec<_>>>()?;
        Ok(each.into_iter().flatten().collect())
    }

    /// Removes those whose name is not wanted any more.
    pub(super) async fn drop_secrets(&self, is_wanted: impl Fn(&str) -> bool) -> Result<()> {
        let all = address::all("v1", "Secret", &self.namespace);
        for secret in self.all_secrets().await? {
            let name = name(&secret);
            if !is_wanted(name) {
                self.delete(&format!("{all}/{name}")).await?;
            }
        }
        Ok(())
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
