//! Signatures by cosign, where it is on PATH and agent.toml asks for one.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, anyhow};
use tokio::process::Command;

use crate::advice::{Advise, advice};

/// By who runs it, through the identity provider that cosign asks.
const KEYLESS: &str = "keyless";

pub(crate) struct Cosign(PathBuf);

impl Cosign {
    /// `path` is the variable PATH.
    pub(crate) fn find(path: &OsStr) -> Option<Self> {
        let programs = env::split_paths(path).map(|folder| folder.join("cosign"));
        programs
            .into_iter()
            .find(|program| program.is_file())
            .map(Self)
    }

    /// `image` is `repository@sha256:…`; `with` is what `image.sign` says.
    pub(crate) async fn sign(&self, image: &str, with: &str) -> Result<()> {
        self.run("sign", &[], image, with).await
    }

    /// Says by the same signature what is in the image; `sbom` is a CycloneDX file.
    pub(crate) async fn attest(&self, image: &str, with: &str, sbom: &Path) -> Result<()> {
        let predicate = [
            "--type".as_ref(),
            "cyclonedx".as_ref(),
            "--predicate".as_ref(),
            sbom.as_os_str(),
        ];
        self.run("attest", &predicate, image, with).await
    }

    async fn run(&self, what: &str, options: &[&OsStr], image: &str, with: &str) -> Result<()> {
        if !image.contains("@sha256:") {
            return Err(advice(
                format!("could not {what} {image}: only a digest is signed"),
                "push it first: agentctl push",
            ));
        }
        let key = ["--key".as_ref(), with.as_ref()];
        let key: &[&OsStr] = if with == KEYLESS { &[] } else { &key };
        let mut command = Command::new(&self.0);
        command.args([what, "--yes"]).args(options).args(key);
        command.arg("--").arg(image);
        let by_hand = [&[what.as_ref()], options, key, &[image.as_ref()]].concat();
        // A question that nobody sees would wait for ever.
        command.stdin(Stdio::null()).kill_on_drop(true);
        let could_not = format!("could not {what} {image}");
        let ran = command.output().await;
        let ran = ran.advise(&could_not, "see whether it runs: cosign version")?;
        match ran.status.success() {
            true => Ok(()),
            false => Err(said(&ran.stderr)).advise(could_not, later(with, &by_hand)),
        }
    }
}

/// The image is in the registry, so that only this is left to do.
fn later(with: &str, args: &[&OsStr]) -> String {
    let by = match with {
        KEYLESS => {
            "\"keyless\" signs as whom cosign is logged in as: SIGSTORE_ID_TOKEN, or the identity of a CI"
        }
        _ => "image.sign names the key, COSIGN_PASSWORD opens it",
    };
    let args = args.join(OsStr::new(" "));
    format!(
        "{by}; the image is pushed: the same again signs it, and so does cosign {}",
        args.display()
    )
}

fn said(errors: &[u8]) -> anyhow::Error {
    let text = String::from_utf8_lossy(errors);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    anyhow!("cosign said: {}", last.unwrap_or("nothing").trim())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const IMAGE: &str = "r.example/a@sha256:0";

    /// Writes down its arguments, and ends as it is told.
    fn fake(folder: &Path, end: &str) -> Cosign {
        let program = folder.join("cosign");
        let log = folder.join("log");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{}'\n{end}\n",
            log.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Cosign::find(folder.as_os_str()).unwrap()
    }

    #[tokio::test]
    async fn cosign_is_told_what_and_with_what() {
        let folder = tempfile::tempdir().unwrap();
        let cosign = fake(folder.path(), "");
        cosign.sign(IMAGE, "keyless").await.unwrap();
        cosign.sign(IMAGE, "awskms:///alias/k").await.unwrap();
        let sbom = Path::new("/x/a b.json");
        cosign.attest(IMAGE, "k.key", sbom).await.unwrap();
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        let lines: Vec<_> = log.lines().collect();
        let wanted = [
            format!("sign --yes -- {IMAGE}"),
            format!("sign --yes --key awskms:///alias/k -- {IMAGE}"),
            format!("attest --yes --type cyclonedx --predicate /x/a b.json --key k.key -- {IMAGE}"),
        ];
        assert_eq!(lines, wanted);
    }

    #[tokio::test]
    async fn what_cosign_says_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let cosign = fake(folder.path(), "echo first >&2; echo 'no key' >&2; exit 1");
        let error = cosign.sign(IMAGE, "k.key").await.unwrap_err();
        let wanted = format!("could not sign {IMAGE}: cosign said: no key");
        assert_eq!(format!("{error:#}"), wanted);
        assert!(cosign.sign("a:1", "k.key").await.is_err());
        let hint = |error: &anyhow::Error| crate::advice::hint(error).unwrap().to_owned();
        assert!(hint(&error).contains("COSIGN_PASSWORD"), "{}", hint(&error));
        let error = cosign.sign(IMAGE, "keyless").await.unwrap_err();
        let says = hint(&error);
        assert!(says.contains("SIGSTORE_ID_TOKEN"), "{says}");
        assert!(!says.contains("key,"), "{says}");
    }

    #[test]
    fn without_cosign_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Cosign::find(folder.path().as_os_str()).is_none());
    }
}
