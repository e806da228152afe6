//! The cluster's API, or what runs its containers, is away for a while.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::{Clustered, TWO};
use crate::support::{eventually, repository};

const SLOW: &str = "rollout.strategy = \"blue-green\"\nrollout.bake = \"3s\"\n";

/// A way to the cluster's API that breaks and is mended.
struct Way {
    to: SocketAddr,
    is_broken: AtomicBool,
    refused: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Way {
    /// It, and a kubeconfig that leads over it.
    fn open(agent: &Clustered) -> (Arc<Self>, String) {
        let config = ["config", "view", "--raw", "--minify", "-o", "json"];
        let mut config: Value =
            serde_json::from_str(&agent.cluster().kubectl(&config).unwrap()).unwrap();
        let cluster = &mut config["clusters"][0]["cluster"];
        let (_, to) = cluster["server"]
            .as_str()
            .unwrap()
            .split_once("://")
            .unwrap();
        let to = to.to_socket_addrs().unwrap().next().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        *cluster =
            json!({ "server": format!("https://{address}"), "insecure-skip-tls-verify": true });
        let way = Arc::new(Self {
            to,
            is_broken: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let own = Arc::clone(&way);
        thread::spawn(move || {
            for stream in listener.incoming() {
                own.lead(stream.unwrap());
            }
        });
        (way, config.to_string())
    }

    fn lead(&self, stream: TcpStream) {
        if self.is_broken.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let cluster = TcpStream::connect(self.to).unwrap();
        self.open.lock().unwrap().push(stream.try_clone().unwrap());
        for (from, to) in [(&stream, &cluster), (&cluster, &stream)] {
            let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }

    /// For those on it, and for who comes.
    fn is_cut(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn is_mended(&self) {
        self.is_broken.store(false, Ordering::SeqCst);
    }
}

#[test]
fn a_rollout_goes_on_when_the_api_is_back() {
    let Some(agent) = Clustered::deployed("outage", "") else {
        return;
    };
    agent.spec(&format!("{TWO}{SLOW}"));
    let (way, kubeconfig) = Way::open(&agent);
    agent.place.write("kubeconfig", kubeconfig);
    let mut deploy = agent.command(&["deploy"]);
    let deploy = agent
        .place
        .spawn(deploy.env("KUBECONFIG", agent.place.path("kubeconfig")));
    deploy.until("holding at 100 %");
    way.is_cut();
    eventually("it is tried again and again", || {
        way.refused.load(Ordering::SeqCst) >= 5
    });
    way.is_mended();
    deploy.wait().ends(0).says("r2 is live");
    agent.whole("r2", 1);
}

/// Only where it is known how: on a cluster of `tests/cluster/up`.
#[test]
fn replicas_outlive_what_runs_containers() {
    let Some(agent) = Clustered::deployed("restart", "") else {
        return;
    };
    let folder = agent.cluster().folder();
    if !folder.join("programs.list").exists() {
        return;
    }
    let _alone = agent.cluster().alone();
    agent.spec(&format!("{TWO}{SLOW}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("r2        1 replica started");
    let again = repository().join("tests/cluster/again");
    let again = Command::new(again).arg(&folder).arg("containerd").status();
    assert!(again.unwrap().success());
    deploy.wait().ends(0).says("r2 is live");
    agent.whole("r2", 1);
}
