#!/usr/bin/env bash
# The partner is killed, or the network to it is cut or falls silent, while signatures are asked; then all is as before. Each
# call completes or fails by its deadline, and by the journals of both sides none is signed twice.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
tests=$(cd "$(dirname "$0")" && pwd)
cd "$WORK" || exit 99
calls=4
mkfifo network.in network.out
python3 -B "$tests/network.py" "$PEER_ADDRESS" <network.in >network.out 2>>network.log &
proxy=$!
exec 5>network.in 6<network.out
trap 'kill "$proxy" "$(cat peer.pid)" 2>/dev/null; stop_server -KILL 2>/dev/null' EXIT
read -r -t 60 address <&6 || { echo "Bail out! no proxy" && exit 99; }
"$TALLYSTICK" address phone "$address" >>set-up.log 2>&1 || { echo "Bail out! no address" && exit 99; }
sed -i 's/^timeout: {/timeout: {heartbeat: 1s, /' "$TALLYSTICK_CONF"
DEADLINE=9m set_up_server
start_server

network() { # up|cut|silent
    local now
    echo "$1" >&5
    read -r -t 60 now <&6 && [ "$now" = "$1" ]
}
make_key() {
    post /api/v1/keygen '{"label": "away"}' && gets 201 || return 1
    field '["key"]["id"]' >key.id && field '["key"]["public_key"]["pem"]' >key.pem
}
ask() { # NAME DEADLINE: under its idempotency key, without waiting
    post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"letter $1\", \"wait\": 0, \"deadline\": $2}" -H "Idempotency-Key: $1"
}
begin_all() { # ROUND
    local number
    for ((number = 0; number < calls; number++)); do
        ask "$1-$number" 500 && gets 202 || return 1
        text session_id >"session.$1-$number"
    done
}
# watch WORDS NAME...: until each of these sessions has had an event with the words.
watch() {
    local words=$1 sessions=() name
    shift
    for name; do sessions+=("$(cat "session.$name")"); done
    python3 -B "$tests/server_watch.py" "$(server_address)" "$words" "${sessions[@]}"
}
waits() { watch '^WAITING_FOR_PARTNER' "$1"; }
in_midst() { watch 'SIGN_ROUND|^COMPLETED' "$1"; }
# One of a round: COMPLETED and it verifies, else the partner was away.
ended() {
    get "/api/v1/sessions/$(cat "session.$1")" && gets 200 || return 1
    if [[ $(<answer) == *'"status":"COMPLETED"'* ]]; then
        text der | base64 -d >sig && printf 'letter %s' "$1" >letter
        openssl dgst -sha256 -verify key.pem -signature sig letter
    else
        grep -E 'problem:(partner-unreachable|timed-out)' answer || { cat answer && return 1; }
    fi
}
all_end() { # ROUND [STATUS]: and all with that status
    local number names=()
    for ((number = 0; number < calls; number++)); do names+=("$1-$number"); done
    watch '^(COMPLETED|FAILED|REFUSED|TIMED_OUT|CANCELLED|INTERRUPTED)' "${names[@]}" >ends || return 1
    for ((number = 0; number < calls; number++)); do ended "$1-$number" || return 1; done
    [ -z "${2:-}" ] || ! grep -v "^$2" ends
}

ok "a key is made through the proxy" make_key

# --- the network goes, and comes back ---
ok "the network is cut" network cut
ok "signatures are asked meanwhile" begin_all cut
ok "they wait for the partner" waits cut-0
short() { ask short 1 && gets 202 && text session_id >session.short; }
ok "one more, with a deadline of a second" short
over() { get "/api/v1/sessions/$(cat "session.$1")" && gets 200 && ! grep -q '"status":"RUNNING"' answer; }
# No worker has it, so that no event tells of its end.
late() {
    until_true over short
    grep -q '"status":"TIMED_OUT"' answer && grep -q problem:timed-out answer
}
ok "ends by then, while all workers wait" late
cancelled() {
    ask gone 500 && gets 202 && text session_id >session.gone && post "/api/v1/sessions/$(cat session.gone)/cancel" '' && gets 202 || return 1
    until_true over gone
    grep -q '"status":"CANCELLED"' answer && grep -q problem:cancelled answer
}
ok "and another when it is cancelled" cancelled
ok "the network is restored" network up
ok "all of them complete" all_end cut COMPLETED

ok "again, and it is cut in their midst" begin_all midst
ok "one has begun" in_midst midst-0
ok "cut" network cut
ok "restored" network up
ok "each completes or says that the partner was away" all_end midst

ok "again, and it falls silent" begin_all silent
ok "one has begun" in_midst silent-0
ok "silent" network silent
ok "and speaks again" network up
ok "each completes or says that the partner was away" all_end silent

# --- the partner goes, and comes back ---
stop_peer -KILL
ok "signatures are asked while the partner is away" begin_all away
ok "they wait for it" waits away-0
start_peer
ok "all of them complete" all_end away COMPLETED
ok "signatures are asked" begin_all killed
ok "one has begun" in_midst killed-0
stop_peer -KILL
start_peer
ok "the partner was killed among them: each completes or says so" all_end killed

# --- what both sides have written ---
same_again() {
    local name round number
    for round in cut midst silent away killed; do
        for ((number = 0; number < calls; number++)); do
            name=$round-$number
            ask "$name" 500 && [ "$(text session_id)" = "$(cat "session.$name")" ] || { echo "$name" && return 1; }
        done
    done
}
ok "under the same keys the same is answered" same_again
twice() {
    local answered
    answered=$(python3 -B "$tests/server_twice.py" enterprise/token.db-sessions peer/peer.db-sessions session.*-*) || return 1
    [ "$answered" -ge $((calls * 2)) ] && [ "$answered" -le $((calls * 5)) ]
}
ok "nothing is signed twice" twice
after() { post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"last\", \"wait\": 60}" && gets 201; }
ok "afterwards everything works" after
ok "no key is locked" bash -c '! "$TALLYSTICK" list | grep LOCKED'
ok "every answer is one that the API's description lists" described
stop_server
finish
