set -euo pipefail
[ -n "$DOCKER_HOST" ] || unset DOCKER_HOST
agentctl render compose --file "$AGENT_FILE" ${ENVIRONMENT:+--environment "$ENVIRONMENT"} \
  ${IMAGE:+--image "$IMAGE"} > rendered.yaml
docker compose --file rendered.yaml --project-name "$AGENT" up --detach --wait --remove-orphans
