#!/usr/bin/env bash
# The person at the partner says no: each call is told so, nothing is signed, the session ends as REFUSED.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" --peer-approval refuse "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
cd "$WORK" || exit 99
set_up_server
start_server

key_id() { get /api/v1/keys && field '["keys"][0]["id"]' >key.id; }
refused() { post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"x\"}" && gets 403 refused && field '["session_id"]' >session.id; }
ended() {
    get "/api/v1/sessions/$(cat session.id)" && gets 200 && [ "$(field '["status"]')" = REFUSED ] &&
        [ "$(field '["problem"]["type"]')" = urn:tallystick:problem:refused ]
}
no_key() { post /api/v1/keygen '{"label": "no"}' && gets 403 refused; }
# The same key gets the same answer, and the person is not asked again.
asked() { TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" sessions --json | grep -c '"kind": "SIGN"'; }
once() {
    local number
    for number in 1 2 3; do
        post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"x\"}" -H 'Idempotency-Key: one' && gets 403 refused || return 1
    done
    [ "$(asked)" = 2 ]
}
ok "there is a key" key_id
ok "a signature is refused" refused
ok "its session tells" ended
ok "a key is refused" no_key
ok "under one idempotency key the person is asked once" once
ok "every answer is one that the API's description lists" described
stop_server
finish
