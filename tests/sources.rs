//! Gates whose figures others know: a real Prometheus, an HTTP server, a command.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::support::queues::is_there;
use crate::support::server::Server;
use crate::support::tls;
use crate::support::{CANARY, Place, eventually, free_port, repository};

struct Prometheus {
    port: u16,
    process: Child,
    _dir: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes those often; `None` where there is none to be had.
    fn start(whom: &str) -> Option<Self> {
        is_there("prometheus")?;
        let dir = tempfile::tempdir().unwrap();
        let config = format!(
            "scrape_configs:\n- job_name: agents\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  {whom}\n"
        );
        let file = dir.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let port = free_port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.path().join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self {
            port,
            process,
            _dir: dir,
        })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a canary with this gate ends with; requests come all the while.
fn canary(place: &Place, gate: &str) -> crate::support::Ran {
    place.spec(&format!("run.env.ANSWER = \"two\"\n{CANARY}{gate}"));
    place.start(&["deploy"]).under_load(place)
}

#[test]
fn a_prometheus_that_scrapes_the_edge() {
    let place = Place::deployed("");
    let (exe, dir) = (env!("CARGO_BIN_EXE_agentctl"), place.path("state"));
    let folder = place.path(".");
    let edge = Server::start(move |_| {
        let metrics = Command::new(exe)
            .args(["metrics"])
            .current_dir(&folder)
            .env("XDG_STATE_HOME", &dir)
            .output()
            .unwrap();
        (200, String::from_utf8(metrics.stdout).unwrap())
    });
    let whom = format!(
        "static_configs: [{{ targets: [\"127.0.0.1:{}\"] }}]",
        edge.port
    );
    let Some(prometheus) = Prometheus::start(&whom) else {
        return;
    };
    let errors = "sum(agentctl_errors_total{pool=\"{release}\"})";
    let requests = "sum(agentctl_requests_total{pool=\"{release}\"})";
    undone_by(&place, "", &prometheus, errors, requests);
}

/// By its own figures: each replica says where it listens, and Prometheus finds it there.
#[test]
fn a_prometheus_that_scrapes_the_agent() {
    let place = Place::empty();
    let targets = place.path("targets");
    fs::create_dir(&targets).unwrap();
    let whom = format!(
        "file_sd_configs: [{{ files: [\"{}/*.json\"], refresh_interval: 1s }}]",
        targets.display()
    );
    let Some(prometheus) = Prometheus::start(&whom) else {
        return;
    };
    let agent = repository().join("tests/agents/agent.py");
    fs::copy(agent, place.path("agent.py")).unwrap();
    let own = format!("run.env.TARGETS = \"{}\"", targets.display());
    place.spec(&own);
    place.run(&["deploy"]).ends(0);
    let errors = "sum(agent_errors_total{release=\"{release}\"})";
    let requests = "sum(agent_requests_total{release=\"{release}\"})";
    undone_by(&place, &own, &prometheus, errors, requests);
}

/// A release that fails every third request.
fn undone_by(place: &Place, own: &str, prometheus: &Prometheus, errors: &str, requests: &str) {
    let gate = format!(
        r#"
{own}
run.env.FAIL_EVERY = "3"
[[gate]]
name = "errors"
every = "200ms"
max = 0.2
source = {{ prometheus = '{errors} / ({requests} > 8)', server = "http://127.0.0.1:{}" }}
"#,
        prometheus.port
    );
    let ran = canary(place, &gate).ends(1);
    ran.says("undoing   errors 0.").says(" is above 0.2");
}

#[test]
fn a_server_that_wants_a_password_and_is_away_for_a_while() {
    let place = Place::deployed("");
    place.write("token", "let-me-in-please");
    let mut asked = 0;
    let scores = Server::start(move |head| {
        asked += 1;
        let is_known = head.contains("authorization: Bearer let-me-in-please");
        match (is_known, asked) {
            (false, _) => (401, String::new()),
            (true, 1) => (503, "{\"error\": \"later\"}".to_owned()),
            (true, _) if head.starts_with("GET /scores/r2/1 ") => {
                (200, "{\"score\": 0.5}".to_owned())
            }
            (true, _) => (404, String::new()),
        }
    });
    let gate = format!(
        r#"
secrets.TOKEN = {{ file = "token" }}
[[gate]]
name = "quality"
min = 0.8
source = {{ http = "http://127.0.0.1:{}/scores/{{release}}/{{step}}", json = "$.score", bearer = "${{secret:TOKEN}}" }}
"#,
        scores.port
    );
    let ran = canary(&place, &gate).ends(1);
    ran.says("undoing   quality 0.5 is below 0.8");
}

/// Whoever it is: TLS lets in who has the client's certificate, and believes the server's by its CA.
#[test]
fn a_server_behind_tls_that_wants_a_name_and_a_password() {
    let certificates = tempfile::tempdir().unwrap();
    tls::certificates(certificates.path());
    let config = Arc::new(tls::config(certificates.path()));
    // name:password
    let known = "authorization: Basic bmFtZTpwYXNzd29yZA==";
    let scores = Server::start_behind(Some(config), move |request| match request.contains(known) {
        true => (
            200,
            "{\"data\": {\"resultType\": \"scalar\", \"result\": [0, \"0.5\"]}, \"score\": 0.5}"
                .to_owned(),
        ),
        false => (401, String::new()),
    });
    let pem = |name: &str| fs::read_to_string(certificates.path().join(name)).unwrap();
    let own = |who: &str| pem(&format!("{who}/cert.pem")) + &pem(&format!("{who}/key.pem"));
    let url = format!("https://127.0.0.1:{}", scores.port);
    let login = "basic = \"${secret:LOGIN}\", ca = \"ca.pem\", client = \"own.pem\"";
    let asked = [
        format!("prometheus = \"up\", server = \"{url}\", {login}"),
        format!("http = \"{url}/\", json = \"$.score\", {login}"),
    ];
    for source in &asked {
        let place = place_with(&own("client"), &pem("ca.pem"));
        let gate = gate(source, "wait");
        canary(&place, &gate)
            .ends(1)
            .says("undoing   quality 0.5 is below 0.8");
    }
    let strangers = [
        (own("stranger"), pem("ca.pem"), "quality is not known"),
        (own("client"), pem("other.pem"), "UnknownIssuer"),
        (String::new(), pem("ca.pem"), "could not use "),
    ];
    for (own, ca, says) in strangers {
        let place = place_with(&own, &ca);
        place.spec(&format!(
            "run.env.ANSWER = \"two\"\n{CANARY}{}",
            gate(&asked[1], "wait")
        ));
        let deploy = place.start(&["deploy"]);
        place.until_written(2, says);
        place.run(&["abort"]).ends(0);
        deploy.wait().ends(1);
    }
}

fn place_with(own: &str, ca: &str) -> Place {
    let place = Place::deployed("");
    place.write("login", "name:password");
    place.write("own.pem", own);
    place.write("ca.pem", ca);
    place
}

fn gate(source: &str, unclear: &str) -> String {
    format!(
        r#"
secrets.LOGIN = {{ file = "login" }}
[[gate]]
name = "quality"
min = 0.8
unclear = "{unclear}"
source = {{ {source} }}
"#
    )
}

/// However often it is asked: a source that is down passes nothing.
#[test]
fn a_certificate_that_is_not_there_is_told_before_anything_is_deployed() {
    let source = "{ http = \"https://127.0.0.1:1/\", json = \"$.score\", ca = \"gone.pem\" }";
    let gate = format!("[[gate]]\nname = \"score\"\nmin = 1\nsource = {source}\n");
    let place = Place::new(&gate);
    for command in ["check", "plan"] {
        let ran = place.run(&[command]).ends(2);
        ran.says("could not read gone.pem, the ca of the gate score");
    }
}

#[test]
fn a_source_that_is_down_is_unclear() {
    let place = Place::deployed("");
    let port = free_port();
    let gate = format!(
        r#"
[[gate]]
name = "quality"
min = 0.8
unclear = "fail"
source = {{ http = "http://127.0.0.1:{port}/", json = "$.score" }}
"#
    );
    let steps = r#"
rollout.strategy = "canary"
rollout.steps = [{ weight = 50 }, { weight = 100 }]
"#;
    place.spec(&format!("run.env.ANSWER = \"two\"\n{steps}{gate}"));
    place.run(&["deploy"]).ends(1).says("undoing   quality is ");
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn a_command_says_yes_and_then_no() {
    let place = Place::deployed("");
    place.write(
        "judge.sh",
        "echo \"$1 $AGENTCTL_STABLE\" >> asked; test ! -e no || { echo too slow >&2; exit 1; }",
    );
    let gate = r#"
[[gate]]
name = "judge"
every = "100ms"
source = { command = ["sh", "judge.sh", "{release}"] }
"#;
    place.spec(&format!("run.env.ANSWER = \"two\"\n{CANARY}{gate}"));
    let deploy = place.start(&["deploy"]);
    eventually("it was asked", || place.path("asked").exists());
    place.write("no", "");
    deploy
        .wait()
        .ends(1)
        .says("undoing   judge says no: too slow\n");
    assert!(place.read("asked").starts_with("r2 r1\n"));
}
