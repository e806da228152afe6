//! Which agent is meant, in which environment, and where its state is.

use std::env;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use super::args::{File, Which};
use super::store::AnyStore;
use super::values;
use crate::advice::{Advise, advice, with_advice};
use crate::docker::{Engine, Place};
use crate::image::Surroundings;
use crate::journal::{Directory, Remote};
use crate::rollout::Stamp;
use crate::spec::{Loaded, Spec, TargetSpec, agent_place};
use crate::target::{
    Any, Cluster, Docker, Host, Journal, Kubernetes, Machine, Names, Papers, Process, StateDir,
};

/// Beyond what an agent.toml may be, so that one that is larger is seen to be.
const MOST: u64 = 16 << 20;

const DEFAULT_FILE: &str = "agent.toml";

const FIRST: &str = "agentctl init writes a first agent.toml; -f names one elsewhere";

/// One agent in one environment.
pub(crate) struct Site {
    pub(crate) agent: String,
    pub(crate) environment: Option<String>,
    pub(crate) target: TargetSpec,
    /// Reached when it is first needed, and then by all.
    host: OnceCell<Rc<Host>>,
    cluster: OnceCell<(Rc<Cluster>, Rc<Journal>)>,
}

/// An agent.toml that was read, and the folder it stands in.
pub(crate) struct Project {
    pub(crate) loaded: Loaded,
    pub(crate) file: PathBuf,
    pub(crate) site: Site,
    /// Where a plan is kept: that is no part of what is deployed.
    pub(crate) saved: Option<PathBuf>,
}

impl Project {
    pub(crate) fn load(args: &File) -> Result<Self> {
        let file = args.file.clone().unwrap_or_else(|| DEFAULT_FILE.into());
        let loaded = load(&file, args.environment.as_deref())?;
        let target = loaded.target.clone();
        let site = Site::new(&loaded.spec.agent.name, args.environment.clone(), target)?;
        Ok(Self {
            loaded,
            file,
            site,
            saved: None,
        })
    }

    /// The same file in another environment.
    pub(crate) fn in_environment(&self, name: &str) -> Result<Self> {
        Self::load(&File {
            file: Some(self.file.clone()),
            environment: Some(name.to_owned()),
        })
    }

    /// What agentctl itself keeps: wherever it lies, it is no part of what is deployed.
    pub(crate) fn own_files(&self) -> Vec<PathBuf> {
        let kept = self.site.all_states().into_iter().chain(self.saved.clone());
        let kept = kept.filter_map(|path| std::path::absolute(path).ok());
        kept.chain(printed_to()).collect()
    }

    /// The folder that paths in the file are meant from.
    pub(crate) fn folder(&self) -> &Path {
        match self.file.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }
}

/// The files that this process prints to, as with `agentctl deploy >deploy.log`.
fn printed_to() -> impl Iterator<Item = PathBuf> {
    let open = ["/proc/self/fd/1", "/proc/self/fd/2"];
    open.into_iter().filter_map(|open| fs::read_link(open).ok())
}

fn load(file: &Path, environment: Option<&str>) -> Result<Loaded> {
    let bytes = read(file)?;
    let shown = file.display().to_string();
    let mut loaded = Spec::from_bytes(&bytes, &shown, environment, &variable)?;
    let text = String::from_utf8_lossy(&bytes);
    values::zone(&loaded, &text)?;
    values::arguments(&loaded, &text)?;
    loaded.warnings.extend(values::keys(&loaded, &text)?);
    let ports = values::ports(&loaded, &text);
    loaded.warnings.extend(ports);
    Ok(loaded)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let shown = file.display();
    if file.is_dir() {
        return Err(advice(
            format!("{shown} is a folder"),
            format!(
                "name the file in it: -f {}",
                file.join(DEFAULT_FILE).display()
            ),
        ));
    }
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(file)?.take(MOST).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    read().map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => FIRST.to_owned(),
            ErrorKind::PermissionDenied => format!("see who may read it: ls -l {shown}"),
            _ => "-f names one elsewhere".to_owned(),
        };
        with_advice(error.into(), format!("could not read {shown}"), hint)
    })
}

impl Site {
    fn new(agent: &str, environment: Option<String>, target: TargetSpec) -> Result<Self> {
        Ok(Self {
            agent: agent.to_owned(),
            environment,
            target,
            host: OnceCell::new(),
            cluster: OnceCell::new(),
        })
    }

    /// Where this machine keeps what it knows of the agent; an image needs no such place.
    pub(crate) fn dir(&self) -> Result<StateDir> {
        StateDir::of(&variable, &self.agent, self.environment.as_deref())
    }

    /// By file, by name, or the only agent that there is here.
    pub(crate) fn find(which: &Which) -> Result<Self> {
        let environment = which.file.environment.clone();
        match (&which.agent, &which.file.file) {
            (Some(agent), _) => Self::by_name(agent, environment),
            (None, Some(file)) => Self::named_in(file, environment),
            (None, None) if Path::new(DEFAULT_FILE).exists() => {
                Self::named_in(Path::new(DEFAULT_FILE), environment)
            }
            (None, None) => Self::only(environment),
        }
    }

    fn named_in(file: &Path, environment: Option<String>) -> Result<Self> {
        let shown = file.display().to_string();
        let place = agent_place(&read(file)?, &shown, environment.as_deref());
        let (name, target) = place.advise(
            "could not find out which agent is meant",
            "mend the file, or name the agent: --agent NAME",
        )?;
        Self::known(&name, environment, target)
    }

    fn known(agent: &str, environment: Option<String>, target: TargetSpec) -> Result<Self> {
        let site = Self::new(agent, environment, target)?;
        let is_here = matches!(site.target, TargetSpec::Process { .. });
        match !is_here || site.dir()?.path().is_dir() {
            true => Ok(site),
            false => site.unknown(),
        }
    }

    /// Where it was deployed to from this machine.
    fn by_name(agent: &str, environment: Option<String>) -> Result<Self> {
        match Self::kept(agent, environment.clone())? {
            Some(site) => Ok(site),
            None => Self::new(agent, environment, TargetSpec::default())?.unknown(),
        }
    }

    fn kept(agent: &str, environment: Option<String>) -> Result<Option<Self>> {
        let site = Self::new(agent, environment, TargetSpec::default())?;
        let target = site.dir()?.kept_target()?;
        Ok(target.map(|target| Self { target, ..site }))
    }

    fn unknown(&self) -> Result<Self> {
        Err(advice(
            format!("no agent named {} was deployed from here", self.name()),
            names_in_words()?,
        ))
    }

    /// Where this machine keeps what it knows of all agents.
    pub(crate) fn all_states(&self) -> Option<PathBuf> {
        Some(self.dir().ok()?.path().parent()?.to_owned())
    }

    pub(crate) fn keep_target(&self) -> Result<()> {
        self.dir()?.keep_target(&self.target)
    }

    /// The environments of this agent that were deployed to from this machine.
    pub(crate) fn siblings(&self) -> Result<Vec<Self>> {
        let all = names()?.into_iter();
        let ours = all.filter(|(agent, _)| *agent == self.agent);
        let sites = ours.map(|(agent, environment)| Self::kept(&agent, environment));
        sites.filter_map(Result::transpose).collect()
    }

    fn only(environment: Option<String>) -> Result<Self> {
        let matching =
            |name: &(String, Option<String>)| environment.is_none() || name.1 == environment;
        let mut names: Vec<_> = names()?.into_iter().filter(matching).collect();
        match (names.pop(), names.is_empty()) {
            (Some((agent, environment)), true) => Self::by_name(&agent, environment),
            (Some(_), false) => Err(advice(
                "there is no agent.toml here, and more than one agent was deployed on this machine",
                names_in_words()?,
            )),
            (None, _) => Err(advice(
                "there is no agent.toml here, and no agent was deployed on this machine",
                FIRST,
            )),
        }
    }

    /// `support-agent`, or `support-agent (staging)`.
    pub(crate) fn name(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{} ({environment})", self.agent),
            None => self.agent.clone(),
        }
    }

    /// # Errors
    /// Where its host cannot be reached.
    pub(crate) async fn store(&self) -> Result<AnyStore> {
        Ok(match &self.target {
            TargetSpec::Docker { .. } => AnyStore::Host(Remote::new(Rc::clone(self.host().await?))),
            TargetSpec::Kubernetes { .. } => AnyStore::Cluster(Rc::clone(&self.reached().await?.1)),
            _ => AnyStore::Directory(Directory::new(self.dir()?.path(), &self.name())),
        })
    }

    /// Orders carry the fence of the lease that they are given under.
    pub(crate) async fn target(&self, fence: u64) -> Result<Any> {
        Ok(match &self.target {
            TargetSpec::Docker { .. } => {
                Any::Docker(Docker::new(Rc::clone(self.host().await?), fence))
            }
            TargetSpec::Kubernetes { .. } => {
                let (cluster, journal) = self.reached().await?;
                Any::Kubernetes(Kubernetes::new(
                    Rc::clone(cluster),
                    Rc::clone(journal),
                    fence,
                ))
            }
            _ => {
                let machine = Machine::new(&self.agent, self.dir()?, executable()?);
                Any::Process(Process::new(machine, fence))
            }
        })
    }

    /// The engine that the agent runs on.
    pub(crate) async fn engine(&self) -> Result<&Engine> {
        Ok(&self.host().await?.engine)
    }

    /// The cluster that the agent runs in.
    pub(crate) async fn cluster(&self) -> Result<&Rc<Cluster>> {
        Ok(&self.reached().await?.0)
    }

    async fn reached(&self) -> Result<&(Rc<Cluster>, Rc<Journal>)> {
        let reach = async || {
            let (context, namespace) = match &self.target {
                TargetSpec::Kubernetes {
                    context, namespace, ..
                } => (context.as_deref(), namespace.as_deref()),
                _ => (None, None),
            };
            let title = self.name();
            let environment = self.environment.as_deref();
            let cluster =
                Cluster::connect(context, namespace, &self.agent, environment, title.clone())
                    .await?;
            let makes = matches!(
                &self.target,
                TargetSpec::Kubernetes {
                    create_namespace: true,
                    ..
                }
            );
            cluster.makes_namespace.set(makes);
            let cluster = Rc::new(cluster);
            let papers = Papers::new(Rc::clone(&cluster));
            Ok((cluster, Rc::new(Journal::new(papers, &title))))
        };
        self.cluster.get_or_try_init(reach).await
    }

    async fn host(&self) -> Result<&Rc<Host>> {
        let reach = async || {
            let place = match &self.target {
                TargetSpec::Docker {
                    host: Some(host), ..
                } => Place::named(host, &variable)?,
                _ => Place::find(&variable)?,
            };
            let engine = Engine::connect(place).await?;
            let names = Names::new(&self.agent, self.environment.as_deref());
            let docker_config = Surroundings::find(&variable).docker_config;
            Ok(Rc::new(Host::new(
                engine,
                names,
                executable()?,
                docker_config,
            )))
        };
        self.host.get_or_try_init(reach).await
    }
}

pub(crate) fn executable() -> Result<PathBuf> {
    env::current_exe().context("could not find this program's own file")
}

/// Agents with their environments that have a state folder here.
pub(crate) fn names() -> Result<Vec<(String, Option<String>)>> {
    let root = StateDir::of(&variable, "any", None)?;
    let root = root.path().parent().unwrap_or(Path::new("/"));
    let Ok(entries) = fs::read_dir(root) else {
        return Ok(Vec::new());
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|name| match name.split_once('.') {
            Some((agent, environment)) => (agent.to_owned(), Some(environment.to_owned())),
            None => (name, None),
        })
        .collect();
    names.sort();
    Ok(names)
}

fn names_in_words() -> Result<String> {
    let names: Vec<String> = names()?
        .into_iter()
        .map(|(agent, environment)| match environment {
            Some(environment) => format!("--agent {agent} -e {environment}"),
            None => format!("--agent {agent}"),
        })
        .collect();
    Ok(match names.is_empty() {
        true => "deploy one first: agentctl deploy -f agent.toml".to_owned(),
        false => format!(
            "-f names its agent.toml; or say which: {}",
            names.join(", or ")
        ),
    })
}

pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

pub(crate) fn now() -> Stamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Stamp(since.map(|since| since.as_millis() as u64).unwrap_or(0))
}
