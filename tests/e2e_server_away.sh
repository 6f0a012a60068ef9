#!/usr/bin/env bash
# The partner goes away while signatures are asked, and comes back: each call completes or fails by its deadline, and none is
# signed twice.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
cd "$WORK" || exit 99
calls=8
set_up_server
start_server
echo "$PEER_PID" >peer.pid
trap 'stop_server -KILL 2>/dev/null; kill "$(cat peer.pid)" 2>/dev/null' EXIT

stop_peer() { kill -KILL "$(cat peer.pid)" && tail --pid="$(cat peer.pid)" -f /dev/null; }
start_peer() {
    rm -f ready && mkfifo ready
    TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" run --approval auto --ready-fd 9 9>ready </dev/null >>peer.out.log 2>&1 &
    echo $! >peer.pid
    read -r -t 60 _ <ready
}
make_key() {
    post /api/v1/keygen '{"label": "away"}' && gets 201 || return 1
    field '["key"]["id"]' >key.id && field '["key"]["public_key"]["pem"]' >key.pem
}
body() { echo "{\"key\": \"$(cat key.id)\", \"message\": \"letter $1\", \"wait\": ${2:-0}, \"deadline\": 60}"; }
ask() { # NUMBER WAIT: under its idempotency key
    post /api/v1/sign/two-party "$(body "$1" "$2")" -H "Idempotency-Key: away-$1-$2"
}
begin_all() {
    local number
    for ((number = 0; number < calls; number++)); do
        ask "$number" 0 && gets 202 || return 1
        field '["session_id"]' >"session.$number"
    done
}
# Every session ends; COMPLETED ones verify, the others say that the partner could not be reached.
all_end() {
    local number round status
    for ((number = 0; number < calls; number++)); do
        for ((round = 0; round < 3000; round++)); do
            get "/api/v1/sessions/$(cat "session.$number")" && gets 200 || return 1
            status=$(field '["status"]')
            case $status in RUNNING | WAITING_FOR_PARTNER) ;; *) break ;; esac
        done
        if [ "$status" = COMPLETED ]; then
            field '["result"]["signature"]["der"]' | base64 -d >sig && printf 'letter %s' "$number" >letter
            openssl dgst -sha256 -verify key.pem -signature sig letter || return 1
        else
            grep -qE 'problem:(partner-unreachable|timed-out|internal)' answer || { cat answer && return 1; }
        fi
        echo "$status" >>ends
    done
}
# One presignature, one answer: the partner never signed two times for one session, nor two sessions with one presignature.
never_twice() {
    local answered
    answered=$(TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" sessions --kind sign --limit 1000 --json | grep -c '"status": "COMPLETED"')
    [ "$answered" -le $((calls * 2 + 2)) ] || return 1
    [ -z "$(sqlite3 peer/peer.db-sessions "SELECT presignature FROM session WHERE kind = 4 AND hex(presignature) <> '00000000000000000000000000000000' GROUP BY presignature HAVING count(DISTINCT answer) > 1")" ]
}
ok "a key is made" make_key
stop_peer
ok "signatures are asked while the partner is away" begin_all
start_peer
ok "each completes or says that the partner was away" all_end
rm -f ends
begin_all_again() {
    local number
    for ((number = 0; number < calls; number++)); do
        post /api/v1/sign/two-party "$(body "$number" 0)" -H "Idempotency-Key: again-$number" && gets 202 || return 1
        field '["session_id"]' >"session.$number"
    done
}
ok "signatures are asked" begin_all_again
stop_peer
start_peer
ok "the partner is killed among them: each completes or fails" all_end
ok "nothing is signed twice" never_twice
after() { post /api/v1/sign/two-party "$(body last 60)" && gets 201; }
ok "afterwards everything works" after
ok "no key is locked" bash -c '! "$TALLYSTICK" list | grep LOCKED'
stop_server
finish
