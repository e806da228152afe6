{% if registry %}
{% include "ci/login.sh" %}

{% else %}
set -euo pipefail
{% endif %}
{% if files %}
written=()
trap 'rm -f -- "${written[@]}"' EXIT
{% include "ci/secret-files.sh" %}

{% endif %}
agentctl plan --file "$AGENT_FILE" ${ENVIRONMENT:+--environment "$ENVIRONMENT"}
for attempt in 1 2 3 4 5; do
  agentctl deploy --file "$AGENT_FILE" ${ENVIRONMENT:+--environment "$ENVIRONMENT"} --output json > deploy.jsonl &
  # A cancelled job undoes its rollout: the signal is passed on, and the end waited for.
  trap 'kill -TERM "$!"' INT TERM
  code=0
  wait "$!" || code=$?
  if [ "$code" -gt 128 ]; then
    code=0
    wait "$!" || code=$?
  fi
  # 4: someone else holds the lease, and may be done soon.
  if [ "$code" -ne 4 ] || [ "$attempt" -eq 5 ]; then
    break
  fi
  sleep 60
done
tail -n 1 deploy.jsonl
if [ "$code" -ne 0 ]; then
  exit "$code"
fi
