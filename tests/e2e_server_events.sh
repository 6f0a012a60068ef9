#!/usr/bin/env bash
# The stream of events to a real WebSocket client, and as Server-Sent Events to curl: every step of a signature in its order.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
tests=$(cd "$(dirname "$0")" && pwd)
cd "$WORK" || exit 99
python=$(python_with websockets) || exit 99
set_up_server
start_server
make_key() { post /api/v1/keygen '{"label": "seen"}' && gets 201 && field '["key"]["id"]' >key.id; }
steps() { "$python" "$tests/server_events.py" "$(server_address)" alice-token "$(cat key.id)" >steps; }
in_order() { grep -qE '^STARTED .*SIGN_ROUND_1.* SIGN_ROUND_2.* COMPLETED$' steps || { cat steps && return 1; }; }
refused() { ! "$python" "$tests/server_events.py" "$(server_address)" "$1" "$(cat key.id)" 2>refused.log && grep -q "HTTP $2" refused.log; }
ok "a key is made" make_key
ok "a WebSocket client sees a session" steps
ok "every step in its order" in_order
written() { sqlite3 enterprise/token.db-sessions "SELECT group_concat(step, ' ') FROM (SELECT step FROM event WHERE hex(id) = upper('$1') ORDER BY number)"; }
as_written() { [ "$(written "$(cat session)")" = "$(cat steps)" ]; }
ok "as the journal has them, none missing" as_written
ok "not without a token" refused wrong 401
ok "not without a grant" refused nobody-token 403

# curl reads Server-Sent Events until the signature's end has come.
sse() {
    mkfifo stream
    curl -sN --cacert server.pem -H 'Authorization: Bearer alice-token' "https://$(server_address)/api/v1/events" >stream &
    local reader=$! line session
    exec 5<stream
    read -r -t 60 line <&5 && [[ $line == "id: "* ]] && read -r -t 60 line <&5 && [[ $line == *'"type":"open"'* ]] || return 1
    post /api/v1/sign/two-party "{\"key\": \"$(cat key.id)\", \"message\": \"x\"}" && gets 201 || return 1
    session=$(text session_id)
    while read -r -t 60 line <&5; do
        [[ $line == data:*"\"session_id\":\"$session\""* ]] || continue # presignatures are made meanwhile
        echo "$line" | sed 's/.*"step":"\([A-Z_0-9]*\)".*/\1/' >>sse.steps
        [[ $line == *'"step":"COMPLETED"'* ]] && break
    done
    exec 5<&-
    kill "$reader"
    [ "$(tr '\n' ' ' <sse.steps)" = "$(written "$session") " ] || { cat sse.steps && written "$session" && return 1; }
}
ok "the same as Server-Sent Events" sse
# From the first event on: those of a key that bob may read are all that he gets.
other_label() {
    local reader line good=1
    post /api/v1/keygen '{"label": "bobs-own"}' && gets 201 || return 1
    mkfifo bobs.stream
    curl -sN --cacert server.pem -H 'Authorization: Bearer bob-token' "https://$(server_address)/api/v1/events?after=0" >bobs.stream &
    reader=$!
    exec 5<bobs.stream
    while read -r -t 60 line <&5; do
        [[ $line == *'"step"'* && $line != *'"label":"bobs-own"'* ]] && echo "$line" && break
        [[ $line == *'"step":"COMPLETED"'* ]] && good=0 && break
    done
    exec 5<&-
    kill "$reader"
    return "$good"
}
ok "a caller sees only the sessions of its keys" other_label
ok "it stops while streams are open" stop_server
finish
