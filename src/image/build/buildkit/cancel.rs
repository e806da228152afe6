//! A build that nobody waits for any more is none of the engine's business.

use hyper::Request;
use tokio::runtime::Handle;

use crate::docker::{Engine, empty};

/// Tells the engine to stop when it is dropped before the end.
pub(super) struct Running {
    engine: Engine,
    /// `None` once there is nothing to stop.
    id: Option<String>,
}

impl Running {
    pub(super) fn new(engine: &Engine, id: &str) -> Self {
        Self {
            engine: engine.clone(),
            id: Some(id.to_owned()),
        }
    }

    pub(super) fn ended(mut self) {
        self.id = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some((id, runtime)) = self.id.take().zip(Handle::try_current().ok()) else {
            return;
        };
        let engine = self.engine.clone();
        // Its connections end with this process, which stops it as well; this is only sooner.
        runtime.spawn(async move {
            if let Ok(request) = Request::post(format!("/build/cancel?id={id}")).body(empty()) {
                let _ = engine.send(request).await;
            }
        });
    }
}
