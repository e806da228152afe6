/// A document that uses every section.
pub(super) const FULL: &str = r#"
[agent]
name = "support-agent"
kind = "service"
description = "Answers customer questions"
team = "support"
labels = { tier = "frontend" }

[run]
command = ["python3", "-m", "app", "--port=${PORT}", "--region", "${REGION}"]
files = ["app", "prompts"]
port = 8080
replicas = 3
env = { LOG = "info", "DB" = "postgres://u:${secret:DB_PASSWORD}@db/${REGION}", PLAIN = "$${X}" }

[health]
live = "/health/live"
ready = "/health/ready"
startup = { path = "/up", within = "5m" }
every = "10s"

[drain]
grace = "120s"
key = ["header:X-Conversation-Id", "cookie:conversation", "query:thread", "json:context.id"]

[config]
model = "gpt-4o"
fallback_models = ["gpt-4o-mini"]
prompts = "prompts/"
settings = { temperature = 0.3, max_tokens = 8192, "odd key" = [1, { a = "b" }] }
tools.search.timeout = "10s"

[secrets]
OPENAI_API_KEY = { env = "OPENAI_API_KEY" }
DB_PASSWORD = { file = ".secrets/db" }

[rollout]
strategy = "canary"
steps = [
  { weight = 5, hold = "5m" },
  { weight = 50.5 },
  { approve = "before full traffic" },
  { weight = 100 },
]
bake = "15m"

[[rollout.probe]]
request = { method = "POST", path = "/chat?x=1", headers = { X-A = "b" }, json = { message = "ping" } }
expect = { status = 200, json = "$.reply", within = "5s" }

[[gate]]
metric = "error_rate"
max = 0.01
[[gate]]
name = "slow"
metric = "latency_p99"
max = "1s"
unclear = "fail"

[rollback]
cooldown = "5m"

[environments.development]
[environments.staging]
target = { process = { listen = "0.0.0.0" } }
run.replicas = 2
secrets.DB_PASSWORD = { env = "STAGING_DB" }
[environments.production]
approve = true
config.settings.temperature = 0.5
rollout.steps = [{ weight = 10 }, { weight = 100 }]
[environments.production.run.env]
LOG = "warn"
"#;
