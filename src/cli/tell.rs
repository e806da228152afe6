//! Who is told of a rollout: as the last deploy said, whoever walks it now.

use anyhow::Result;

use super::site::Site;
use crate::analysis::Verdict;
use crate::engine::Audience;
use crate::journal::{Hold, Store};
use crate::notify::{Herald, Lacks, Outbox, Subject, places};
use crate::redact::Redactor;
use crate::rollout::{Event, Rollout, Stamp};
use crate::spec::Notify;
use crate::target::{Seen, secrets};

/// The name that it is kept under, secrets by name.
const DOCUMENT: &str = "notify.json";

/// For whoever walks a rollout without agent.toml at hand. A program is run only where that is: what
/// is kept on a host must not decide what runs elsewhere.
pub(crate) async fn keep<S: Store>(store: &S, hold: &Hold, notify: Option<&Notify>) -> Result<()> {
    let kept = notify.map(|notify| Notify {
        command: Vec::new(),
        ..notify.clone()
    });
    let bytes = serde_json::to_vec(&kept)?;
    let before = store.get(DOCUMENT).await?;
    match before.as_deref() == Some(&bytes) || (before.is_none() && kept.is_none()) {
        true => Ok(()),
        false => store.put(hold, DOCUMENT, &bytes).await,
    }
}

pub(crate) async fn kept<S: Store>(store: &S) -> Result<Option<Notify>> {
    let bytes = store.get(DOCUMENT).await?;
    let kept = bytes
        .map(|bytes| serde_json::from_slice(&bytes))
        .transpose();
    Ok(kept?.flatten())
}

/// # Errors
/// In words, why nobody is told.
pub(crate) fn open(notify: &Notify, values: &secrets::Values) -> Result<Outbox, String> {
    let places = places(notify, values).map_err(|Lacks(name)| {
        format!("nobody is told of this rollout: the secret {name} has no value here")
    })?;
    Outbox::open(places).map_err(|error| format!("nobody is told of this rollout: {error}"))
}

pub(crate) fn herald(
    site: &Site,
    rollout: u64,
    notify: Notify,
    outbox: &Outbox,
    redactor: Redactor,
) -> Herald {
    let subject = Subject {
        agent: site.agent.clone(),
        environment: site.environment.clone(),
        rollout,
    };
    Herald::new(subject, notify, outbox.sender(), redactor)
}

/// Tells whoever watches, and whoever does not.
pub(crate) struct Told<A> {
    pub(crate) watching: A,
    pub(crate) herald: Option<Herald>,
}

impl<A: Audience> Audience for Told<A> {
    fn event(&self, rollout: &Rollout, at: Stamp, event: &Event) {
        self.watching.event(rollout, at, event);
        if let Some(herald) = &self.herald {
            herald.event(rollout, at, event);
        }
    }

    fn glimpse(&self, rollout: &Rollout, seen: &Seen, verdicts: &[Verdict], at: Stamp) {
        self.watching.glimpse(rollout, seen, verdicts, at);
        if let Some(herald) = &self.herald {
            herald.glimpse(rollout, verdicts, at);
        }
    }
}
