#!/usr/bin/env bash
# docs/api/openapi.yaml against a running server: paths, methods, statuses, problem types, and the form of every answer.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
source=$(cd "${TS_SRCDIR:-$(dirname "$0")/..}" && pwd)
cd "$WORK" || exit 99
set_up_server
start_server
post /api/v1/keygen '{"label": "web"}'
python=$(python_with yaml) || exit 99
"$python" "$source/tests/server_api.py" "$(server_address)" "$source/docs/api/openapi.yaml" "$source/server/problem.c" "$(field '["key"]["id"]')"
status=$?
stop_server
exit "$status"
