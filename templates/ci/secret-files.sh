# Files that the repository rightly does not hold, for as long as the job runs.
umask 077
while read -r name path; do
  if [ ! -e "$path" ] && [ -n "${!name:-}" ]; then
    mkdir -p "$(dirname "$path")"
    written+=("$path")
    printf '%s' "${!name}" > "$path"
  fi
done <<< "$SECRET_FILES"
