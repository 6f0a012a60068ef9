#!/usr/bin/env bash
# The enterprise server through curl, with a real token and peer: a key, signatures, sessions; and capabilities.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
tests=$(cd "$(dirname "$0")" && pwd)
cd "$WORK" || exit 99
set_up_server
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
# PEM, JWK and hex are one key, raw and DER one signature; also where OpenSSL has another name for the curve.
forms() { python3 -B "$tests/server_forms.py" key.json signature.json 32; }
other_curve() {
    post /api/v1/keygen '{"label": "coin", "curve": "secp256k1"}' && gets 201 && text id >coin.id || return 1
    get "/api/v1/keys/$(cat coin.id)" && gets 200 && cp answer key.json && field '["public_key"]["pem"]' >coin.pem || return 1
    post /api/v1/sign/two-party "{\"key\": \"$(cat coin.id)\", \"message\": \"a letter\"}" && gets 201 && cp answer signature.json || return 1
    text der | base64 -d >coin.sig && openssl dgst -sha256 -verify coin.pem -signature coin.sig letter && forms
}
same_key() {
    get "/api/v1/keys/$key" && gets 200 && cp answer key.json && sign_now && cp answer signature.json && forms
}
ok "all forms of key and signature are the same" same_key
ok "another curve" other_curve
ok "the partner is shown" answers get 200 "" /api/v1/partners
ok "Prometheus reads the metrics" bash -c "grep -q '^tallystick_operations_total{kind=\"sign\",outcome=\"completed\"} 5' <(curl -s --cacert server.pem -H 'Authorization: Bearer alice-token' https://$(server_address)/metrics)"

sign_web='{"session_id": "'$keygen_session'", "message": "x"}'
stop_server

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
stop_peer
printf 'role: mobile-app\ncapabilities: [keygen]\n' >>"$PEER_CONF"
start_peer
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
