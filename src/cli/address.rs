//! Where users reach the agent.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use anyhow::Result;

use super::objects::is_in_cluster;
use super::render::needed;
use super::site::Project;
use crate::advice::with_advice;
use crate::spec::TargetSpec;
use crate::target::{Any, Seen, Target};

/// What becomes of the address that users have now, where this agent.toml names another.
pub(crate) fn moved(project: &Project, seen: &Seen) -> Option<String> {
    let (now, then) = (seen.url.as_deref()?, address(project)?);
    let is_same = now.ends_with(&format!(":{}", then.port()));
    (!is_same).then(|| {
        format!(
            "{now} will be closed, and port {} opened in its place",
            then.port()
        )
    })
}

/// `None`: nobody calls it.
pub(crate) fn address(project: &Project) -> Option<SocketAddr> {
    if !project.loaded.spec.agent.kind.is_called() {
        return None;
    }
    match project.loaded.target {
        TargetSpec::Process { listen } | TargetSpec::Docker { listen, .. } => {
            Some(SocketAddr::new(listen, project.loaded.spec.run.port))
        }
        // A cluster's own objects open its addresses.
        TargetSpec::Kubernetes { .. } => None,
    }
}

/// Found out before anything is changed; the answer is what could not be looked at, in words.
pub(crate) async fn fits(project: &Project) -> Result<Vec<String>> {
    let (target, address) = (project.site.target(0).await?, address(project));
    match (&project.loaded.target, address) {
        (TargetSpec::Process { .. }, None) => Ok(Vec::new()),
        (TargetSpec::Process { .. }, Some(address)) => {
            address_is_free(project, &target, address).await?;
            Ok(Vec::new())
        }
        _ => {
            let needed = match is_in_cluster(project) {
                true => needed(project)?,
                false => Vec::new(),
            };
            let spec = &project.loaded.spec;
            target.fits(spec, address, &needed).await
        }
    }
}

/// The edge that has the address already may keep it.
async fn address_is_free(project: &Project, target: &Any, address: SocketAddr) -> Result<()> {
    let seen = target.observe().await?;
    if seen.url == Some(format!("http://{address}")) {
        return Ok(());
    }
    let opened = TcpListener::bind(address).map(drop);
    opened.map_err(|error| {
        let hint = instead(address.port(), error.kind());
        let what = format!("could not open {address} for {}", project.site.name());
        with_advice(error.into(), what, hint)
    })
}

fn instead(port: u16, kind: ErrorKind) -> String {
    match kind {
        ErrorKind::PermissionDenied => {
            "ports below 1024 take a right that you do not have: set another run.port".to_owned()
        }
        _ => format!("see who has it: ss -ltnp 'sport = :{port}'; or set another run.port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lacks_a_right_is_not_sent_to_look_for_others() {
        let hint = instead(80, ErrorKind::PermissionDenied);
        assert!(hint.contains("below 1024") && !hint.contains("ss -ltnp"));
        assert!(instead(8000, ErrorKind::AddrInUse).contains("'sport = :8000'"));
    }
}
