set -euo pipefail
python3 -m venv .venv
. .venv/bin/activate
{% if manager == "uv" and locked %}
pip install uv=={{ uv }}
uv sync --locked --active
{% elif manager == "poetry" %}
pip install poetry=={{ poetry }}
poetry install --no-root
{% elif requirements %}
pip install --requirement requirements.txt
{% elif manager is not none %}
pip install uv=={{ uv }}
uv pip install --requirements pyproject.toml
{% endif %}
{% if tests %}
command -v pytest > /dev/null || pip install pytest
python -m pytest
{% else %}
python -m compileall -q -x '\.venv/' .
{% endif %}
