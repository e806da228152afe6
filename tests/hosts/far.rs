//! An engine on another machine, as far as the network goes: killed, and cut off.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Hosted;
use super::crowd::Crowd;
use crate::support::engine::there_is_an_engine;
use crate::support::far::Far;
use crate::support::{Background, Ran, eventually};

const USUAL: &str = "run.replicas = 2\n";
const BAKES: &str = "rollout.strategy = \"blue-green\"\nrollout.bake = \"20s\"\n";

struct Elsewhere {
    far: Far,
    host: Hosted,
}

impl Elsewhere {
    fn deployed(name: &str, options: &[&str]) -> Option<Self> {
        if !there_is_an_engine() {
            return None;
        }
        let far = Far::start(options)?;
        let host = Hosted::new(name, "")?;
        let elsewhere = Self { far, host };
        elsewhere.spec(USUAL);
        elsewhere.run(&["deploy"]).ends(0);
        Some(elsewhere)
    }

    fn spec(&self, more: &str) {
        self.host.spec(more);
        let text = self.host.place.read("agent.toml");
        let text = text.replace("listen = \"127.0.0.1\"", "listen = \"0.0.0.0\"");
        self.host.place.write("agent.toml", text);
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.host.command(args);
        command.env("DOCKER_HOST", self.far.engine());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.host.place.finish(&mut self.command(args))
    }

    fn start(&self, args: &[&str]) -> Background {
        self.host.place.spawn(&mut self.command(args))
    }

    fn crowd(&self) -> Crowd {
        let host = self.far.host().parse().unwrap();
        Crowd::at(SocketAddr::new(host, self.host.place.port), 2)
    }

    /// As `Hosted::whole`, over there.
    #[track_caller]
    fn whole(&self, release: &str, replicas: usize) {
        let filter = format!("label=com.docker.compose.project={}", self.host.project());
        let all = [
            "ps",
            "-a",
            "--filter",
            &filter,
            "--format={{.Names}} {{.State}}",
        ];
        eventually("nothing is left over", || {
            let all = self.far.docker(&all).unwrap_or_default();
            let running = all
                .lines()
                .filter(|line| line.ends_with(" running"))
                .count();
            let ours = all
                .lines()
                .filter(|line| line.contains(&format!("-{release}-")));
            (ours.count(), running, all.lines().count()) == (replicas, replicas + 1, replicas + 1)
        });
        let status = self.run(&["status", "--output", "json"]).ends(0);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        assert_eq!(status["rollout"], serde_json::Value::Null);
        let live = status["releases"].as_array().unwrap();
        assert!(live.len() == 1 && live[0]["release"] == release, "{status}");
    }
}

#[test]
fn an_engine_that_is_killed_and_started_again() {
    let Some(mut elsewhere) = Elsewhere::deployed("killed", &[]) else {
        return;
    };
    elsewhere.spec(&format!("{USUAL}{BAKES}run.env.ANSWER = \"two\"\n"));
    let deploy = elsewhere.start(&["deploy"]);
    deploy.until("holding at 100 %");
    elsewhere.far.kill();
    elsewhere.far.begin();
    // Its containers ended with it: whether that counts against the release is its gates' matter.
    let ended = deploy.wait();
    let (release, next) = match ended.code {
        0 => ("r2", "rollback"),
        _ => ("r1", "deploy"),
    };
    let other = if release == "r2" { "r1" } else { "r2" };
    ended.says(release);
    elsewhere.whole(release, 2);
    let crowd = elsewhere.crowd();
    let ran = elsewhere.run(&[next, "--again"][..if next == "deploy" { 2 } else { 1 }]);
    ran.ends(0).says(&format!("{other} is live"));
    elsewhere.whole(other, 2);
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
}

/// Where containers outlive their engine, nobody notices at all.
#[test]
fn an_engine_that_is_killed_without_its_containers() {
    let Some(mut elsewhere) = Elsewhere::deployed("restored", &["--live-restore"]) else {
        return;
    };
    let crowd = elsewhere.crowd();
    elsewhere.spec(&format!("{USUAL}{BAKES}run.env.ANSWER = \"two\"\n"));
    let deploy = elsewhere.start(&["deploy"]);
    deploy.until("holding at 100 %");
    elsewhere.far.kill();
    elsewhere.far.begin();
    deploy.wait().ends(0).says("r2 is live");
    elsewhere.whole("r2", 2);
    elsewhere.run(&["rollback"]).ends(0).says("r1 is live");
    elsewhere.whole("r1", 2);
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
}

/// As long as a switch takes that is started again.
const OUTAGE: Duration = Duration::from_secs(30);

#[test]
fn a_way_that_is_cut_for_half_a_minute() {
    let Some(elsewhere) = Elsewhere::deployed("cut", &[]) else {
        return;
    };
    let crowd = elsewhere.crowd();
    elsewhere.spec(&format!("{USUAL}{BAKES}run.env.ANSWER = \"two\"\n"));
    let mut deploy = elsewhere.start(&["deploy"]);
    deploy.until("holding at 100 %");
    elsewhere.far.is_reached(false);
    let begun = Instant::now();
    while begun.elapsed() < OUTAGE && deploy.is_running() {
        std::thread::sleep(Duration::from_millis(100));
    }
    elsewhere.far.is_reached(true);
    deploy.wait().ends(0).says("r2 is live");
    elsewhere.whole("r2", 2);
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
}

#[test]
fn an_engine_without_an_address_for_another_network() {
    if !there_is_an_engine() {
        return;
    }
    let Some(far) = Far::start(&["--default-address-pool=base=10.216.0.0/25,size=26"]) else {
        return;
    };
    // Its own bridge has the first of the two.
    far.docker(&["network", "create", "last"]).unwrap();
    let Some(host) = Hosted::new("full", "") else {
        return;
    };
    let elsewhere = Elsewhere { far, host };
    elsewhere
        .run(&["deploy"])
        .ends(2)
        .says("error: could not make the network full-")
        .says("hint: every address pool of the engine is in use");
    let all = ["ps", "-aq", "--filter", "label=agentctl.agent"];
    assert_eq!(elsewhere.far.docker(&all).unwrap(), "");
    elsewhere.far.docker(&["network", "rm", "last"]).unwrap();
    elsewhere.run(&["deploy"]).ends(0).says("r1 is live");
}
