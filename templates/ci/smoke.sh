set -euo pipefail
url="$(tail -n 1 deploy.jsonl | sed -n 's/.*"url":"\([^"]*\)".*/\1/p')"
curl --fail --silent --show-error --max-time 10 --output /dev/null "$url$READY"
