#!/usr/bin/env bash
# The calls that the README shows, word for word: a key, a signature that is polled to its end, openssl verifies. Then the
# same calls where they are refused.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
source=$(cd "${TS_SRCDIR:-$(dirname "$0")/..}" && pwd)
cd "$WORK" || exit 99
set_up_server
start_server

sed -n '/^## Over HTTPS/,/^## /s/^    //p' "$source/README.md" | sed "s|https://host:8082|https://$(server_address)|g" >calls.sh
as_shown() { TOKEN=$1 bash -e -o pipefail calls.sh >out 2>&1 || { cat out && return 1; }; }
verified() { as_shown alice-token && grep -qx 'Verified OK' out && grep -q '"status":"COMPLETED"' session.json; }
no_key() { ! as_shown "$1" && grep -q "urn:tallystick:problem:$2" key.json; }
ok "the README has calls" grep -q '/api/v1/sign/two-party' calls.sh
ok "they make a key and a signature, and openssl verifies it" verified
ok "with another token they get no key" no_key wrong unauthenticated
ok "nor without a grant" no_key nobody-token forbidden
stop_server
finish
