//! From a kubeconfig to a client, and what is wrong with a kubeconfig in words.

use anyhow::Result;
use hyper::header::{HeaderValue, USER_AGENT};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::advice::because;

/// What is reached, and as what it is known.
pub(super) struct Reached {
    pub(super) client: Client,
    pub(super) url: String,
    /// As agent.toml says, or else the context.
    pub(super) namespace: String,
}

/// Nothing is asked of the cluster yet.
///
/// # Errors
/// Where there is no kubeconfig, or not that context in it.
pub(super) async fn reach(context: Option<&str>, namespace: Option<&str>) -> Result<Reached> {
    set_up(config(context).await?, namespace)
}

/// As `reach`, from a kubeconfig that is read already.
#[cfg(test)]
pub(super) async fn reach_by(kubeconfig: Kubeconfig, namespace: &str) -> Result<Reached> {
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    set_up(config, Some(namespace))
}

fn set_up(mut config: Config, namespace: Option<&str>) -> Result<Reached> {
    // A request that is lost is asked again by who knows whether that is safe.
    config.default_retry = false;
    // Whoever reads the cluster's audit log sees who it was.
    let name = HeaderValue::from_static(concat!("agentctl/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, name));
    let namespace = namespace.unwrap_or(&config.default_namespace).to_owned();
    let url = config.cluster_url.to_string();
    let client = Client::try_from(config).map_err(|error| {
        because(
            format!("could not set up the way to the cluster at {url}"),
            error.to_string(),
            "see whether kubectl can: kubectl version",
        )
    })?;
    Ok(Reached {
        client,
        url,
        namespace,
    })
}

async fn config(context: Option<&str>) -> Result<Config> {
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    match Config::from_kubeconfig(&options).await {
        Ok(config) => Ok(config),
        Err(error) => match Config::incluster() {
            Ok(config) if context.is_none() && is_absent(&error) => Ok(config),
            _ => Err(in_words(&error, context)),
        },
    }
}

fn is_absent(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(io, _) => io.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

fn in_words(error: &KubeconfigError, context: Option<&str>) -> anyhow::Error {
    let asked = context.map_or("the current context".to_owned(), |name| {
        format!("the context \"{name}\"")
    });
    match error {
        KubeconfigError::FindPath => none("there is no home folder, and KUBECONFIG is not set"),
        KubeconfigError::ReadConfig(io, path) if is_absent(error) => {
            none(&format!("{}: {io}", path.display()))
        }
        KubeconfigError::LoadContext(_) | KubeconfigError::CurrentContextNotSet => because(
            format!("the kubeconfig has not {asked}"),
            contexts(),
            "context = \"…\" in the target of agent.toml; kubectl config get-contexts",
        ),
        other => because(
            format!("could not use {asked} of the kubeconfig"),
            other.to_string(),
            "see whether kubectl can: kubectl version",
        ),
    }
}

fn none(cause: &str) -> anyhow::Error {
    because(
        "there is no kubeconfig, and so no way to a cluster",
        cause,
        "export KUBECONFIG=…, or write ~/.kube/config",
    )
}

fn contexts() -> String {
    let read = Kubeconfig::read().unwrap_or_default();
    let names: Vec<String> = read
        .contexts
        .into_iter()
        .map(|context| context.name)
        .collect();
    match names.is_empty() {
        true => "it has no contexts".to_owned(),
        false => format!("it has {}", names.join(", ")),
    }
}
