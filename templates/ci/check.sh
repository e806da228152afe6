set -euo pipefail
agentctl check --file "$AGENT_FILE"
for environment in $ENVIRONMENTS; do
  agentctl check --file "$AGENT_FILE" --environment "$environment"
done
