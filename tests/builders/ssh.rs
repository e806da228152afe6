//! A machine that is reached by SSH: this one, through an sshd of the test's own.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{engine, eventually, free_port};

const SSHD: &str = "/usr/sbin/sshd";

/// It ends when it is dropped.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Machine {
    /// `None`: there is no sshd, which is said.
    pub(crate) fn start() -> Option<Self> {
        if !Path::new(SSHD).exists() {
            engine::skipped("there is no sshd");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        for name in ["host", "key"] {
            let path = folder.path().join(name);
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(path));
        }
        settings(folder.path(), port);
        // Where sshd, as root, wants an empty folder; Debian makes it when the service starts.
        let _ = fs::create_dir("/run/sshd");
        let process = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("sshd_config"))
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let machine = Self {
            folder,
            port,
            process,
        };
        eventually("sshd listens", || {
            let log = fs::read_to_string(machine.folder.path().join("log")).unwrap();
            log.contains("Server listening")
        });
        Some(machine)
    }

    /// For `DOCKER_HOST`.
    pub(crate) fn address(&self) -> String {
        format!("ssh://127.0.0.1:{}", self.port)
    }

    /// A `PATH` on which `ssh` knows the machine and the key.
    pub(crate) fn path(&self) -> String {
        let usual = env::var("PATH").unwrap();
        format!("{}:{usual}", self.bin().display())
    }

    /// From now on nobody has the key.
    pub(crate) fn lock(&self) {
        fs::write(self.folder.path().join("allowed"), "").unwrap();
    }

    fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn settings(folder: &Path, port: u16) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    let at = folder.display();
    fs::create_dir(folder.join("bin")).unwrap();
    write("allowed", read("key.pub"));
    write("known", format!("[127.0.0.1]:{port} {}", read("host.pub")));
    write(
        "sshd_config",
        format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\n\
             AuthorizedKeysFile {at}/allowed\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             PasswordAuthentication no\n"
        ),
    );
    write(
        "ssh_config",
        format!(
            "Host *\nIdentityFile {at}/key\nIdentitiesOnly yes\nUserKnownHostsFile {at}/known\n\
             StrictHostKeyChecking yes\n"
        ),
    );
    // It reads no settings from another HOME, only from a file that it is told.
    let ssh = format!("#!/bin/sh\nexec /usr/bin/ssh -F {at}/ssh_config \"$@\"\n");
    write("bin/ssh", ssh);
    fs::set_permissions(folder.join("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(command: &mut Command) {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}
