use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ab, ConversationKey, Percent, Period, Probe, Says};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Strategy {
    #[default]
    Rolling,
    BlueGreen,
    Canary,
    Shadow,
    Ab,
    Auto,
}

/// How a new release takes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollout {
    /// rolling: a few replicas at a time; blue-green: all beside the old ones, then the switch;
    /// canary: a growing share of the traffic; shadow: copies of requests first, whose answers nobody
    /// gets, then the switch or the steps; ab: both releases, told apart by what requests say, until a
    /// person promotes one; auto: one of them, by what changed against the release in
    /// force.
    pub(crate) strategy: Strategy,
    /// A conversation keeps its release while weights move.
    pub(crate) sticky: bool,
    /// Canary, and after a shadow: weights rise and end at 100; not given: for a canary 10 and 50 per
    /// cent, held for 5m each, then 100; for a shadow one switch.
    pub(crate) steps: Vec<RolloutStep>,
    /// Shadow: of the conversations that begin, and of the requests that belong to none, this share is
    /// copied to the candidate.
    pub(crate) mirror: Percent,
    /// Shadow: how long requests are copied, and what becomes of the copies.
    pub(crate) shadow: Shadow,
    /// A/B: requests that say one of these begin on the new release: `header:NAME=VALUE`,
    /// `cookie:NAME=VALUE` or `query:NAME=VALUE`.
    #[serde(rename = "match")]
    pub(crate) says: Vec<Says>,
    /// A/B: what names the user, like `header:X-User-Id`; users are split, and each stays on one
    /// release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<ConversationKey>,
    /// A/B: the share of users that begin on the new release.
    pub(crate) split: Percent,
    /// After the switch the old release stays warm this long, with the gates on.
    pub(crate) bake: Period,
    /// Rolling: replicas beyond the wanted number while it runs.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) max_surge: u32,
    /// Rolling: replicas that may be missing while it runs; with `max_surge = 0` a replica goes
    /// before its successor comes.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) max_unavailable: u32,
    /// How long past its hold an unclear gate with `unclear = "wait"` is waited for before it
    /// counts as failed.
    pub(crate) patience: Period,
    /// The probability that a harmless release is not stopped by the gates that compare it with
    /// the stable one, all of them together, however often they are looked at.
    #[schemars(extend("exclusiveMinimum" = 0.5, "exclusiveMaximum" = 1))]
    pub(crate) confidence: f64,
    /// For gates that compare what conversations use: each counts with what it has used this long
    /// after it began, whatever its release does with the time.
    pub(crate) settle: Period,
    /// Requests sent to the candidate before any user's request is.
    pub(crate) probe: Vec<Probe>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            sticky: true,
            steps: Vec::new(),
            mirror: Percent::FULL,
            shadow: Shadow::default(),
            says: Vec::new(),
            user: None,
            split: Percent::from_hundredths(5_000),
            bake: Period::default(),
            max_surge: 1,
            max_unavailable: 0,
            patience: Period::secs(3600),
            confidence: 0.99,
            settle: Period::secs(120),
            probe: Vec::new(),
        }
    }
}

impl Rollout {
    pub(crate) fn ab(&self) -> Ab {
        Ab {
            says: self.says.clone(),
            user: self.user.clone(),
            split: self.split,
        }
    }

    /// What a canary without steps of its own walks.
    pub(super) fn usual_steps() -> Vec<RolloutStep> {
        let step = |percent: u16, hold| RolloutStep::Weight {
            weight: Percent::from_hundredths(percent * 100),
            hold,
        };
        let hold = Period::secs(300);
        vec![step(10, hold), step(50, hold), step(100, Period::default())]
    }
}

/// Copies of requests, which the candidate answers and nobody gets the answers of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Shadow {
    /// How long requests are copied at least, with the gates on.
    pub(crate) hold: Period,
    /// No request is copied after this long, whatever the rollout still waits for; not given: copied
    /// until the traffic moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at_most: Option<Period>,
    /// No request is copied any more once the candidate's answers have told this much cost, in the
    /// agent's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_cost: Option<f64>,
    /// A file in the edge's folder that each request is written to with both answers, as a line of
    /// JSON; at most 64 MiB of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "mark"))]
    pub(crate) capture: Option<String>,
    /// What is left out of that file beside Authorization and cookies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) redact: Vec<ConversationKey>,
}

impl Default for Shadow {
    fn default() -> Self {
        Self {
            hold: Period::secs(1800),
            at_most: None,
            max_cost: None,
            capture: None,
            redact: Vec::new(),
        }
    }
}

/// One step of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum RolloutStep {
    Weight {
        /// The candidate's share of the traffic, in per cent.
        weight: Percent,
        /// How long the gates are judged at least before the next step.
        #[serde(default)]
        hold: Period,
    },
    /// Wait until a person runs `agentctl approve`.
    Approve {
        /// What is to be approved, as that person reads it.
        #[schemars(length(min = 1))]
        approve: String,
    },
}

/// What happens by itself when a gate fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollback {
    /// `false`: a failed gate stalls the rollout and waits for a person.
    pub(crate) auto: bool,
    /// A release that was undone is not deployed again this soon, unless told to (`--again`).
    pub(crate) cooldown: Period,
    /// After this many undone rollouts in an hour a deploy wants `--again`.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_per_hour: u32,
    /// What `agentctl watch` judges: the requests of the last so many minutes.
    pub(crate) window: Period,
}

impl Default for Rollback {
    fn default() -> Self {
        Self {
            auto: true,
            cooldown: Period::secs(300),
            max_per_hour: 3,
            window: Period::secs(300),
        }
    }
}
