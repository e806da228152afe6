set -euo pipefail
# The address is a secret: curl reads it from its input, where no list of processes shows it.
tell() {
  printf 'url = "%s"\n' "$1" | curl --config - --fail --silent --show-error --output /dev/null \
    --header 'content-type: application/json' --data "$2"
}
result="$(tail -n 1 deploy.jsonl 2>/dev/null || true)"
# Of a rollout that ended agentctl itself told.
case "$result" in *'"took_ms":'*) exit 0 ;; esac
if [ -n "${SLACK_URL:-}" ]; then
  tell "$SLACK_URL" "{\"text\":\"$AGENT${ENVIRONMENT:+ in $ENVIRONMENT}: $STATUS, $RUN_URL\"}"
fi
if [ -n "${WEBHOOK_URL:-}" ]; then
  tell "$WEBHOOK_URL" "{\"agent\":\"$AGENT\",\"environment\":\"$ENVIRONMENT\",\"status\":\"$STATUS\",\"run\":\"$RUN_URL\",\"deploy\":${result:-null}}"
fi
