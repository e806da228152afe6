//! The journal of a host that is reached by calls: one end asks, the other has the directory.
//!
//! Whether a holder is dead is judged by who asks, on whose machine it may have run; the far end
//! only exchanges one holder for another. Every call is safe to repeat, because an answer may be
//! lost with its connection: a record that is there already is not written twice, and a lease that was
//! given back is not missed.

use std::sync::Mutex;

use anyhow::{Context, Error, Result, anyhow};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lease::{Lease, Watch};
use super::{Asked, Directory, Fenced, Hold, Holder, Now, Owner, Record, Store};

/// The way to the far end.
pub(crate) trait Ask {
    /// Fails with [`Unanswered`] if the far end may have acted and its answer was lost.
    async fn ask(&self, call: Vec<u8>) -> Result<Vec<u8>>;

    /// The same for a call that changes nothing; `None` where there is no journal yet.
    async fn look(&self, call: Vec<u8>) -> Result<Option<Vec<u8>>>;
}

#[derive(Debug)]
pub(crate) struct Unanswered;

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the journal's answer was lost")
    }
}

impl std::error::Error for Unanswered {}

pub(crate) struct Remote<A> {
    way: A,
    watch: Mutex<Watch>,
    /// Requests that were handed out: the far end keeps them until it is told so.
    taken: Mutex<Vec<Asked>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Call {
    List,
    Read {
        rollout: u64,
    },
    Append {
        fence: u64,
        rollout: u64,
        at: u64,
        payload: Value,
        again: bool,
    },
    Put {
        fence: u64,
        name: String,
        bytes: Vec<u8>,
    },
    Get {
        name: String,
    },
    Lease,
    /// Takes the lease from this holder, if it is the one that holds it.
    Take {
        from: Option<Box<Holder>>,
        owner: Owner,
        at: u64,
    },
    Renew {
        fence: u64,
        at: u64,
    },
    Release {
        fence: u64,
        again: bool,
    },
    Ask(Asked),
    Asked {
        fence: u64,
        rollout: u64,
        taken: Vec<Asked>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Value),
    Fenced(Fenced),
    /// What was wrong, each cause once, and what to type next.
    Failed {
        causes: Vec<String>,
        hint: Option<String>,
    },
}

/// Who has it, and what is held, in words.
#[derive(Default, Serialize, Deserialize)]
struct Standing {
    what: String,
    holder: Option<Holder>,
}

/// The far end's part.
pub(crate) async fn answer(directory: &Directory, call: &[u8]) -> Vec<u8> {
    let answer = match act(directory, call).await {
        Ok(value) => Answer::Done(value),
        Err(error) => match error.downcast::<Fenced>() {
            Ok(fenced) => Answer::Fenced(fenced),
            Err(error) => Answer::Failed {
                causes: error.chain().map(ToString::to_string).collect(),
                hint: super::hint(&error),
            },
        },
    };
    // Strings, numbers and lists are always JSON.
    serde_json::to_vec(&answer).unwrap_or_default()
}

async fn act(directory: &Directory, call: &[u8]) -> Result<Value> {
    let call = serde_json::from_slice(call)
        .context("the call is not understood; is it of another version of agentctl?")?;
    let hold = |fence| Hold::again(fence);
    Ok(match call {
        Call::List => json!(directory.list().await?),
        Call::Read { rollout } => json!(directory.read(rollout).await?),
        Call::Append {
            fence,
            rollout,
            at,
            payload,
            again,
        } => {
            if !(again && is_there(directory, fence, rollout, at, &payload).await?) {
                directory.append(&hold(fence), rollout, at, payload).await?;
            }
            Value::Null
        }
        Call::Put { fence, name, bytes } => {
            json!(directory.put(&hold(fence), &name, &bytes).await?)
        }
        Call::Get { name } => json!(directory.get(&name).await?),
        Call::Lease => json!(Standing {
            what: directory.agent.clone(),
            holder: directory.holder().await?,
        }),
        Call::Take { from, owner, at } => json!(directory.take(from.as_deref(), owner, at).await?),
        Call::Renew { fence, at } => json!(directory.renew(&hold(fence), at).await?),
        Call::Release { fence, again } => {
            if !(again && directory.holder().await?.is_none()) {
                directory.release(hold(fence)).await?;
            }
            Value::Null
        }
        Call::Ask(request) => json!(directory.ask(request).await?),
        Call::Asked {
            fence,
            rollout,
            taken,
        } => {
            json!(directory.waiting(&hold(fence), rollout, &taken).await?)
        }
    })
}

async fn is_there(
    directory: &Directory,
    fence: u64,
    rollout: u64,
    at: u64,
    payload: &Value,
) -> Result<bool> {
    let records = directory.read(rollout).await?;
    let last = records.last();
    Ok(last.is_some_and(|last| last.fence == fence && last.at == at && last.payload == *payload))
}

impl<A: Ask> Remote<A> {
    pub(crate) fn new(way: A) -> Self {
        Self {
            way,
            watch: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    async fn call<T: DeserializeOwned>(&self, mut call: Call) -> Result<T> {
        loop {
            let answer = match self.way.ask(serde_json::to_vec(&call)?).await {
                Err(error) if error.is::<Unanswered>() => {
                    if let Call::Append { again, .. } | Call::Release { again, .. } = &mut call {
                        *again = true;
                    }
                    continue;
                }
                answer => answer?,
            };
            return understood(&answer);
        }
    }

    /// The default where there is no journal yet.
    async fn look<T: DeserializeOwned + Default>(&self, call: Call) -> Result<T> {
        loop {
            match self.way.look(serde_json::to_vec(&call)?).await {
                Err(error) if error.is::<Unanswered>() => {}
                Ok(None) => return Ok(T::default()),
                Ok(Some(answer)) => return understood(&answer),
                Err(error) => return Err(error),
            }
        }
    }

    /// `None`: it is not this one any more who holds it.
    async fn take(&self, from: Option<Holder>, owner: &Owner, at: u64) -> Result<Option<Hold>> {
        let (from, owned) = (from.map(Box::new), owner.clone());
        let take = Call::Take {
            from,
            owner: owned,
            at,
        };
        if let Some(fence) = self.call(take).await? {
            return Ok(Some(Hold::again(fence)));
        }
        // It may have been given, and the answer lost.
        let standing: Standing = self.call(Call::Lease).await?;
        let ours = standing.holder;
        let ours = ours.filter(|holder| holder.owner == *owner && holder.since == at);
        Ok(ours.map(|holder| Hold::again(holder.fence)))
    }

    /// Whether nobody stands in the way, as this machine sees it.
    fn free(&self, standing: &Standing, owner: &Owner, now: Now) -> Result<()> {
        let lease = Lease {
            fence: 0,
            holder: standing.holder.clone(),
        };
        let mut watch = unpoisoned(self.watch.lock())?;
        lease.free(owner, now, &mut watch, &standing.what)
    }
}

const NOT_UNDERSTOOD: &str =
    "the journal's answer is not understood; is it of another version of agentctl?";

fn understood<T: DeserializeOwned>(answer: &[u8]) -> Result<T> {
    match serde_json::from_slice(answer).context(NOT_UNDERSTOOD)? {
        Answer::Done(value) => serde_json::from_value(value).context(NOT_UNDERSTOOD),
        Answer::Fenced(fenced) => Err(fenced.into()),
        Answer::Failed { causes, hint } => Err(failed(causes, hint)),
    }
}

fn failed(causes: Vec<String>, hint: Option<String>) -> Error {
    let mut causes = causes.into_iter().rev();
    let first = anyhow!(causes.next().unwrap_or_default());
    let error = causes.fold(first, |error, above| error.context(above));
    match hint {
        Some(hint) => crate::advice::with_hint(error, hint),
        None => error,
    }
}

impl<A: Ask> Store for Remote<A> {
    async fn list(&self) -> Result<Vec<u64>> {
        self.look(Call::List).await
    }

    async fn read(&self, rollout: u64) -> Result<Vec<Record>> {
        self.look(Call::Read { rollout }).await
    }

    async fn append(&self, hold: &Hold, rollout: u64, at: u64, payload: Value) -> Result<()> {
        let (fence, again) = (hold.fence(), false);
        self.call(Call::Append {
            fence,
            rollout,
            at,
            payload,
            again,
        })
        .await
    }

    async fn put(&self, hold: &Hold, name: &str, bytes: &[u8]) -> Result<()> {
        let (fence, name, bytes) = (hold.fence(), name.to_owned(), bytes.to_vec());
        self.call(Call::Put { fence, name, bytes }).await
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.look(Call::Get {
            name: name.to_owned(),
        })
        .await
    }

    async fn acquire(&self, owner: Owner, now: Now) -> Result<Hold> {
        loop {
            let standing: Standing = self.call(Call::Lease).await?;
            self.free(&standing, &owner, now)?;
            if let Some(hold) = self.take(standing.holder, &owner, now.at).await? {
                return Ok(hold);
            }
            // Somebody took it or gave it back under the question.
        }
    }

    async fn renew(&self, hold: &Hold, at: u64) -> Result<()> {
        let fence = hold.fence();
        self.call(Call::Renew { fence, at }).await
    }

    async fn release(&self, hold: Hold) -> Result<()> {
        let (fence, again) = (hold.fence(), false);
        self.call(Call::Release { fence, again }).await
    }

    async fn holder(&self) -> Result<Option<Holder>> {
        let standing: Standing = self.look(Call::Lease).await?;
        Ok(standing.holder)
    }

    async fn ask(&self, request: Asked) -> Result<()> {
        self.call(Call::Ask(request)).await
    }

    async fn asked(&self, hold: &Hold, rollout: u64) -> Result<Vec<Asked>> {
        let (fence, taken) = (hold.fence(), unpoisoned(self.taken.lock())?.clone());
        let asked: Vec<Asked> = self
            .call(Call::Asked {
                fence,
                rollout,
                taken,
            })
            .await?;
        unpoisoned(self.taken.lock())?.clone_from(&asked);
        Ok(asked)
    }
}

fn unpoisoned<T>(locked: std::sync::LockResult<T>) -> Result<T> {
    locked.map_err(|_| anyhow!("a panic came before"))
}
