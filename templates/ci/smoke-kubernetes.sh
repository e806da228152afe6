set -euo pipefail
kubectl ${KUBE_CONTEXT:+--context "$KUBE_CONTEXT"} get --raw \
  "/api/v1/namespaces/${NAMESPACE:-default}/services/$AGENT:http/proxy$READY" > /dev/null
