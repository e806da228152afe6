//! A real Kubernetes cluster: the one that `AGENTCTL_TEST_KUBECONFIG` names, or one of this run's own,
//! which ends with it.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustix::process::{geteuid, getppid};
use serde_json::{Value, json};

use super::engine::{PYTHON, cache, docker, skipped, there_is_python};
use super::repository;

/// The file of a kubeconfig; `AGENTCTL_TEST_REGISTRY` is the registry that its cluster pulls from,
/// without it the file `registry` beside the kubeconfig names one.
const GIVEN: &str = "AGENTCTL_TEST_KUBECONFIG";
const REGISTRY: &str = "AGENTCTL_TEST_REGISTRY";

/// What the agent of the tests runs as in a cluster.
const DOCKERFILE: &str = "FROM python:3.13-slim\nENV HOST=0.0.0.0\nCOPY agent.py /app/agent.py\n\
                          CMD [\"python3\", \"/app/agent.py\"]\n";

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) registry: String,
}

/// `None`: there is none, which is said, and the test has to end.
pub(crate) fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    match CLUSTER.get_or_init(found) {
        Ok(cluster) => Some(cluster),
        Err(why) => {
            skipped(why);
            None
        }
    }
}

fn found() -> Result<Cluster, String> {
    let kubeconfig = match env::var_os(GIVEN) {
        Some(given) => PathBuf::from(given),
        None => started()?,
    };
    let beside = kubeconfig.with_file_name("registry");
    let registry = env::var(REGISTRY).or_else(|_| fs::read_to_string(&beside));
    let registry = registry.map_err(|_| format!("no {REGISTRY}, and no {}", beside.display()))?;
    Ok(Cluster {
        kubeconfig,
        registry: registry.trim().to_owned(),
    })
}

/// One for all tests of this run, which whoever runs them is the parent of.
fn started() -> Result<PathBuf, String> {
    if !geteuid().is_root() {
        return Err(format!("no {GIVEN}, and only root can start a cluster"));
    }
    let run = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    let folder = env::temp_dir().join(format!("agentctl-cluster-{run}"));
    fs::create_dir_all(cache()).unwrap();
    let lock = File::create(cache().join(format!("cluster-{run}.lock"))).unwrap();
    lock.lock().unwrap();
    let up = repository().join("tests/cluster/up");
    let mut up = Command::new(up);
    up.arg(&folder).arg(run.to_string());
    run_it(&mut up).map(PathBuf::from)
}

impl Cluster {
    /// What `kubectl` answers, or what it says is wrong.
    pub(crate) fn kubectl(&self, args: &[&str]) -> Result<String, String> {
        run_it(self.command(&self.kubeconfig).args(args))
    }

    pub(crate) fn command(&self, kubeconfig: &Path) -> Command {
        let own = self.kubeconfig.with_file_name("programs").join("kubectl");
        let mut command = match own.exists() {
            true => Command::new(own),
            false => Command::new("kubectl"),
        };
        command.arg("--kubeconfig").arg(kubeconfig);
        command
    }

    /// What `tests/cluster/up` keeps there, where the cluster is one of its own.
    pub(crate) fn folder(&self) -> PathBuf {
        let own = fs::canonicalize(&self.kubeconfig).unwrap();
        own.parent().unwrap().to_owned()
    }

    pub(crate) fn get(&self, args: &[&str]) -> Value {
        let answer = self.kubectl(&[&["get", "-o", "json"][..], args].concat());
        serde_json::from_str(&answer.unwrap()).unwrap()
    }

    /// Where a Service answers from this machine; `None`, and said: it does not, as where the nodes
    /// are not here. Nodes hear of a new one a moment after it is there, and a connection that comes
    /// before goes nowhere for good.
    pub(crate) fn address(&self, namespace: &str, service: &str) -> Option<SocketAddr> {
        let service = self.get(&["service", "-n", namespace, service]);
        let ip = service["spec"]["clusterIP"].as_str().unwrap();
        let port = service["spec"]["ports"][0]["port"].as_u64().unwrap();
        let ip: IpAddr = ip.parse().unwrap();
        let address = SocketAddr::new(ip, port as u16);
        let begun = Instant::now();
        while self.is_near() && !answers(address) {
            assert!(begun.elapsed() < PATIENCE, "{address} does not answer");
        }
        self.is_near().then_some(address)
    }

    /// Whether addresses inside the cluster can be reached from here.
    fn is_near(&self) -> bool {
        static NEAR: OnceLock<bool> = OnceLock::new();
        let near = *NEAR.get_or_init(|| {
            let own = self.get(&["service", "-n", "default", "kubernetes"]);
            let ip = own["spec"]["clusterIP"].as_str().unwrap();
            answers(SocketAddr::new(ip.parse().unwrap(), 443))
        });
        if !near {
            skipped("Services of this cluster cannot be reached from here");
        }
        near
    }

    /// The node is this test's alone: one that stops what runs its containers, or one that counts
    /// what users of a Service meet.
    pub(crate) fn alone(&self) -> File {
        let lock = File::create(cache().join("cluster-node.lock")).unwrap();
        lock.lock().unwrap();
        lock
    }

    /// The agent of the tests as an image in the cluster's registry, by its digest.
    pub(crate) fn agent(&self) -> Option<String> {
        static IMAGE: OnceLock<Option<String>> = OnceLock::new();
        IMAGE.get_or_init(|| self.pushed()).clone()
    }

    fn pushed(&self) -> Option<String> {
        if !there_is_python() {
            return None;
        }
        let lock = File::create(cache().join("cluster-agent.lock")).unwrap();
        lock.lock().unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Dockerfile"), DOCKERFILE).unwrap();
        let agent = repository().join("tests/agents/agent.py");
        fs::copy(agent, folder.path().join("agent.py")).unwrap();
        Some(self.push("agent", folder.path()))
    }

    /// What is built from the folder, in the cluster's registry, by its digest.
    pub(crate) fn push(&self, name: &str, folder: &Path) -> String {
        let repository = format!("{}/agentctl-tests/{name}", self.registry);
        let folder = folder.display().to_string();
        let built = docker(&["build", "-q", "-t", &repository, &folder]);
        built.unwrap_or_else(|why| panic!("{PYTHON:?}: {why}"));
        let pushed = docker(&["push", &repository]).unwrap();
        let (_, digest) = pushed.rsplit_once("digest: ").unwrap();
        let digest = digest.split(' ').next().unwrap();
        format!("{repository}@{digest}")
    }
}

fn answers(address: SocketAddr) -> bool {
    let asked = || {
        let socket = apart()?;
        set_socket_timeout(&socket, Timeout::Send, Some(Duration::from_secs(2)))?;
        connect(&socket, &address)
    };
    asked().is_ok()
}

/// A node that does not know a Service yet remembers for minutes that what comes from this port of
/// ours goes nowhere. So it is asked from ports that connections are not given by themselves.
fn apart() -> rustix::io::Result<OwnedFd> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let from = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 22_000 + next % 10_000);
        match bind(&socket, &from) {
            Err(Errno::ADDRINUSE) => {}
            bound => return bound.map(|()| socket),
        }
    }
}

/// A namespace of a test's own, which goes with the test.
pub(crate) struct Namespace {
    pub(crate) cluster: &'static Cluster,
    pub(crate) name: String,
}

impl Namespace {
    pub(crate) fn new(test: &str) -> Option<Self> {
        let cluster = cluster()?;
        let name = format!("{test}-{}", std::process::id());
        cluster.kubectl(&["create", "namespace", &name]).unwrap();
        Some(Self { cluster, name })
    }

    pub(crate) fn kubectl(&self, args: &[&str]) -> Result<String, String> {
        self.cluster
            .kubectl(&[&["-n", self.name.as_str()], args].concat())
    }

    pub(crate) fn get(&self, args: &[&str]) -> Value {
        self.cluster
            .get(&[&["-n", self.name.as_str()], args].concat())
    }

    /// A kubeconfig of an account in it, which may do what Roles say.
    pub(crate) fn kubeconfig_of(&self, account: &str) -> String {
        let path = format!(
            "/api/v1/namespaces/{}/serviceaccounts/{account}/token",
            self.name
        );
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {},
        });
        let mut ask = self.cluster.command(&self.cluster.kubeconfig);
        let answer = given(
            ask.args(["create", "--raw", &path, "-f", "-"]),
            &request.to_string(),
        );
        let answer: Value = serde_json::from_str(&answer.unwrap()).unwrap();
        let config = self
            .cluster
            .kubectl(&["config", "view", "--raw", "-o", "json", "--minify"]);
        let mut config: Value = serde_json::from_str(&config.unwrap()).unwrap();
        config["users"][0]["user"] = json!({ "token": answer["status"]["token"] });
        config.to_string()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let events = self.kubectl(&["get", "pods,events", "-o", "wide"]);
            let _ = std::io::stderr().write_all(events.unwrap_or_default().as_bytes());
        }
        let _ = self
            .cluster
            .kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// Ran, with `text` as its input.
fn given(command: &mut Command, text: &str) -> Result<String, String> {
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    std::io::Seek::rewind(&mut input).unwrap();
    ended(command.stdin(input))
}

fn run_it(command: &mut Command) -> Result<String, String> {
    ended(command.stdin(Stdio::null()))
}

fn ended(command: &mut Command) -> Result<String, String> {
    let ran = command.output();
    let ran = ran.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match ran.status.success() {
        true => Ok(text(&ran.stdout)),
        false => {
            let mut why = text(&ran.stderr);
            let _ = write!(why, " ({})", ran.status);
            Err(why)
        }
    }
}
