//! What is told, in the form of whoever is told.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::release::ReleaseId;
use crate::rollout::Stamp;
use crate::spec::{Moment, Percent, Strategy};

/// The same however often it is delivered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Message {
    pub(super) v: u32,
    /// Of this moment of this rollout.
    pub(super) id: String,
    pub(super) event: Moment,
    pub(super) at: String,
    pub(super) agent: String,
    pub(super) environment: Option<String>,
    pub(super) rollout: u64,
    pub(super) strategy: Strategy,
    pub(super) from: Option<ReleaseId>,
    pub(super) to: ReleaseId,
    pub(super) by: String,
    /// The new release's share.
    pub(super) weight: Percent,
    /// For people.
    pub(super) says: String,
    #[serde(skip)]
    pub(super) stamp: Stamp,
}

/// A moment for programs.
pub(super) fn moment(at: Stamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let moment = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    format!("{moment:.3}")
}

impl Message {
    fn whose(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{} ({environment})", self.agent),
            None => self.agent.clone(),
        }
    }

    /// As agent.toml writes it.
    pub(super) fn name(&self) -> &'static str {
        match self.event {
            Moment::Started => "started",
            Moment::Paused => "paused",
            Moment::NeedsApproval => "needs_approval",
            Moment::Promoted => "promoted",
            Moment::RolledBack => "rolled_back",
            Moment::Stalled => "stalled",
        }
    }

    pub(super) fn plain(&self) -> Value {
        json!(self)
    }

    /// What an agent wrote must not become a link or call a channel.
    pub(super) fn slack(&self) -> Value {
        let says = self
            .says
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        json!({ "text": format!("{}: {says}", self.whose()) })
    }

    /// CloudEvents 1.0, structured.
    pub(super) fn cloud_event(&self) -> Value {
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": format!("/agentctl/{}", self.agent),
            "type": format!("agentctl.rollout.{}", self.name()),
            "subject": self.to,
            "time": self.at,
            "datacontenttype": "application/json",
            "data": self,
        })
    }

    pub(super) fn annotation(&self) -> Value {
        let tags = ["agentctl", &self.agent, self.name()];
        let environment = self.environment.as_deref();
        json!({
            "time": self.stamp.0,
            "tags": tags.into_iter().chain(environment).collect::<Vec<_>>(),
            "text": format!("{}: {}", self.whose(), self.says),
        })
    }
}
