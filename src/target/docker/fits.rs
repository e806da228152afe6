//! What is known before anything is changed: that a deploy cannot succeed on this host.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};

use anyhow::Result;
use bollard::models::{ContainerSummary, SystemInfo};

use super::Host;
use super::edge::{LISTED, published};
use super::objects::is_missing;
use super::recipe::{bytes, thousandths};
use crate::advice::because;
use crate::edge::containers::predecessor;
use crate::edge::otlp;
use crate::render::beside;
use crate::spec::{Mode, Resources, Spec};

const GIB: f64 = (1u64 << 30) as f64;

impl Host {
    /// Names, the address, processors and images; none of that depends on how many replicas run.
    pub(crate) async fn fits(&self, spec: &Spec, address: Option<SocketAddr>) -> Result<()> {
        self.nothing_is_foreign(spec).await?;
        if let Some(address) = address {
            self.is_open(address).await?;
        }
        self.has_processors(spec).await?;
        self.has_gpus(spec).await?;
        let services = beside(spec);
        let images = services.iter().map(|one| &one.image);
        for image in images.chain(&spec.image.image) {
            self.is_for_this_machine(image).await?;
        }
        Ok(())
    }

    /// Memory for so many replicas at once, and for what stands beside them.
    pub(crate) async fn has_room(&self, spec: &Spec, replicas: u32) -> Result<()> {
        let there = self.info().await?.mem_total.unwrap_or_default();
        let there = u64::try_from(there).unwrap_or_default();
        let needed = needed(spec, replicas);
        match there == 0 || needed <= there {
            true => Ok(()),
            false => Err(because(
                format!("{} does not fit into this host's memory", self.names.title),
                format!(
                    "at most {replicas} replicas at once, with what stands beside them, ask for {}; \
                     the host has {}",
                    gib(needed),
                    gib(there)
                ),
                "less run.resources.memory, fewer replicas, or rollout.strategy = \"rolling\" with \
                 max_surge = 0 and max_unavailable = 1",
            )),
        }
    }

    /// An image that the engine does not have is no matter yet.
    pub(super) async fn is_for_this_machine(&self, image: &str) -> Result<()> {
        let theirs = match self.engine.docker.inspect_image(image).await {
            Ok(there) => there.architecture.unwrap_or_default(),
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(self.engine.failure(error)),
        };
        let version = self.engine.docker.version().await;
        let ours = version.map_err(|error| self.engine.failure(error))?.arch;
        let ours = ours.unwrap_or_default();
        match theirs.is_empty() || ours.is_empty() || theirs == ours {
            true => Ok(()),
            false => Err(because(
                format!("the image {image} does not run on this host"),
                format!("it is for {theirs}, and the host's machine is {ours}"),
                format!(
                    "name an image for {ours}, or build one: platforms = [\"linux/{ours}\"] under \
                     [build]"
                ),
            )),
        }
    }

    /// Nobody else has the address; the edge may keep it.
    async fn is_open(&self, address: SocketAddr) -> Result<()> {
        self.is_not_heard_at(address)?;
        self.has_address(address)?;
        let edge = self.edge_container().await?;
        let own = edge.as_ref().and_then(published);
        if own.is_some_and(|own| own.port() == address.port()) {
            return Ok(());
        }
        let all = self.containers(Vec::new()).await?;
        let before = format!("/{}", predecessor(&self.names.project));
        let is_foreign =
            |other: &&ContainerSummary| !other.names.iter().flatten().any(|name| *name == before);
        let mut others = all.iter().filter(is_foreign);
        if let Some(other) = others.find(|other| publishes(other, address)) {
            let names = other.names.iter().flatten();
            let name: String = names
                .map(|name| name.trim_start_matches('/'))
                .take(1)
                .collect();
            return Err(because(
                format!("could not publish {address} for {}", self.names.title),
                format!("the container {name} has that port"),
                format!("docker stop {name}, or set another run.port"),
            ));
        }
        match self.engine.host() {
            None => self.no_process_listens(address),
            Some(_) => Ok(()),
        }
    }

    /// The edge's own, in its container.
    fn is_not_heard_at(&self, address: SocketAddr) -> Result<()> {
        match address.port() == otlp::PORT {
            true => Err(because(
                format!("could not publish {address} for {}", self.names.title),
                "the edge hears there what agents tell through OpenTelemetry",
                "set another run.port",
            )),
            false => Ok(()),
        }
    }

    fn no_process_listens(&self, address: SocketAddr) -> Result<()> {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => Err(because(
                format!("could not publish {address} for {}", self.names.title),
                error.to_string(),
                format!(
                    "see who has it: ss -ltnp 'sport = :{}'; or set another run.port",
                    address.port()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Known only of this machine; another says it when the address is published.
    fn has_address(&self, address: SocketAddr) -> Result<()> {
        let any_port = TcpListener::bind((address.ip(), 0)).map(drop);
        match any_port {
            Err(error)
                if error.kind() == ErrorKind::AddrNotAvailable && self.engine.host().is_none() =>
            {
                Err(because(
                    format!("could not publish {address} for {}", self.names.title),
                    format!("the host has no address {}", address.ip()),
                    LISTED,
                ))
            }
            _ => Ok(()),
        }
    }

    /// The engine starts nothing that may use more than there are.
    async fn has_processors(&self, spec: &Spec) -> Result<()> {
        let Some(limit) = &spec.run.resources.cpu_limit else {
            return Ok(());
        };
        let there = self.info().await?.ncpu.unwrap_or_default();
        let there = u64::try_from(there).unwrap_or_default();
        match there == 0 || thousandths(limit) <= there * 1000 {
            true => Ok(()),
            false => Err(because(
                format!(
                    "{} does not fit on this host's processors",
                    self.names.title
                ),
                format!("run.resources.cpu_limit is {limit}, and the host has {there}"),
                format!("cpu_limit = \"{there}\" at most, or a larger host"),
            )),
        }
    }

    async fn has_gpus(&self, spec: &Spec) -> Result<()> {
        let beside = beside(spec);
        let service = beside.iter().find(|one| one.gpus.is_some());
        let who = match (&spec.run.gpu, service) {
            (Some(_), _) => "run.gpu".to_owned(),
            (None, Some(service)) => format!("services.{}", service.name),
            (None, None) => return Ok(()),
        };
        let runtimes = self.info().await?.runtimes.unwrap_or_default();
        match runtimes.contains_key("nvidia") {
            true => Ok(()),
            false => Err(because(
                format!("{who} asks for a graphics processor, and this host gives none"),
                "the engine there has no nvidia runtime",
                "on a host that has one: install NVIDIA's container toolkit, then \
                 nvidia-ctk runtime configure --runtime=docker",
            )),
        }
    }

    async fn info(&self) -> Result<SystemInfo> {
        let info = self.engine.docker.info().await;
        info.map_err(|error| self.engine.failure(error))
    }
}

/// Bytes that are asked for; what is only limited counts as asked for, as in a cluster.
fn needed(spec: &Spec, replicas: u32) -> u64 {
    let asked = |resources: &Resources| {
        let memory = resources.memory.as_ref();
        memory.or(resources.memory_limit.as_ref()).map_or(0, bytes)
    };
    let tools = spec.tools.values();
    let tools = tools.filter(|tool| tool.mode == Mode::Sidecar);
    let sidecars = spec.sidecars.values().map(|one| asked(&one.resources));
    let helpers: u64 = tools
        .map(|tool| asked(&tool.resources))
        .chain(sidecars)
        .sum();
    let each = asked(&spec.run.resources).saturating_add(helpers);
    let services: u64 = beside(spec).iter().map(|one| asked(one.resources)).sum();
    each.saturating_mul(replicas.into())
        .saturating_add(services)
}

fn publishes(other: &ContainerSummary, address: SocketAddr) -> bool {
    let ports = other.ports.iter().flatten();
    let mut at = ports.filter(|port| port.public_port == Some(address.port()));
    at.any(|port| {
        let ip: Option<IpAddr> = port.ip.as_deref().and_then(|ip| ip.parse().ok());
        ip.is_none_or(|ip| ip == address.ip() || ip.is_unspecified())
            || address.ip().is_unspecified()
    })
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / GIB)
}
