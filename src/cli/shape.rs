//! What runs in a cluster, and what is to take its place, are of one kind and split by one router:
//! others would not be seen beside each other, and requests would go where nobody is.

use anyhow::Result;

use super::objects::{self, ANY};
use super::site::{Project, Site};
use crate::advice::because;
use crate::engine;
use crate::journal::Store;
use crate::release::{Artifact, Contents, Release};
use crate::spec::Kind;
use crate::target::{Seen, routed_by};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    kind: Kind,
    router: &'static str,
}

/// What is to take the place of what runs.
struct Successor<'a> {
    shape: Shape,
    /// What has to be typed again once nothing runs.
    verb: &'a str,
    /// A router may be named in agent.toml.
    may_keep: bool,
}

/// # Errors
/// A deploy that would change what runs into another kind, or its router.
pub(crate) async fn fits<S: Store>(
    project: &Project,
    contents: &Contents,
    store: &S,
    seen: &Seen,
) -> Result<()> {
    let (Artifact::Image(image), true) = (&contents.artifact, objects::is_in_cluster(project))
    else {
        return Ok(());
    };
    let objects = objects::of(project, &image.name, ANY, None).await?;
    let next = Successor {
        shape: Shape {
            kind: contents.kind,
            router: routed_by(&objects, &project.site.agent),
        },
        verb: "deploy",
        may_keep: true,
    };
    is_kept(&project.site, store, seen, &next).await
}

/// # Errors
/// As [`fits`], of going back to this release.
pub(crate) async fn fits_back<S: Store>(
    site: &Site,
    release: &Release,
    store: &S,
    seen: &Seen,
) -> Result<()> {
    if release.objects.is_empty() {
        return Ok(());
    }
    let next = Successor {
        shape: of(release, site),
        verb: &format!("rollback --to {}", release.id),
        may_keep: false,
    };
    is_kept(site, store, seen, &next).await
}

fn of(release: &Release, site: &Site) -> Shape {
    Shape {
        kind: release.contents.kind,
        router: routed_by(&release.objects, &site.agent),
    }
}

async fn is_kept<S: Store>(
    site: &Site,
    store: &S,
    seen: &Seen,
    next: &Successor<'_>,
) -> Result<()> {
    // What only leaves is in nobody's way.
    let running = seen.releases.iter().filter(|(_, one)| one.wanted > 0);
    let running = running.map(|(id, _)| id).chain(seen.shares.keys());
    for id in running {
        if store.get(&engine::document(*id)).await?.is_some() {
            let running = engine::release(store, *id).await?;
            if let Some(change) = next.changes(of(&running, site)) {
                return Err(refused(site, &running, &change, next.verb));
            }
        }
    }
    Ok(())
}

/// From what to what, and how that is done without.
struct Change {
    words: String,
    instead: String,
}

impl Successor<'_> {
    fn changes(&self, before: Shape) -> Option<Change> {
        let (from, to) = (before.kind.word(), self.shape.kind.word());
        if from != to {
            return Some(Change {
                words: format!("from the kind {from} to {to}"),
                instead: String::new(),
            });
        }
        let (from, to) = (before.router, self.shape.router);
        let instead = format!("; or network.router = \"{from}\" keeps the one that it has");
        (from != to).then(|| Change {
            words: format!("from the router {from} to {to}"),
            instead: if self.may_keep {
                instead
            } else {
                String::new()
            },
        })
    }
}

fn refused(site: &Site, running: &Release, change: &Change, verb: &str) -> anyhow::Error {
    let environment = match &site.environment {
        Some(environment) => format!(" -e {environment}"),
        None => String::new(),
    };
    let Change { words, instead } = change;
    because(
        format!("{} cannot change {words} while it runs", site.name()),
        format!(
            "{} runs, and the two cannot run beside each other",
            running.id
        ),
        format!(
            "agentctl stop{environment} ends it, and then agentctl {verb}{environment}{instead}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_router_stay() {
        let shape = |kind, router| Shape { kind, router };
        let service = shape(Kind::Service, "service");
        let cases = [
            (service, service, None),
            (
                shape(Kind::Worker, "work"),
                shape(Kind::Daemon, "work"),
                Some("from the kind worker to daemon"),
            ),
            (
                service,
                shape(Kind::Worker, "work"),
                Some("from the kind service to worker"),
            ),
            (
                shape(Kind::Service, "nginx"),
                service,
                Some("from the router nginx to service"),
            ),
        ];
        for (before, after, expected) in cases {
            let next = Successor {
                shape: after,
                verb: "deploy",
                may_keep: true,
            };
            let change = next.changes(before);
            assert_eq!(change.as_ref().map(|one| one.words.as_str()), expected);
        }
    }
}
