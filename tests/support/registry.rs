//! A real registry of one's own: Debian's docker-registry on a free port of this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(crate) const USER: &str = "anna";
pub(crate) const PASSWORD: &str = "correct-horse-7";

#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// Only `USER` with `PASSWORD` may come in.
    pub(crate) login: bool,
    /// With a certificate that `ca.crt` signed.
    pub(crate) tls: bool,
    /// Nothing may be deleted.
    pub(crate) keeps_all: bool,
}

pub(crate) struct RealRegistry {
    dir: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
    /// What was put beside the engine's own certificates.
    trusted: Option<PathBuf>,
}

#[allow(
    dead_code,
    reason = "tests of the library and of the binary each use a part of it"
)]
impl RealRegistry {
    pub(crate) fn start(wanted: Wanted) -> Self {
        Self::start_with(wanted, None)
    }

    /// `auth` is that part of its configuration, where `wanted` has none for it.
    pub(crate) fn start_with(wanted: Wanted, auth: Option<serde_json::Value>) -> Self {
        let mut registry = Self {
            dir: tempfile::tempdir().unwrap(),
            port: 0,
            process: None,
            trusted: None,
        };
        if wanted.tls {
            registry.make_certificates();
        }
        if wanted.login {
            registry.make_passwords();
        }
        registry.configure(wanted, auth);
        registry.again();
        registry
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// As `kill -9` does; what it holds stays.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// On the same port, with what it held.
    pub(crate) fn again(&mut self) {
        let addr = format!("REGISTRY_HTTP_ADDR=127.0.0.1:{}", self.port);
        let mut process = Command::new("env")
            .args([&addr, "docker-registry", "serve"])
            .arg(self.path("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        self.process = Some(process);
        let mut said = String::new();
        self.port = loop {
            let line = lines.next().unwrap_or_else(|| panic!("{said}")).unwrap();
            if let Some(port) = port(&line) {
                break port;
            }
            said += &line;
        };
        let log = self.path("log");
        std::thread::spawn(move || {
            let rest: Vec<_> = lines.map_while(Result::ok).collect();
            let _ = fs::write(log, rest.join("\n"));
        });
    }

    /// A folder for `DOCKER_CONFIG` whose user is `USER`.
    pub(crate) fn docker_config(&self, password: &str) -> PathBuf {
        let folder = self.path(&format!("config-{password}"));
        fs::create_dir_all(&folder).unwrap();
        let auths = serde_json::json!({ "auths": { self.host(): {
            "username": USER, "password": password,
        } } });
        fs::write(folder.join("config.json"), auths.to_string()).unwrap();
        folder
    }

    /// A folder as `/etc/docker/certs.d`, in which the CA is trusted for this registry.
    pub(crate) fn certificates(&self) -> PathBuf {
        let folder = self.path("certs.d");
        fs::create_dir_all(folder.join(self.host())).unwrap();
        fs::copy(self.path("ca.crt"), folder.join(self.host()).join("ca.crt")).unwrap();
        folder
    }

    /// The same in the place that agentctl and the engine read, until the test ends.
    pub(crate) fn trust(&mut self) {
        let folder = Path::new("/etc/docker/certs.d").join(self.host());
        fs::create_dir_all(&folder).unwrap();
        fs::copy(self.path("ca.crt"), folder.join("ca.crt")).unwrap();
        self.trusted = Some(folder);
    }

    fn configure(&self, wanted: Wanted, auth: Option<serde_json::Value>) {
        let mut http = serde_json::json!({ "addr": "127.0.0.1:0" });
        if wanted.tls {
            http["tls"] = serde_json::json!({
                "certificate": self.path("server.crt"), "key": self.path("server.key"),
            });
        }
        let mut config = serde_json::json!({
            "version": 0.1,
            "log": { "level": "info", "accesslog": { "disabled": true } },
            "storage": {
                "filesystem": { "rootdirectory": self.path("data") },
                "delete": { "enabled": !wanted.keeps_all },
            },
            "http": http,
        });
        if wanted.login {
            config["auth"] = serde_json::json!({ "htpasswd": {
                "realm": "registry", "path": self.path("htpasswd"),
            } });
        }
        if let Some(auth) = auth {
            config["auth"] = auth;
        }
        fs::write(self.path("config.yml"), config.to_string()).unwrap();
    }

    fn make_passwords(&self) {
        let file = self.path("htpasswd");
        run(Command::new("htpasswd").args(["-Bbc", file.to_str().unwrap(), USER, PASSWORD]));
    }

    fn make_certificates(&self) {
        const KEY: [&str; 6] = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"];
        let openssl = |args: &[&str]| {
            let mut command = Command::new("openssl");
            run(command.current_dir(self.dir.path()).args(args));
        };
        let ca = [
            "/CN=Test CA",
            "-x509",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
        ];
        let asked = [
            "/CN=registry",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
        ];
        openssl(&[&["req"][..], &KEY, &ca].concat());
        let without_days: Vec<_> = [&KEY[..3], &KEY[5..]].concat();
        openssl(&[&["req"][..], &without_days, &asked].concat());
        fs::write(
            self.path("names"),
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
        )
        .unwrap();
        let signed = "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
                      -days 2 -extfile names -out server.crt";
        openssl(&signed.split_whitespace().collect::<Vec<_>>());
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Some(folder) = &self.trusted {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// `… msg="listening on 127.0.0.1:35641" …`
fn port(line: &str) -> Option<u16> {
    let (_, after) = line.split_once("listening on 127.0.0.1:")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
