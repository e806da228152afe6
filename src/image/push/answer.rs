//! What the engine tells while it pushes, as steps and a digest.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;

use crate::docker::{Line, Moved};
use crate::image::progress::{Ended, Progress};
use crate::image::registry::Digest;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pushed {
    digest: Digest,
}

/// A layer that ended stays so when the push is tried again.
#[derive(Default)]
pub(super) struct Answer {
    layers: Vec<Layer>,
    /// The last that was said of each layer.
    said: BTreeMap<String, (Option<String>, Option<u64>)>,
    pub(super) digest: Option<Digest>,
}

struct Layer {
    id: String,
    has_ended: bool,
}

impl Answer {
    /// Whether it says of its layer what was not said just before.
    pub(super) fn is_news(&mut self, line: &Line) -> bool {
        let Some(id) = &line.id else {
            return true;
        };
        let says = (line.status.clone(), line.moved.current);
        self.said.insert(id.clone(), says.clone()) != Some(says)
    }

    pub(super) fn take(&mut self, line: Line, watch: &mut dyn FnMut(Progress)) -> Result<()> {
        if let Some(aux) = line.aux {
            let pushed: Pushed = serde_json::from_value(aux)?;
            self.digest = Some(pushed.digest);
        }
        if let Some(id) = line.id {
            let step = self.step(id, watch);
            let status = line.status.unwrap_or_default();
            self.tell(step, &status, &line.moved, watch);
        }
        Ok(())
    }

    /// The wait before it is tried again is a step, too, so that it can be seen.
    pub(super) fn again(
        &mut self,
        why: &str,
        wait: Duration,
        watch: &mut dyn FnMut(Progress),
    ) -> usize {
        let name = format!("again in {} s: {why}", wait.as_secs_f64());
        self.step(name, watch)
    }

    /// What had not ended did not succeed.
    pub(super) fn failed(&mut self, watch: &mut dyn FnMut(Progress)) {
        for step in 0..self.layers.len() {
            self.end(step, Ended::Failed, watch);
        }
    }

    fn step(&mut self, id: String, watch: &mut dyn FnMut(Progress)) -> usize {
        if let Some(step) = self.layers.iter().position(|layer| layer.id == id) {
            return step;
        }
        let step = self.layers.len();
        watch(Progress::Begun {
            step,
            name: id.clone(),
        });
        self.layers.push(Layer {
            id,
            has_ended: false,
        });
        step
    }

    fn tell(&mut self, step: usize, status: &str, moved: &Moved, watch: &mut dyn FnMut(Progress)) {
        match (status, moved.current) {
            ("Pushed", _) => self.end(step, Ended::Done, watch),
            ("Layer already exists", _) => self.end(step, Ended::Cached, watch),
            (status, _) if status.starts_with("Mounted from") => {
                self.end(step, Ended::Cached, watch);
            }
            ("Pushing", Some(bytes)) if !self.layers[step].has_ended => watch(Progress::Moved {
                step,
                bytes,
                // The engine guesses it, and is at times too low.
                of: moved.total.filter(|of| *of >= bytes),
            }),
            _ => (),
        }
    }

    pub(super) fn end(&mut self, step: usize, how: Ended, watch: &mut dyn FnMut(Progress)) {
        let layer = &mut self.layers[step];
        if !std::mem::replace(&mut layer.has_ended, true) {
            watch(Progress::Ended { step, how });
        }
    }
}
