#!/usr/bin/env bash
# Nobody decides at the partner (two seconds are given): time-out; and a session that waits is cancelled by another call.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" --peer-approval never "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
cd "$WORK" || exit 99
set_up_server
sed -i 's/approval: 2s/approval: 60s/' server.yaml
start_server

key_id() { get /api/v1/keys && field '["keys"][0]["id"]' >key.id; }
timed_out() { post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"x\"}" && gets 504 timed-out; }
ok "there is a key" key_id
ok "nobody decides in time" timed_out

# From here on the peer has a minute: only the cancelling ends it.
stop_peer
sed -i 's/approval: 2s/approval: 60s/' "$PEER_CONF"
start_peer never

session_has() { get "/api/v1/sessions/$(cat session.id)" && [ "$STATUS" = 200 ] && [ "$(text "$1")" = "$2" ]; }
begin() { post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"y\", \"wait\": 0}" && gets 202 && field '["session_id"]' >session.id; }
cancel() { post "/api/v1/sessions/$(cat session.id)/cancel" '' && gets 202; }
told() { get "/api/v1/sessions/$(cat session.id)" && [ "$(field '["problem"]["type"]')" = urn:tallystick:problem:cancelled ]; }
ok "a signature waits for a person" begin
ok "in round 2" until_true session_has step SIGN_ROUND_2
ok "it is cancelled" cancel
ok "and ends as CANCELLED" until_true session_has status CANCELLED
ok "its problem tells" told

# The server is stopped while a signature waits: it is cancelled after `stop`, and the call is answered.
one_runs() { get '/api/v1/sessions?status=RUNNING' && [ "$(field '["sessions"].__len__()')" = 1 ]; }
stop_answers() {
    write_server_conf && sed -i 's/stop: 20s/stop: 500ms/; s/approval: 2s/approval: 60s/' server.yaml
    stop_server && start_server || return 1
    curl -s --cacert server.pem -H 'Authorization: Bearer alice-token' --json "{\"key\": \"$(cat key.id)\", \"message\": \"z\"}" -o stopped "https://$(server_address)/api/v1/sign/two-party" &
    local caller=$!
    until_true one_runs || return 1
    stop_server || return 1
    wait "$caller" && grep -q 'urn:tallystick:problem:cancelled' stopped
}
ok "stopping ends what waits, and says so" stop_answers
ok "every answer is one that the API's description lists" described
finish
