//! Sources over HTTP.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Certificate, Client, Identity, RequestBuilder, Url};
use serde_json::Value;

use super::{About, Sources, answered, number_at, prometheus};
use crate::spec::{GateSource, Login};

/// Of what it says went wrong, in characters.
const LONGEST: usize = 300;

impl Sources {
    pub(super) async fn web(&self, source: &GateSource, about: &About) -> Result<f64> {
        match source {
            GateSource::Prometheus {
                prometheus: query,
                server,
                login,
            } => {
                let server = server.as_deref().context("its address is not given")?;
                let url = prometheus::query_url(server, &about.filled(query))?;
                let (_, body) = self.get(url, login).await?;
                prometheus::one_of_any_sign(&body["data"])
            }
            GateSource::Http { http, json, login } => {
                let text = about.filled(&self.text(http)?);
                let url = Url::parse(&text).context("its address is no URL")?;
                let (is_json, body) = self.get(url, login).await?;
                ensure!(is_json, "it answered with what is not JSON");
                number_at(json, &body)
            }
            GateSource::Command { .. } | GateSource::Judge { .. } => {
                bail!("it is not asked for a figure over HTTP")
            }
        }
    }

    /// Whether it was JSON, and that.
    async fn get(&self, url: Url, login: &Login) -> Result<(bool, Value)> {
        let client = self.client(login)?;
        let request = self.logged_in(client.get(url), login)?;
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = answer.status();
        let body = answered::body(answer).await?;
        let json = serde_json::from_slice::<Value>(&body).ok();
        let error = json.as_ref().and_then(|json| json["error"].as_str());
        match (status.is_success(), error) {
            (true, _) => Ok((json.is_some(), json.unwrap_or_default())),
            (false, Some(error)) => {
                let error: String = error.chars().take(LONGEST).collect();
                bail!("it answered with {status}: {error}")
            }
            (false, None) => bail!("it answered with {status}"),
        }
    }

    pub(super) fn client(&self, login: &Login) -> Result<Client> {
        let beside = |file: &String| self.folder.join(file);
        let (ca, own) = (login.ca.as_ref(), login.client.as_ref());
        client(ca.map(beside).as_deref(), own.map(beside).as_deref())
    }

    pub(super) fn logged_in(
        &self,
        request: RequestBuilder,
        login: &Login,
    ) -> Result<RequestBuilder> {
        if let Some(token) = &login.bearer {
            return Ok(request.bearer_auth(self.text(token)?));
        }
        let Some(basic) = &login.basic else {
            return Ok(request);
        };
        let both = self.text(basic)?;
        let (name, password) = both.split_once(':').context("basic is not name:password")?;
        Ok(request.basic_auth(name, Some(password)))
    }
}

fn client(ca: Option<&Path>, own: Option<&Path>) -> Result<Client> {
    // Fails where one was chosen before, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder().user_agent(concat!("agentctl/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = ca {
        let believed = Certificate::from_pem_bundle(&read(file)?);
        builder = builder.tls_certs_merge(believed.with_context(|| unusable(file))?);
    }
    if let Some(file) = own {
        let identity = Identity::from_pem(&read(file)?);
        builder = builder.identity(identity.with_context(|| unusable(file))?);
    }
    builder.build().context("could not prepare TLS")
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| unusable(file))
}

fn unusable(file: &Path) -> String {
    format!("could not use {}", file.display())
}
