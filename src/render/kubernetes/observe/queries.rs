//! Questions to Prometheus about one agent, by the names of `docs/agent-contract.md`.

use crate::render::Input;
use crate::spec::Metric;

#[derive(Clone)]
pub(in crate::render::kubernetes) struct Queries {
    /// What stands between the braces.
    selector: String,
    /// One answer for each of these labels, instead of one for all.
    by: &'static str,
}

impl Queries {
    pub(in crate::render::kubernetes) fn of(input: &Input) -> Self {
        let namespace = input.namespace();
        let namespace = namespace.map(|name| format!(",namespace=\"{name}\""));
        Self {
            selector: format!(
                "agent=\"{}\"{}",
                input.agent(),
                namespace.unwrap_or_default()
            ),
            by: "",
        }
    }

    pub(super) fn by_release(&self) -> Self {
        Self {
            by: "release",
            ..self.clone()
        }
    }

    /// Narrowed down by one more condition, like `release="r13"`.
    pub(in crate::render::kubernetes) fn only(&self, condition: &str) -> Self {
        Self {
            selector: format!("{},{condition}", self.selector),
            ..self.clone()
        }
    }

    /// The figure that a gate bounds, over this long.
    pub(in crate::render::kubernetes) fn gate(&self, metric: Metric, window: &str) -> String {
        match metric {
            Metric::ErrorRate => self.error_rate(window),
            Metric::LatencyP50 => self.latency(0.5, window),
            Metric::LatencyP95 => self.latency(0.95, window),
            Metric::LatencyP99 => self.latency(0.99, window),
            Metric::Requests => self.requests(window),
            Metric::TokensPerRequest => self.tokens_per_request(window),
            Metric::CostPerConversation => self.cost_per_conversation(window),
            Metric::TokensPerConversation => self.per_conversation("agent_tokens_total", window),
            Metric::ToolCallsPerConversation => {
                self.per_conversation("agent_tool_calls_total", window)
            }
            // Refused before.
            Metric::Sourced
            | Metric::ModelLatencyP50
            | Metric::ModelLatencyP95
            | Metric::ModelLatencyP99
            | Metric::TokensPerCall
            | Metric::ToolErrorRate => String::new(),
            Metric::StepsPerConversation => self.per_conversation("agent_steps_total", window),
        }
    }

    pub(in crate::render::kubernetes) fn requests(&self, window: &str) -> String {
        self.grown("increase", "agent_requests_total", window)
    }

    pub(super) fn request_rate(&self, window: &str) -> String {
        self.grown("rate", "agent_requests_total", window)
    }

    pub(super) fn error_rate(&self, window: &str) -> String {
        self.ratio("agent_errors_total", "agent_requests_total", window)
    }

    pub(super) fn tokens_per_request(&self, window: &str) -> String {
        self.ratio("agent_tokens_total", "agent_requests_total", window)
    }

    pub(super) fn cost_per_conversation(&self, window: &str) -> String {
        self.per_conversation("agent_cost_total", window)
    }

    fn per_conversation(&self, counter: &str, window: &str) -> String {
        self.ratio(counter, "agent_conversations_total", window)
    }

    /// In seconds.
    pub(super) fn latency(&self, share: f64, window: &str) -> String {
        let by = match self.by {
            "" => "le".to_owned(),
            by => format!("le, {by}"),
        };
        let selector = &self.selector;
        format!(
            "histogram_quantile({share}, sum by ({by}) (rate(agent_request_seconds_bucket{{{selector}}}[{window}])))"
        )
    }

    pub(super) fn sum(&self, metric: &str) -> String {
        format!("{}({metric}{{{}}})", self.over("sum"), self.selector)
    }

    pub(super) fn most(&self, metric: &str) -> String {
        format!("{}({metric}{{{}}})", self.over("max"), self.selector)
    }

    pub(super) fn replicas(&self) -> String {
        format!("{}(up{{{}}} == 1)", self.over("count"), self.selector)
    }

    fn ratio(&self, part: &str, whole: &str, window: &str) -> String {
        let grown = |metric| self.grown("increase", metric, window);
        format!("{} / {}", grown(part), grown(whole))
    }

    fn grown(&self, function: &str, metric: &str, window: &str) -> String {
        let selector = &self.selector;
        format!(
            "{}({function}({metric}{{{selector}}}[{window}]))",
            self.over("sum")
        )
    }

    fn over(&self, function: &str) -> String {
        match self.by {
            "" => function.to_owned(),
            by => format!("{function} by ({by}) "),
        }
    }
}
