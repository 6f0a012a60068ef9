#!/usr/bin/env bash
# A device that cannot be dialled dials in to the server: while it is away calls wait for it, and a deadline ends them; when it
# comes they complete over its own connection. A stranger who dials in gets nowhere.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
tests=$(cd "$(dirname "$0")" && pwd)
cd "$WORK" || exit 99
python=$(python_with websockets) || exit 99
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
set_up_server
stop_peer
"$TALLYSTICK" address phone - >>set-up.log 2>&1 || { echo "Bail out! no address" && exit 99; }
printf 'listen: 127.0.0.1:%s\n' "$port" >>"$TALLYSTICK_CONF"
printf '  connect: 127.0.0.1:%s\n' "$port" >>"$PEER_CONF"
DEADLINE=9m write_server_conf
start_server

watch() { python3 -B "$tests/server_watch.py" "$(server_address)" "$1" "$(cat "$2")"; }
begin_key() { post /api/v1/keygen '{"label": "in", "wait": 0, "deadline": 500}' && gets 202 && text session_id >keygen.session; }
waiting() { watch '^WAITING_FOR_PARTNER' "$1" && get "/api/v1/sessions/$(cat "$1")" && gets 200 && [ "$(text status)" = WAITING_FOR_PARTNER ]; }
key_made() {
    watch '^COMPLETED' keygen.session && get "/api/v1/sessions/$(cat keygen.session)" && gets 200 || return 1
    field '["result"]["key"]["id"]' >key.id && field '["result"]["key"]["public_key"]["pem"]' >key.pem
}
sign() { # WAIT DEADLINE
    post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"a letter\", \"wait\": $1, \"deadline\": $2}"
}
verifies() { base64 -d >letter.sig && printf 'a letter' >letter && openssl dgst -sha256 -verify key.pem -signature letter.sig letter; }
signed() { sign 60 60 && gets 201 && text der | verifies; }
begin_sign() { sign 0 500 && gets 202 && text session_id >sign.session; }
sign_ends() { watch '^COMPLETED' sign.session && get "/api/v1/sessions/$(cat sign.session)" && gets 200 && text der | verifies; }
nobody_comes() { sign 60 1 && gets 504 partner-unreachable; }

ok "a key is asked while the device is away" begin_key
ok "the session waits for its partner" waiting keygen.session
certificate stranger
stranger() { "$python" -B "$tests/websocket_client.py" "127.0.0.1:$port" "$@"; [ $? = 3 ]; }
ok "somebody without a certificate is refused" stranger
ok "a stranger's certificate is refused" stranger stranger.pem stranger.key
ok "and the session still waits" waiting keygen.session
start_peer
ok "the device dials in and the key is made" key_made
ok "a signature travels over its connection" signed
stop_peer
ok "when it does not come, a deadline ends the wait" nobody_comes
ok "a signature is asked while it is away" begin_sign
ok "it waits" waiting sign.session
start_peer
ok "the device comes back and it completes" sign_ends
ok "every answer is one that the API's description lists" described
stop_server
finish
