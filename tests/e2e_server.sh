#!/usr/bin/env bash
# The enterprise server through curl, with a real token and peer: a key, signatures, sessions; and each way to be refused.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
cd "$WORK" || exit 99
READ=2s set_up_server
start_server

answers() { "${@:1:1}" "${@:4}"; gets "$2" "$3"; } # answers get|post STATUS TYPE ARGUMENTS of get or post
is() { [ "$(field "$1")" = "$2" ] || { cat answer && return 1; }; }

ok "it is alive without a caller" answers get 200 "" /healthz
ok "and ready" answers get 200 "" /readyz

# --- the main job, as the README shows it ---
make_key() {
    post /api/v1/keygen '{"label": "web", "curve": "P-256", "partner": "phone"}' && gets 201 || return 1
    field '["session_id"]' >keygen.session && field '["key"]["id"]' >key.id
    field '["key"]["public_key"]["pem"]' >key.pem
    openssl pkey -pubin -in key.pem -noout
}
sign_now() {
    printf 'a letter' >letter
    post /api/v1/sign/two-party "{\"session_id\": \"$keygen_session\", \"message\": \"a letter\", \"partner\": \"phone\"}" && gets 201 || return 1
    field '["signature"]["der"]' | base64 -d >letter.sig
    openssl dgst -sha256 -verify key.pem -signature letter.sig letter
}
# polls: until it is COMPLETED, at most the times that any machine needs
sign_and_poll() {
    local number status
    post /api/v1/sign/two-party "{\"key\": \"$key\", \"message\": \"6120 6c6574746572\", \"encoding\": \"hex\", \"wait\": 0}"
    gets 400 malformed || return 1
    post /api/v1/sign/two-party "{\"key\": \"$key\", \"message\": \"61206c6574746572\", \"encoding\": \"hex\", \"wait\": 0}" && gets 202 || return 1
    session=$(field '["session_id"]')
    echo "$session" >poll.session
    grep -qi "^location: /api/v1/sessions/$session" headers || return 1
    for ((number = 0; number < 3000; number++)); do
        get "/api/v1/sessions/$session" && gets 200 || return 1
        status=$(field '["status"]')
        [ "$status" = RUNNING ] || break
    done
    [ "$status" = COMPLETED ] || { cat answer && return 1; }
    field '["result"]["signature"]["der"]' | base64 -d >poll.sig
    openssl dgst -sha256 -verify key.pem -signature poll.sig letter
}
sign_digest() {
    post /api/v1/sign/two-party "{\"key\": \"$key\", \"digest\": \"$(openssl dgst -sha256 -binary letter | base64)\", \"encoding\": \"base64\"}" && gets 201 || return 1
    field '["signature"]["der"]' | base64 -d >digest.sig
    openssl dgst -sha256 -verify key.pem -signature digest.sig letter
}
shows_key() {
    get "/api/v1/keys/$key" && gets 200 && is '["public_key"]["jwk"]["crv"]' P-256 && is '["partner"]' phone || return 1
    get /api/v1/keys && gets 200 && is '["keys"][0]["id"]' "$key"
}
lists_sessions() {
    get '/api/v1/sessions?kind=SIGN&status=COMPLETED&partner=phone&limit=2' && gets 200 && is '["sessions"].__len__()' 2 || return 1
    local first last
    last=$(field '["sessions"][1]["session_id"]')
    get "/api/v1/sessions?kind=SIGN&after=$last" && gets 200 && is '["sessions"].__len__()' 1
}
ok "a key is made" make_key
keygen_session=$(cat keygen.session) key=$(cat key.id)
ok "a message is signed at once, OpenSSL verifies" sign_now
ok "a session is polled to COMPLETED, OpenSSL verifies" sign_and_poll
session=$(cat poll.session)
ok "a digest is signed" sign_digest
ok "the key is shown" shows_key
ok "sessions are listed by filter and in pages" lists_sessions
ok "the partner is shown" answers get 200 "" /api/v1/partners
ok "Prometheus reads the metrics" bash -c "grep -q '^tallystick_operations_total{kind=\"sign\",outcome=\"completed\"} 3' <(curl -s --cacert server.pem -H 'Authorization: Bearer alice-token' https://$(server_address)/metrics)"

# --- refused ---
sign_web='{"session_id": "'$keygen_session'", "message": "x"}'
CALLER=wrong ok "a wrong token" answers post 401 unauthenticated /api/v1/sign/two-party "$sign_web"
CALLER=nobody ok "a caller without grants makes no key" answers post 403 forbidden /api/v1/keygen '{"label": "web"}'
CALLER=nobody ok "and signs nothing" answers post 403 forbidden /api/v1/sign/two-party "$sign_web"
CALLER=bob ok "a grant for other keys" answers post 403 forbidden /api/v1/sign/two-party "$sign_web"
CALLER=bob ok "sees nothing of this key" answers get 403 forbidden "/api/v1/keys/$key"
CALLER=bob ok "nor of its session" answers get 403 forbidden "/api/v1/sessions/$session"
CALLER=bob ok "nor cancels it" answers post 403 forbidden "/api/v1/sessions/$session/cancel" ''
CALLER=nobody ok "no events without a grant" answers get 403 forbidden /api/v1/events
ok "an unknown session" answers get 404 unknown-session "/api/v1/sessions/00000000000000000000000000000000"
ok "no session's name" answers get 404 unknown-session "/api/v1/sessions/letter"
ok "a key of an unknown session" answers post 404 unknown-session /api/v1/sign/two-party '{"session_id": "00000000000000000000000000000000", "message": "x"}'
ok "an unknown key" answers get 404 unknown-key "/api/v1/keys/00000000000000000000000000000000"
ok "another partner" answers post 404 unknown-partner /api/v1/sign/two-party '{"session_id": "'"$keygen_session"'", "message": "x", "partner": "tablet"}'
ok "a key with nobody" answers post 404 unknown-partner /api/v1/keygen '{"partner": "tablet"}'
ok "nothing is left to cancel" answers post 409 already-ended "/api/v1/sessions/$session/cancel" ''
ok "no such path" answers get 404 no-such-path /api/v2/keys
ok "no such method" answers call 405 method DELETE /api/v1/keys
ok "it says which one" grep -qi '^allow: GET' headers
ok "not JSON" answers post 400 malformed /api/v1/keygen '{"label": '
ok "no such field" answers post 400 malformed /api/v1/keygen '{"colour": "red"}'
ok "a field twice" answers post 400 malformed /api/v1/keygen '{"label": "a", "label": "b"}'
ok "message and digest" answers post 400 malformed /api/v1/sign/two-party "{\"key\": \"$key\", \"message\": \"x\", \"digest\": \"00\"}"
ok "no such mechanism" answers post 400 malformed /api/v1/sign/two-party "{\"key\": \"$key\", \"message\": \"x\", \"mechanism\": \"RSA\"}"
ok "another media type" answers call 415 media-type POST /api/v1/keygen -H 'Content-Type: text/plain' --data-raw 'x'
ok "a body in chunks" answers call 411 length-required POST /api/v1/keygen -H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' --data-raw '{}'
head -c 1048576 /dev/urandom >garbage
ok "a mebibyte of garbage" answers call 413 too-large POST /api/v1/sign/two-party -H 'Content-Type: application/json' --data-binary @garbage
garbage_as_http() { openssl s_client -quiet -connect "$(server_address)" <garbage >garbage.out 2>&1; get /healthz && gets 200; }
ok "garbage instead of HTTP harms nobody" garbage_as_http
slow_four() {
    local number
    for number in 1 2 3; do CALLER=slow get /api/v1/partners && gets 200 || return 1; done
    CALLER=slow get /api/v1/partners && gets 429 rate && grep -qi '^retry-after:' headers
}
ok "more calls than a caller's rate" slow_four
plain_http() { ! curl -s --max-time 10 "http://$SERVER_ADDRESS/healthz"; }
ok "without TLS nothing is answered" plain_http

# A slow-loris: a head without its end, and a body that drips; both are cut off by the server, the second with a reason.
loris() {
    python3 - "$(server_address)" "$1" <<'PY'
import socket, ssl, sys
host, port = sys.argv[1].rsplit(":", 1)
context = ssl.create_default_context(cafile="server.pem")
plain = socket.create_connection((host, int(port)), 60)
with context.wrap_socket(plain, server_hostname=host) as tls:
    head = b"POST /api/v1/keygen HTTP/1.1\r\nHost: x\r\n"
    if sys.argv[2] == "body":
        head += b"Authorization: Bearer alice-token\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    tls.sendall(head)
    tls.settimeout(0.2)
    got = b""
    while True:
        try:
            part = tls.recv(4096)
            if not part:
                break
            got += part
        except TimeoutError:
            try:
                tls.sendall(b" ")
            except OSError:
                break
        except OSError:
            break
    sys.exit(0 if sys.argv[2] == "head" or (b" 408 " in got and b"too-slow" in got) else 1)
PY
}
ok "a head that never ends is cut off" loris head
ok "a body that drips is told that it is too slow" loris body

# --- client certificates: the CA and the pin must both fit ---
certificate carol ca && certificate dave ca && certificate mallory
pin() { openssl x509 -in "$1.pem" -outform DER | sha256sum | cut -d' ' -f1; }
CALLERS="    - name: carol
      certificate: $(pin carol)
      allow: [\"read:*\"]
    - name: mallory
      certificate: $(pin mallory)
      allow: [\"read:*\"]" write_server_conf
as_certificate() { # NAME STATUS
    local status
    status=$(curl -s --cacert server.pem --cert "$1.pem" --key "$1.key" -o answer -w '%{http_code}' "https://$(server_address)/api/v1/partners")
    [ "$status" = "$2" ] || { echo "$status" && return 1; }
}
reload() {
    local number
    kill -HUP "$(cat server.pid)"
    for ((number = 0; number < 30000; number++)); do
        grep -q "read again" server.log && return
    done
    return 1
}
ok "before the reload carol is unknown" as_certificate carol 401
ok "SIGHUP reads callers again" reload
ok "carol comes with her certificate" as_certificate carol 200
ok "dave's certificate is of the CA but nobody's" as_certificate dave 401
ok "mallory's own CA does not count" as_certificate mallory 000

# --- the audit records ---
audit() {
    stop_server || return 1
    sqlite3 server.db "SELECT count(*) FROM audit WHERE caller = 'bob' AND status = 403" | grep -qx 4 || return 1
    sqlite3 server.db "SELECT count(*) FROM audit WHERE caller = '' AND status = 401" | grep -qvx 0 || return 1
    sqlite3 server.db "SELECT DISTINCT label FROM audit WHERE caller = 'alice' AND path LIKE '%sign%' AND status = 201" | grep -qx web
}
ok "it stops, and every call is in the audit records" audit
ok "no token is kept in clear" bash -c '! grep -aq "alice-token" server.db server.db-wal server.log'

# --- capabilities ---
write_server_conf 'role: enterprise
partners: [phone]
capabilities: [keygen]'
start_server
ok "a server that may only make keys" answers post 201 "" /api/v1/keygen '{"label": "other"}'
ok "signs nothing, and names what is missing" answers post 403 capability-missing /api/v1/sign/two-party "$sign_web"
ok "in words" grep -q 'no capability \\"sign\\"' answer
stop_server
write_server_conf 'role: enterprise
partners: [mobile-app]
capabilities: [keygen, sign]'
start_server
ok "a partner that is not served" answers post 404 unknown-partner /api/v1/sign/two-party "$sign_web"
stop_server
kill "$PEER_PID" 2>/dev/null && tail --pid="$PEER_PID" -f /dev/null
printf 'role: mobile-app\ncapabilities: [keygen]\n' >>"$PEER_CONF"
rm -f ready && mkfifo ready
TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" run --approval auto --ready-fd 9 9>ready </dev/null >>peer.out.log 2>&1 &
PEER_PID=$!
trap 'kill "$PEER_PID"; stop_server -KILL 2>/dev/null' EXIT
read -r -t 60 _ <ready
sed 's/^role: mobile-app/role: enterprise/' "$PEER_CONF" >other.yaml
says "the peer refuses the other side's configuration" "configuration of the other side" \
    env TALLYSTICK_CONF="$WORK/other.yaml" "$TALLYSTICK_PEER" list
write_server_conf
start_server
ok "a partner without the capability" answers post 403 capability-missing /api/v1/sign/two-party "$sign_web"
ok "which the answer names" grep -q 'no capability \\"sign\\" at the device' answer
ok "every answer is one that the API's description lists" described
stop_server
finish
