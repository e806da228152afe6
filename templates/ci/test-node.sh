set -euo pipefail
{% if manager == "pnpm" %}
npx --yes pnpm@{{ pnpm }} install{% if locked %} --frozen-lockfile{% endif +%}
{% elif manager == "yarn" %}
npx --yes yarn install{% if locked %} --frozen-lockfile{% endif +%}
{% elif manager == "npm" %}
npm {% if locked %}ci{% else %}install{% endif +%}
{% endif %}
{% if manager is not none %}
npm test --if-present
{% else %}
find . -name '*.js' -not -path '*/node_modules/*' -exec node --check {} \;
{% endif %}
