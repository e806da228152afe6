{% include "ci/login.sh" %}

push() {
  agentctl push --file "$AGENT_FILE" --output json "$@" | tail -n 1
}
# Environments that need the same image share it: it is built once, and then only asked for.
if [ -z "$ENVIRONMENTS" ]; then
  push
fi
for environment in $ENVIRONMENTS; do
  push --environment "$environment"
done
