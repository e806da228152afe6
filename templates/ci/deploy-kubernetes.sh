set -euo pipefail
cluster() {
  kubectl ${KUBE_CONTEXT:+--context "$KUBE_CONTEXT"} ${NAMESPACE:+--namespace "$NAMESPACE"} "$@"
}
agentctl render kubernetes --file "$AGENT_FILE" ${ENVIRONMENT:+--environment "$ENVIRONMENT"} \
  ${IMAGE:+--image "$IMAGE"} > rendered.yaml
cluster apply --filename rendered.yaml
if [ -n "$WORKLOAD" ] && ! cluster rollout status "$WORKLOAD" --timeout "$WITHIN"; then
  cluster rollout undo "$WORKLOAD"
  exit 1
fi
