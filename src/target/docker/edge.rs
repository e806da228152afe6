//! The edge's container: made once, with its network and volumes; started again when it was killed.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, HostConfig, Mount, MountBindOptions, MountType,
    PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use tokio::time::{Instant, sleep};

use super::objects::is_missing;
use super::recipe::host;
use super::{CONFIG, Host, STATE, program};
use crate::advice::because;
use crate::docker::Link;
use crate::edge::client::{Edge, Lost};
use crate::edge::containers::{ENGINE, SECRETS, predecessor};
use crate::edge::program::VARIABLE;
use crate::release::Identity;
use crate::spec::Resources;

pub(super) const START_WITHIN: Duration = Duration::from_secs(20);
pub(super) const RETRY: Duration = Duration::from_millis(20);

/// Where an edge listens that is published at this address.
pub(super) fn inside(published: SocketAddr) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, published.port()))
}

impl Host {
    /// One that is published there, or nowhere; what it needs is made where it is missing.
    pub(super) async fn edge_at(&self, address: Option<SocketAddr>) -> Result<Edge> {
        match self.edge_container().await? {
            Some(there) if published(&there) == address => {
                self.wake(&self.names.edge()).await?;
                self.renewed(&there).await
            }
            Some(there) => self.moved(&there, address).await,
            None => {
                self.make_edge(address).await?;
                self.answering().await
            }
        }
    }

    /// `None`: there is none. One that was killed is started again.
    pub(super) async fn revived(&self) -> Result<Option<Edge>> {
        if self.edge_container().await?.is_none() && !self.take_back_edge().await? {
            return self.made_again().await;
        }
        self.wake(&self.names.edge()).await?;
        self.answering().await.map(Some)
    }

    /// Somebody removed its container under its replicas; `None`: there are none, or no history.
    async fn made_again(&self) -> Result<Option<Edge>> {
        if self.replicas().await?.is_empty() || !self.has_volume().await? {
            return Ok(None);
        }
        let address: Option<SocketAddr> = self.read("address").await?;
        if let Err(error) = self.make_edge(address).await {
            // Another command may have been first.
            self.edge_container().await?.ok_or(error)?;
        }
        self.answering().await.map(Some)
    }

    pub(super) async fn answering(&self) -> Result<Edge> {
        let begun = Instant::now();
        loop {
            if let Some(link) = self.edge_link().await? {
                let edge = Edge::behind(&self.names.edge(), link);
                match edge.state().await {
                    Ok(_) => return Ok(edge),
                    Err(error) if error.is::<Lost>() => {}
                    Err(error) => return Err(error),
                }
            }
            if begun.elapsed() > START_WITHIN {
                return Err(self.silent().await);
            }
            sleep(RETRY).await;
        }
    }

    pub(super) async fn silent(&self) -> anyhow::Error {
        let name = self.names.edge();
        let lines = self.last_lines(&name, 3).await.unwrap_or_default();
        let cause = match lines.is_empty() {
            true => "it wrote nothing".to_owned(),
            false => lines.join("\n"),
        };
        let what = format!("the edge in the container {name} does not answer");
        because(what, cause, format!("docker logs {name} shows all of it"))
    }

    pub(super) async fn edge_container(&self) -> Result<Option<ContainerInspectResponse>> {
        self.inspected(&self.names.edge()).await
    }

    pub(super) async fn remove_edge(&self) -> Result<()> {
        *self.link.lock().await = None;
        self.remove(&predecessor(&self.names.project)).await?;
        self.remove(&self.names.edge()).await
    }

    pub(super) async fn make_edge(&self, address: Option<SocketAddr>) -> Result<()> {
        self.make_network().await?;
        self.make_volumes().await?;
        let body = self.edge_body(address).await?;
        let name = self.names.edge();
        let image = body.image.clone().unwrap_or_default();
        self.create(&name, body).await?;
        let started = self.start(&name).await;
        if started.is_err() {
            self.remove(&name).await?;
        }
        started.map_err(|error| match address {
            Some(address) => no_port(error, address),
            None => error,
        })?;
        program::forget_others(&self.engine, &image).await;
        Ok(())
    }

    async fn edge_body(&self, address: Option<SocketAddr>) -> Result<ContainerCreateBody> {
        let mut body = self.program_body("edge").await?;
        body.cmd = Some(self.edge_words());
        let host = body.host_config.get_or_insert_default();
        host.network_mode = Some(self.names.project.clone());
        host.port_bindings = address.map(bindings);
        host.restart_policy = Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        });
        host.mounts.get_or_insert_default().push(Mount {
            typ: Some(MountType::BIND),
            source: Some(
                self.socket
                    .parent()
                    .unwrap_or(&self.socket)
                    .display()
                    .to_string(),
            ),
            target: Some(ENGINE.to_owned()),
            read_only: Some(true),
            // What the engine mounts below it must not be held by this container.
            bind_options: Some(MountBindOptions {
                non_recursive: Some(true),
                ..MountBindOptions::default()
            }),
            ..Mount::default()
        });
        body.exposed_ports = address.map(|address| vec![port(address)]);
        Ok(body)
    }

    pub(super) fn edge_words(&self) -> Vec<String> {
        let socket = self.socket.file_name().unwrap_or_default();
        let socket = Path::new(ENGINE).join(socket).display().to_string();
        let owner = &self.names.project;
        let words = [
            "edge",
            "--state",
            STATE,
            "--containers",
            owner,
            "--engine",
            &socket,
            "--succeed",
        ];
        words.map(str::to_owned).to_vec()
    }

    /// This program in a container that sees the agent's files.
    async fn program_body(&self, service: &str) -> Result<ContainerCreateBody> {
        let limits = host(&[], 0, &Resources::default());
        let host: HostConfig = serde_json::from_value(limits).context("no limits")?;
        let volume = |what: &str, target: &str| Mount {
            typ: Some(MountType::VOLUME),
            source: Some(self.names.volume(what)),
            target: Some(target.to_owned()),
            ..Mount::default()
        };
        let image = program::image(&self.engine, &self.executable).await?;
        let program = image.rsplit(':').next().unwrap_or_default();
        Ok(ContainerCreateBody {
            env: Some(vec![format!("{VARIABLE}={program}")]),
            labels: Some(
                self.names
                    .of_container(service, &Identity::of(image.as_bytes())),
            ),
            image: Some(image),
            user: Some("0".to_owned()),
            host_config: Some(HostConfig {
                mounts: Some(vec![
                    volume("state", STATE),
                    volume("config", CONFIG),
                    volume("secrets", SECRETS),
                ]),
                ..host
            }),
            ..ContainerCreateBody::default()
        })
    }

    /// For a look into the volumes while no edge runs.
    pub(super) async fn visitor(&self) -> Result<Link> {
        let mut body = self.program_body("visitor").await?;
        body.cmd = Some(words(&self.attend()));
        body.host_config.get_or_insert_default().network_mode = Some("none".to_owned());
        Link::into_new(&self.engine, &self.names.visitor(), body).await
    }

    pub(super) async fn has_volume(&self) -> Result<bool> {
        let name = self.names.volume("state");
        match self.engine.docker.inspect_volume(&name).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(self.engine.failure(error)),
        }
    }

    pub(super) async fn make_volumes(&self) -> Result<()> {
        let in_memory = [("type", "tmpfs"), ("device", "tmpfs"), ("o", "mode=755")];
        let in_memory = in_memory.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (what, options) in [
            ("state", HashMap::new()),
            ("config", HashMap::new()),
            ("secrets", HashMap::from(in_memory)),
        ] {
            self.make_volume(&self.names.volume(what), options).await?;
        }
        Ok(())
    }
}

/// The port of the container that this address leads to.
fn port(address: SocketAddr) -> String {
    format!("{}/tcp", address.port())
}

fn bindings(address: SocketAddr) -> HashMap<String, Option<Vec<PortBinding>>> {
    let binding = PortBinding {
        host_ip: Some(address.ip().to_string()),
        host_port: Some(address.port().to_string()),
    };
    HashMap::from([(port(address), Some(vec![binding]))])
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) fn published(there: &ContainerInspectResponse) -> Option<SocketAddr> {
    let bindings = there.host_config.as_ref()?.port_bindings.as_ref()?;
    let binding = bindings.values().flatten().flatten().next()?;
    let ip = binding.host_ip.as_deref()?.parse().ok()?;
    Some(SocketAddr::new(
        ip,
        binding.host_port.as_deref()?.parse().ok()?,
    ))
}

pub(super) const LISTED: &str =
    "ip -brief address there lists those that it has; set one of them as the target's listen";

/// In words, where the engine says why the address cannot be had.
fn no_port(error: anyhow::Error, address: SocketAddr) -> anyhow::Error {
    let text = format!("{error:#}");
    let says = |what: &[&str]| what.iter().any(|what| text.contains(what));
    let (ip, port) = (address.ip(), address.port());
    let (cause, hint) = if says(&["address already in use", "port is already allocated"]) {
        let who = format!("see who has it: docker ps, or ss -ltnp 'sport = :{port}' there");
        let cause = format!("port {port} belongs to somebody else on that host");
        (cause, format!("{who}; or set another run.port"))
    } else if says(&["cannot assign requested address"]) {
        (format!("the host has no address {ip}"), LISTED.to_owned())
    } else if says(&["external connectivity", "set up container networking"]) {
        let hint = "set another run.port, or another listen of the target";
        (text, hint.to_owned())
    } else {
        return error;
    };
    because(format!("could not publish {address}"), cause, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::Advice;

    #[test]
    fn what_keeps_an_address_from_being_published_is_told_in_words() {
        let address: SocketAddr = "10.9.9.9:8000".parse().unwrap();
        let before = "driver failed programming external connectivity on endpoint bot-edge";
        let cases = [
            (
                "listen tcp4: cannot assign requested address",
                "the host has no address 10.9.9.9",
            ),
            (
                "Bind for 10.9.9.9:8000 failed: port is already allocated",
                "port 8000 belongs to somebody else",
            ),
            ("no way", "external connectivity"),
        ];
        for (says, cause) in cases {
            let error = no_port(anyhow::anyhow!("{before}: {says}"), address);
            assert_eq!(error.to_string(), "could not publish 10.9.9.9:8000");
            let root = error.root_cause().to_string();
            assert!(root.contains(cause), "{root}");
            assert!(error.downcast_ref::<Advice>().is_some());
        }
        let other = no_port(anyhow::anyhow!("no such image"), address);
        assert_eq!(other.to_string(), "no such image");
    }
}
