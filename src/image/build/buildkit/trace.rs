//! What BuildKit tells of its vertexes, as steps.

use std::collections::HashMap;

use super::messages::{Log, Moved, Status, Vertex};
use crate::image::Ended;
use crate::image::build::steps::Steps;

#[derive(Default)]
pub(super) struct Trace {
    steps: HashMap<String, usize>,
}

impl Trace {
    pub(super) fn take(&mut self, status: Status, steps: &mut Steps<'_>) {
        let (mut ended, going): (Vec<_>, Vec<_>) = status
            .vertexes
            .into_iter()
            .partition(|vertex| vertex.completed.is_some());
        for vertex in going.iter().chain(&ended) {
            self.begin(vertex, steps);
        }
        for moved in &status.statuses {
            self.moved(moved, steps);
        }
        for log in &status.logs {
            self.said(log, steps);
        }
        for vertex in ended.drain(..) {
            self.end(&vertex, steps);
        }
    }

    fn begin(&mut self, vertex: &Vertex, steps: &mut Steps<'_>) {
        if vertex.started.is_some() && !self.steps.contains_key(&vertex.digest) {
            let step = steps.begin(&vertex.name);
            self.steps.insert(vertex.digest.clone(), step);
        }
    }

    fn moved(&self, moved: &Moved, steps: &mut Steps<'_>) {
        let Some(step) = self.steps.get(&moved.vertex) else {
            return;
        };
        let bytes = |count: i64| u64::try_from(count).ok().filter(|count| *count > 0);
        if let Some(current) = bytes(moved.current) {
            steps.moved(*step, current, bytes(moved.total));
        }
    }

    fn said(&self, log: &Log, steps: &mut Steps<'_>) {
        if let Some(step) = self.steps.get(&log.vertex) {
            steps.say(*step, &log.text);
        }
    }

    fn end(&self, vertex: &Vertex, steps: &mut Steps<'_>) {
        let Some(step) = self.steps.get(&vertex.digest) else {
            return;
        };
        let how = match (vertex.error.is_empty(), vertex.cached) {
            (false, _) => Ended::Failed,
            (true, true) => Ended::Cached,
            (true, false) => Ended::Done,
        };
        steps.end(*step, how);
    }
}
