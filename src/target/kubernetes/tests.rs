//! On a real cluster, where `AGENTCTL_TEST_KUBECONFIG` names one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use kube::config::Kubeconfig;
use serde_json::json;

use super::*;
use crate::image::engine_fixture::{TINY, docker, skipped, there_is_a_tiny_image};
use crate::journal::{Kept, LEASE, Owner, Shelf};
use crate::release::{Artifact, Image};
use crate::render::{self, BuildFolder, Input, Stack, Templates};
use crate::spec::Spec;
use crate::target::contract;

const SERVES: &str = "echo hello > /tmp/index.html; exec httpd -f -p ${PORT} -h /tmp";

fn kubeconfig() -> Option<PathBuf> {
    env::var_os("AGENTCTL_TEST_KUBECONFIG").map(PathBuf::from)
}

/// What the registry that the cluster pulls from has then; `None`, and said: none is named.
fn image(kubeconfig: &Path) -> Option<String> {
    let beside = kubeconfig.with_file_name("registry");
    let named = env::var("AGENTCTL_TEST_REGISTRY").or_else(|_| fs::read_to_string(beside));
    let Ok(registry) = named else {
        skipped("AGENTCTL_TEST_REGISTRY names no registry of the cluster");
        return None;
    };
    let name = format!("{}/agentctl-tests/tiny:1", registry.trim());
    Some(name)
}

/// A namespace that goes with the test.
struct Stand {
    cluster: Rc<Cluster>,
    image: String,
}

impl Stand {
    /// `None`: there is no cluster, which is said.
    async fn new(what: &str) -> Option<Self> {
        let Some(kubeconfig) = kubeconfig() else {
            skipped("AGENTCTL_TEST_KUBECONFIG names no cluster");
            return None;
        };
        let image = image(&kubeconfig).filter(|_| there_is_a_tiny_image())?;
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let namespace = format!("{what}-{}", std::process::id());
        let reached = reach::reach_by(kubeconfig, &namespace).await.unwrap();
        let cluster = Rc::new(Cluster::of(reached, "bot", "bot".to_owned()));
        let object = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace },
        });
        cluster.apply(&object, false).await.unwrap();
        docker(&["tag", TINY, &image]).unwrap();
        docker(&["push", "--quiet", &image]).unwrap();
        Some(Self { cluster, image })
    }

    fn journal(&self) -> Journal {
        Journal::new(Papers::new(Rc::clone(&self.cluster)), "bot")
    }

    /// The journal of another agent there, as a process of its own sees it.
    async fn elsewhere(&self, agent: &str) -> Shelved<Direct> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig().unwrap()).unwrap();
        let reached = reach::reach_by(kubeconfig, &self.cluster.namespace);
        let cluster = Cluster::of(reached.await.unwrap(), agent, agent.to_owned());
        Shelved::new(Direct(Papers::new(Rc::new(cluster))), agent)
    }

    fn release(&self, number: u32) -> Release {
        let text = format!(
            "agent.name = \"bot\"\nimage.image = \"{}\"\nrun.port = 8000\nrun.writable = [\"/tmp\"]\n\
             run.command = [\"sh\", \"-c\", \"{SERVES}\"]\ndrain.grace = \"1s\"\n\
             environments.prod.target = {{ kubernetes = {{ version = \"1.20\" }} }}",
            self.image
        );
        let loaded =
            Spec::from_bytes(text.as_bytes(), "agent.toml", Some("prod"), &|_| None).unwrap();
        let image = Image::of(&loaded.spec, self.image.clone(), BTreeMap::new());
        let artifact = Artifact::Image(Box::new(image));
        let mut release = contract::release_of(number, artifact, &["sh"]);
        let input = Input {
            target: loaded.target.clone(),
            environment: None,
            image: self.image.clone(),
            folder: BuildFolder::default(),
            prompts: BTreeMap::new(),
            release: Some(release.id),
            secret_values: None,
            traffic: render::Traffic::default(),
            stack: Stack::default(),
            spec: loaded.spec,
        };
        release.objects = render::values(&input, &Templates::new(BTreeMap::new())).unwrap();
        release
    }

    async fn end(self) {
        let namespace = format!("/api/v1/namespaces/{}", self.cluster.namespace);
        self.cluster.delete(&namespace).await.unwrap();
    }
}

#[tokio::test]
async fn pods_keep_the_contract() {
    let Some(stand) = Stand::new("contract").await else {
        return;
    };
    let journal = Rc::new(stand.journal());
    let now = crate::journal::Now {
        at: 0,
        tick: std::time::Instant::now(),
    };
    let hold = journal.acquire(Owner::here(|_| None), now).await.unwrap();
    let target = Kubernetes::new(Rc::clone(&stand.cluster), Rc::clone(&journal), hold.fence());
    let [old, new] = [1, 2].map(|number| stand.release(number));
    assert!(target.observe().await.unwrap().releases.is_empty());
    for release in [&old, &new] {
        target.fetch(release).await.unwrap();
    }
    contract::holds(&target, &old, &new).await;
    target.stop(true).await.unwrap();
    stand.end().await;
}

/// The journal as it is, and not as it was heard of a moment ago.
struct Direct(Papers);

impl Shelf for Direct {
    async fn get(&self, name: &str) -> Result<Option<Kept>> {
        self.0.get(name).await
    }

    async fn lease_heard(&self) -> Result<Option<Kept>> {
        self.0.get(LEASE).await
    }

    async fn put(&self, name: &str, over: Option<&str>, bytes: Vec<u8>) -> Result<Option<String>> {
        self.0.put(name, over, bytes).await
    }

    async fn all(&self) -> Result<BTreeMap<String, Kept>> {
        self.0.all().await
    }
}

#[tokio::test]
async fn a_cluster_keeps_the_journals_contract() {
    let Some(stand) = Stand::new("journal").await else {
        return;
    };
    let open = async |agent: &str| {
        let [one, other] = [(); 2].map(|()| stand.elsewhere(agent));
        (one.await, other.await)
    };
    crate::journal::contract::holds(open).await;
    stand.end().await;
}
