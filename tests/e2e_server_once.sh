#!/usr/bin/env bash
# Many signatures at once, some idempotency keys used twice: exactly one signature for each key, all valid; the same after a
# kill -9 of the server in the midst of them. SERVER_MANY is how many.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
tests=$(cd "$(dirname "$0")" && pwd)
cd "$WORK" || exit 99
total=${SERVER_MANY:-200} twice=$((${SERVER_MANY:-200} / 10))
DEADLINE=9m set_up_server
start_server

make_key() {
    post /api/v1/keygen '{"label": "many"}' && gets 201 || return 1
    field '["key"]["id"]' >key.id && field '["key"]["public_key"]["pem"]' >key.pem
}
ask_all() { python3 "$tests/server_many.py" "$(server_address)" "$(cat key.id)" "$total" "$twice" >signed; }
all_valid() {
    local name session der
    [ "$(wc -l <signed)" = $((total - twice)) ] || return 1
    while read -r name session der; do
        base64 -d <<<"$der" >sig && printf 'letter %s' "$name" >letter && openssl dgst -sha256 -verify key.pem -signature sig letter >/dev/null || return 1
    done <signed
    [ "$(cut -d' ' -f2 signed | sort -u | wc -l)" = $((total - twice)) ]
}
# The journal has every conversation that began: one for each idempotency key.
signatures() { "$TALLYSTICK" sessions --kind sign --limit 1000 --json | grep -c '"kind": "SIGN"'; }
one_each() { [ "$(signatures)" = $((total - twice)) ]; }
at_the_peer() { [ "$(TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" sessions --kind sign --limit 1000 --json | grep -c '"kind": "SIGN"')" = $((total - twice)) ]; }
ok "a key is made" make_key
ok "$total calls at once, $twice keys twice: all are answered alike" ask_all
ok "every signature is valid" all_valid
ok "one conversation for each key" one_each
ok "the partner was asked as often" at_the_peer

reused() { post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"another\"}" -H 'Idempotency-Key: k000' && gets 422 idempotency-key-reused; }
other_caller() { CALLER=bob post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"letter k000\", \"wait\": 60}" -H 'Idempotency-Key: k000' && gets 403 forbidden; }
again() {
    local before
    before=$(signatures)
    stop_server && start_server || return 1
    post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"letter k000\", \"wait\": 60}" -H 'Idempotency-Key: k000' && gets 201 || return 1
    [ "$(field '["session_id"]')" = "$(sed -n 's/^k000 \([^ ]*\).*/\1/p' signed)" ] && [ "$(signatures)" = "$before" ]
}
ok "a used key for another message is refused" reused
ok "a used key opens nothing to another caller" other_caller
ok "after a restart the same answer is given, nothing signed" again

# kill -9 with open calls: each idempotency key has one conversation at most, and is never begun again.
interrupted() {
    local number
    kill -STOP "$PEER_PID" # none can be finished before the server dies
    for ((number = 0; number < 12; number++)); do
        post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"kill $number\", \"wait\": 0}" -H "Idempotency-Key: kill-$number" || return 1
    done
    stop_server -KILL
    kill -CONT "$PEER_PID"
    start_server
    for ((number = 0; number < 12; number++)); do
        post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"kill $number\", \"wait\": 0}" -H "Idempotency-Key: kill-$number" || return 1
        gets 409 interrupted || return 1
    done
    [ "$(signatures)" -le $((total - twice + 12)) ]
}
ok "kill -9 in the midst: what was begun is not done again" interrupted
# SIGTERM while a signature runs: it may end, and whoever waits for it gets it.
running() { get '/api/v1/sessions?status=RUNNING' && [[ $(<answer) == *'"session_id"'* ]]; }
stop_finishes() {
    local caller
    kill -STOP "$PEER_PID"
    curl -s --cacert server.pem -H 'Authorization: Bearer alice-token' --json "{\"key\": \"$(cat key.id)\", \"message\": \"last letter\", \"wait\": 60}" \
        -o stopped "https://$(server_address)/api/v1/sign/two-party" &
    caller=$!
    until_true running && kill "$(cat server.pid)" && until_true grep -q 'stopping: what runs may end' server.log || return 1
    kill -CONT "$PEER_PID"
    wait "$caller" && tail --pid="$(cat server.pid)" -f /dev/null && rm server.pid && cp stopped answer || return 1
    text der | base64 -d >sig && printf 'last letter' >letter && openssl dgst -sha256 -verify key.pem -signature sig letter
}
ok "SIGTERM: what runs is finished and answered" stop_finishes
ok "no key is locked" bash -c '! "$TALLYSTICK" list | grep LOCKED'
ok "every answer is one that the API's description lists" described
stop_server
finish
