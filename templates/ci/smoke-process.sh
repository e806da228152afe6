set -euo pipefail
curl --fail --silent --show-error --max-time 10 --output /dev/null "http://127.0.0.1:$AT$READY"
