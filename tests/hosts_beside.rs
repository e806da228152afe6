//! What stands beside an agent on a Docker host, what is refused there, and that all of it goes.

mod cut_off;
mod gone;

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

use crate::support::engine::{TINY, docker, forget, there_is_a_tiny_image};
use crate::support::{Place, eventually};

/// It answers wherever it is told to listen.
const DOCKERFILE: &str = r#"
FROM agentctl-tests/tiny:2
CMD ["sh","-c","mkdir /tmp/www; echo $WORD >/tmp/www/ready; trap exit TERM; httpd -p $HOST:$PORT -h /tmp/www; while :; do sleep 0.1; done"]
"#;

const STORE: &str = r#"
[services.store]
image = "agentctl-tests/tiny:2"
port = 9999
command = ["sh", "-c", "trap exit TERM; echo kept >>/data/seen; echo $WORD; while :; do sleep 0.1; done"]
healthy = ["cat", "/data/seen"]
data = "/data"
storage = "1Gi"
user = 4321
env = { WORD = "${secret:WORD}" }
"#;

const TOOLS: &str = r#"
[tools.search]
image = "agentctl-tests/tiny:2"
mode = "service"
command = ["sh", "-c", "trap exit TERM; echo found >/tmp/it; httpd -p 3000 -h /tmp; while :; do sleep 0.1; done"]

[tools.near]
image = "agentctl-tests/tiny:2"
command = ["sh", "-c", "trap exit TERM; echo beside >/tmp/it; httpd -p 3001 -h /tmp; while :; do sleep 0.1; done"]
"#;

/// A folder with an agent of its own name, and nothing of it on the host afterwards.
struct Host {
    place: Place,
    name: &'static str,
}

impl Host {
    fn new(name: &'static str, more: &str) -> Self {
        let place = Place::empty();
        place.write("Dockerfile", DOCKERFILE);
        let host = Self { place, name };
        host.spec("", more);
        host
    }

    /// `more` says only tables.
    fn spec(&self, run: &str, more: &str) {
        let (name, port) = (self.name, self.place.port);
        let text = format!(
            "agent.name = \"{name}\"\nrun.port = {port}\nbuild.runtime = \"dockerfile\"\n\
             health.ready = \"/ready\"\nhealth.every = \"100ms\"\nhealth.startup.within = \"10s\"\n\
             drain.grace = \"2s\"\nsecrets.WORD = {{ env = \"WORD\" }}\n{run}\n\
             [environments.prod]\ntarget = {{ docker = {{}} }}\n{more}"
        );
        self.place.write("agent.toml", text);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.args(["-e", "prod"]).env("WORD", "hunter22");
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> crate::support::Ran {
        self.place.finish(&mut self.command(args))
    }

    fn named(&self, what: &str) -> String {
        format!("{}_prod{what}", self.name)
    }

    #[track_caller]
    fn refuses(&self, says: &[&str]) {
        for verb in ["plan", "deploy"] {
            let ran = self.run(&[verb]).ends(2);
            says.iter().fold(ran, |ran, text| ran.says(text));
        }
        assert_eq!(self.left(), "", "something was made all the same");
    }

    /// Every container, network and volume that agentctl made.
    fn left(&self) -> String {
        let own = format!("label=agentctl.agent={}", self.name);
        let kinds: [&[&str]; 3] = [
            &["ps", "-aq"],
            &["network", "ls", "-q"],
            &["volume", "ls", "-q"],
        ];
        kinds
            .map(|kind| docker(&[kind, &["--filter", &own]].concat()).unwrap())
            .concat()
    }

    fn id(&self, name: &str) -> String {
        docker(&[
            "inspect",
            "--format",
            "{{.Id}} {{.State.Running}}",
            &self.named(name),
        ])
        .unwrap()
    }

    fn labels(&self, name: &str) -> String {
        let name = self.named(name);
        docker(&["inspect", "--format", "{{.Config.Labels}}", &name]).unwrap()
    }

    /// What a program of busybox says in a container.
    fn inside(&self, container: &str, program: &[&str]) -> String {
        let name = self.named(container);
        docker(&[&["exec", &name, "/bin/busybox"], program].concat()).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let mut destroy = self
            .place
            .command(&["destroy", "--yes", "--now", "-e", "prod"]);
        let _ = destroy.output();
        forget(&format!("{}:*", self.name));
    }
}

#[test]
fn services_and_tools_are_there_before_the_agent_and_stay() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-stay", &format!("{STORE}{TOOLS}"));
    host.run(&["plan"]).ends(0).says("store is started first");
    host.run(&["deploy"])
        .ends(0)
        .says("store is started")
        .says("search is started");
    let found = host.inside("-r1-1", &["wget", "-qO-", "http://search:3000/it"]);
    let beside = host.inside("-r1-1", &["wget", "-qO-", "http://127.0.0.1:3001/it"]);
    assert_eq!((found.as_str(), beside.as_str()), ("found", "beside"));
    let owner = host.inside("-store", &["stat", "-c", "%u %a", "/data"]);
    assert_eq!(owner, "4321 700");
    for name in ["-store", "-search", "-r1-1", "-r1-1-near"] {
        let labels = host.labels(name);
        assert!(!labels.contains("hunter22"));
        assert!(labels.contains("com.docker.compose.config-hash:"), "{name}");
        assert!(labels.contains("com.docker.compose.container-number:1 "));
    }
    host.run(&["status"])
        .ends(0)
        .says("beside  search  Up ")
        .says("beside  store   Up ");
    let before = (host.id("-store"), host.id("-search"));
    host.spec("run.env.MORE = \"1\"", &format!("{STORE}{TOOLS}"));
    host.run(&["deploy"]).ends(0).says("r2");
    assert_eq!((host.id("-store"), host.id("-search")), before);
    host.run(&["stop", "--now"]).ends(0);
    assert!(host.id("-store").ends_with("false"));
    host.run(&["destroy"])
        .ends(2)
        .says("agentctl destroy --yes does not ask");
    let (network, guest) = (host.named(""), host.named("-guest"));
    docker(&[
        "run",
        "-d",
        "--name",
        &guest,
        "--network",
        &network,
        TINY,
        "sleep",
        "600",
    ])
    .unwrap();
    host.run(&["destroy", "--yes"])
        .ends(2)
        .says(&format!("error: could not remove the network {network}"))
        .says(&format!(
            "hint: docker network disconnect {network} {guest}"
        ));
    assert!(docker(&["inspect", &host.named("-store")]).is_ok());
    docker(&["rm", "-f", &guest]).unwrap();
    docker(&["volume", "create", &host.named("_mine")]).unwrap();
    let evidence = host.place.path("state/agentctl/hb-stay.prod/evidence/0002");
    std::fs::create_dir_all(&evidence).unwrap();
    host.run(&["destroy", "--yes"])
        .ends(0)
        .says("nothing is left of hb-stay (prod)");
    assert_eq!(host.left(), "");
    assert!(!host.place.path("state/agentctl/hb-stay.prod").exists());
    docker(&["volume", "rm", &host.named("_mine")]).unwrap();
    host.run(&["destroy", "--yes"])
        .ends(0)
        .says("there is nothing of hb-stay (prod)");
}

#[test]
fn a_sidecar_that_has_ended_is_started_again_and_one_that_cannot_stay_fails_the_release() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-near", TOOLS);
    host.run(&["deploy"]).ends(0);
    let near = host.named("-r1-1-near");
    docker(&["kill", &near]).unwrap();
    eventually("it runs again", || host.id("-r1-1-near").ends_with("true"));
    eventually("its replica is ready again", || {
        host.run(&["status"]).stdout.contains("1/1 ready")
    });
    docker(&["rm", "-f", &near]).unwrap();
    eventually("another one is there", || {
        docker(&["inspect", "--format", "{{.State.Running}}", &near]).is_ok_and(|it| it == "true")
    });
    let tools = TOOLS.replace("echo beside", "echo to the log; echo beside");
    host.spec("", &tools);
    host.run(&["deploy"]).ends(0);
    let logs = host.run(&["logs"]).ends(0).stdout;
    assert!(logs.contains("r2-1-near │ to the log\n"), "{logs}");
    let broken = TOOLS.replace("echo beside", "echo no such disk; exit 7; echo");
    host.spec("", &broken);
    host.run(&["deploy"])
        .ends(1)
        .says("near: no such disk\n")
        .says("r3-1 its sidecar near exited with status 7, 3 times in a row");
    host.run(&["stop", "--now"]).ends(0);
}

#[test]
fn an_image_that_only_the_engine_has_is_run_by_its_id() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-own", "");
    let text = host.place.read("agent.toml");
    let ready = "image.image = \"agentctl-tests/tiny:2\"\nrun.command = [\"sh\", \"-c\", \"mkdir /tmp/w; echo 1 >/tmp/w/ready; trap exit TERM; httpd -p $HOST:$PORT -h /tmp/w; while :; do sleep 0.1; done\"]";
    let text = text.replace("build.runtime = \"dockerfile\"", ready);
    host.place.write("agent.toml", text);
    let note = "agentctl-tests/tiny:2 is the one that the host's engine has; no registry knows it";
    host.run(&["deploy"]).ends(0).says(note).says("r1 is live");
    let image = [
        "inspect",
        "--format",
        "{{.Config.Image}}",
        &host.named("-r1-1"),
    ];
    assert!(docker(&image).unwrap().starts_with("sha256:"));
    host.run(&["deploy"]).ends(0).says("nothing changed");
}

#[test]
fn a_service_that_has_changed_is_replaced_and_comes_back_if_that_fails() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-change", STORE);
    host.run(&["deploy"]).ends(0);
    let first = host.id("-store");
    host.spec("", &STORE.replace("echo $WORD", "echo changed"));
    host.run(&["plan"]).ends(0).says("store is replaced");
    host.run(&["deploy"]).ends(0).says("store is replaced");
    let second = host.id("-store");
    assert_ne!(first, second);
    assert_eq!(host.inside("-store", &["cat", "/data/seen"]), "kept\nkept");
    host.spec(
        "",
        &STORE.replace("echo $WORD", "echo $WORD: no such disk; exit 3"),
    );
    let failed = host.run(&["deploy"]).ends(2);
    failed.says("store runs on as it was").says("no such disk");
    assert_eq!(host.id("-store"), second);
    host.spec("", "");
    host.run(&["deploy"]).ends(0).says("store is removed");
    assert!(docker(&["inspect", &host.named("-store")]).is_err());
    docker(&["volume", "inspect", &host.named("_store_data")]).unwrap();
}

#[test]
fn a_first_deploy_whose_service_does_not_start_leaves_nothing_running() {
    if !there_is_a_tiny_image() {
        return;
    }
    let broken = STORE.replace("echo $WORD", "echo $WORD: no such disk; exit 3");
    let host = Host::new("hb-broken", &format!("{TOOLS}{broken}"));
    let failed = host.run(&["deploy"]).ends(2);
    assert!(!failed.stderr.contains("hunter22"), "{}", failed.stderr);
    failed
        .says("could not start store")
        .says("no such disk")
        .says("mend what agent.toml says of store");
    let own = format!("label=agentctl.agent={}", host.name);
    eventually("nothing runs", || {
        docker(&["ps", "-q", "--filter", &own]).unwrap().is_empty()
    });
}

#[test]
fn what_agentctl_did_not_make_is_left_alone() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-foreign", STORE);
    let project = format!("com.docker.compose.project={}", host.named(""));
    let web = host.named("_web_1");
    docker(&["create", "--name", &web, "--label", &project, TINY, "true"]).unwrap();
    host.refuses(&[&web, "docker-compose -p hb-foreign_prod down, then deploy"]);
    docker(&["rm", &web]).unwrap();

    let store = host.named("-store");
    docker(&["create", "--name", &store, TINY, "true"]).unwrap();
    host.refuses(&["docker rm -f hb-foreign_prod-store"]);
    docker(&["rm", &store]).unwrap();

    let data = host.named("_store_data");
    docker(&["volume", "create", &data]).unwrap();
    host.refuses(&["docker volume rm hb-foreign_prod_store_data"]);
    docker(&["volume", "rm", &data]).unwrap();

    docker(&["network", "create", &host.named("")]).unwrap();
    host.refuses(&["docker network rm hb-foreign_prod"]);
    docker(&["network", "rm", &host.named("")]).unwrap();
}

#[test]
fn a_port_that_is_taken_is_refused() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-port", "");
    let port = host.place.port;
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    host.refuses(&[&format!("could not publish 0.0.0.0:{port}"), "ss -ltnp"]);
    drop(listener);
    let publish = format!("127.0.0.1:{port}:80");
    let other = [
        "run",
        "-d",
        "--name",
        "hb-port-other",
        "-p",
        &publish,
        TINY,
        "sleep",
        "100",
    ];
    docker(&other).unwrap();
    host.refuses(&[
        "the container hb-port-other has that port",
        "docker stop hb-port-other",
    ]);
    docker(&["rm", "-f", "hb-port-other"]).unwrap();
}

#[test]
fn what_the_machine_does_not_have_is_refused() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-machine", "");
    host.spec("run.gpu = { count = 1 }", "");
    host.refuses(&[
        "run.gpu asks for a graphics processor",
        "nvidia-ctk runtime configure",
    ]);
    host.spec("run.resources.cpu_limit = \"4096\"", "");
    host.run(&["plan"])
        .ends(2)
        .says("does not fit on this host's processors")
        .says("run.resources.cpu_limit is 4096, and the host has ");
    host.spec("run.resources.memory = \"4Ti\"\nrun.replicas = 3", "");
    let ran = host.run(&["plan"]).ends(2);
    ran.says("at most 3 replicas at once")
        .says("12288.0 GiB")
        .says("max_surge = 0");
    host.run(&["deploy"])
        .ends(2)
        .says("does not fit into this host's memory");
    image_for_another_machine();
    host.spec("", &STORE.replace(TINY, "127.0.0.1:1/nothing:1"));
    host.run(&["deploy"])
        .ends(2)
        .says("error: could not start store")
        .says("hint: see whether the name is right");
    host.spec("", &STORE.replace(TINY, "hb-machine:other"));
    host.run(&["plan"])
        .ends(2)
        .says("it is for arm64")
        .says("platforms = [");
}

/// The name of an architecture is all that it has.
fn image_for_another_machine() {
    let files = [
        (
            "config.json",
            r#"{"architecture":"arm64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#,
        ),
        (
            "manifest.json",
            r#"[{"Config":"config.json","RepoTags":["hb-machine:other"],"Layers":[]}]"#,
        ),
    ];
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut tar = tar::Builder::new(file.reopen().unwrap());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap();
    docker(&["load", "-i", &file.path().display().to_string()]).unwrap();
}

#[test]
fn an_agent_that_listens_to_itself_alone_is_told() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-listen", "");
    host.spec(
        "run.env.HOST = \"127.0.0.1\"\nhealth.startup = { within = \"1s\" }",
        "",
    );
    let text = host.place.read("agent.toml");
    host.place.write(
        "agent.toml",
        text.replace("health.startup.within = \"10s\"\n", ""),
    );
    host.run(&["deploy"])
        .ends(1)
        .says("in a container listen on 0.0.0.0");
}

#[test]
fn an_engine_that_is_too_old_is_named() {
    let host = Host::new("hb-old", "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = std::io::Read::read(&mut stream, &mut request).unwrap();
        let answer = "HTTP/1.1 200 OK\r\nApi-Version: 1.30\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let mut plan = host.place.command(&["plan", "-e", "prod"]);
    plan.env("WORD", "x")
        .env("DOCKER_HOST", format!("tcp://{address}"));
    let ran = host.place.finish(&mut plan).ends(2);
    ran.says("speaks API 1.30, and agentctl needs 1.41")
        .says("Docker 20.10 or newer");
    answers.join().unwrap();
}

#[test]
fn processes_are_destroyed_with_their_history() {
    let place = Place::deployed("");
    place.run(&["destroy"]).ends(2).says("nobody can be asked");
    place
        .run(&["destroy", "--yes"])
        .ends(0)
        .says("nothing is left of bot");
    assert!(!place.state().exists());
    assert!(place.processes().is_empty());
}
