set -euo pipefail
printf '%s' "$REGISTRY_PASSWORD" | docker login "$REGISTRY" --username "$REGISTRY_USER" --password-stdin
agentctl render dockerfile --file "$AGENT_FILE" --out "$CONTEXT"
commit="$(git rev-parse HEAD)"
docker buildx build --push --file "$CONTEXT/$DOCKERFILE" --tag "$REPOSITORY:$commit" \
  --build-arg "OCI_VERSION=$VERSION" \
  --build-arg "OCI_REVISION=$commit" \
  --build-arg "OCI_CREATED=$(git show --no-patch --format=%cI HEAD)" \
  {% for name in secrets %}
  --secret "id={{ name }},env={{ name }}" \
  {% endfor %}
  {% if platforms %}
  --platform {{ platforms }} \
  {% endif %}
  "$CONTEXT"
# What is deployed is named by its digest: a tag may move.
{% raw %}
digest="$(docker buildx imagetools inspect "$REPOSITORY:$commit" --format '{{ .Manifest.Digest }}')"
{% endraw %}
echo "IMAGE=$REPOSITORY@$digest" > image.env
