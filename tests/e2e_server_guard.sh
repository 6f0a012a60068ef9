#!/usr/bin/env bash
# Who may not, and what is not taken: each is refused with the status and the problem of the API's description, before any
# partner hears of it. tests/mutations_server.txt takes these checks out, one at a time.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
cd "$WORK" || exit 99
READ=4s set_up_server
start_server

answers() { "${@:1:1}" "${@:4}"; gets "$2" "$3"; } # answers get|post STATUS TYPE ARGUMENTS of get or post
is() { [ "$(field "$1")" = "$2" ] || { cat answer && return 1; }; }

made() {
    post /api/v1/keygen '{"label": "web"}' -H 'Idempotency-Key: made' && gets 201 || return 1
    text session_id >keygen.session && text id >key.id
}
ok "a key is made" made
keygen_session=$(cat keygen.session) key=$(cat key.id) session=$(cat keygen.session)

# --- who may not ---
sign_web='{"session_id": "'$keygen_session'", "message": "x"}'
CALLER=wrong ok "a wrong token" answers post 401 unauthenticated /api/v1/sign/two-party "$sign_web"
CALLER=nobody ok "a caller without grants makes no key" answers post 403 forbidden /api/v1/keygen '{"label": "web"}'
CALLER=nobody ok "and signs nothing" answers post 403 forbidden /api/v1/sign/two-party "$sign_web"
CALLER=bob ok "a grant for other keys" answers post 403 forbidden /api/v1/sign/two-party "$sign_web"
CALLER=bob ok "sees nothing of this key" answers get 403 forbidden "/api/v1/keys/$key"
CALLER=bob ok "nor of its session" answers get 403 forbidden "/api/v1/sessions/$session"
CALLER=bob ok "nor cancels it" answers post 403 forbidden "/api/v1/sessions/$session/cancel" ''
CALLER=nobody ok "no events without a grant" answers get 403 forbidden /api/v1/events
CALLER=nobody ok "nor partners" answers get 403 forbidden /api/v1/partners
CALLER=nobody ok "nor sessions" answers get 403 forbidden /api/v1/sessions
CALLER=nobody ok "nor numbers" answers get 403 forbidden /metrics
CALLER=nobody ok "nor whether a session is there" answers get 403 forbidden /api/v1/sessions/00000000000000000000000000000000
not_listed() { # PATH
    CALLER=bob get "$1" && gets 200 && ! grep -q web answer && get "$1" && gets 200 && grep -q web answer
}
ok "a list shows no keys of others" not_listed /api/v1/keys
ok "nor their sessions" not_listed /api/v1/sessions
ok "an idempotency key stands for one request" answers post 422 idempotency-key-reused /api/v1/keygen '{"label": "other"}' -H 'Idempotency-Key: made'
again() { post /api/v1/keygen '{"label": "web"}' -H 'Idempotency-Key: made' && gets 201 && [ "$(text session_id)" = "$session" ]; }
ok "and the same request gets the same answer" again
CALLER=bob ok "of its caller" answers post 403 forbidden /api/v1/keygen '{"label": "web"}' -H 'Idempotency-Key: made'

# --- what is not taken ---
ok "an idempotency key with a space" answers post 400 malformed /api/v1/keygen '{"label": "web"}' -H 'Idempotency-Key: a b'
ok "one that is too long" answers post 400 malformed /api/v1/keygen '{"label": "web"}' -H "Idempotency-Key: $(printf '%0129d' 0)"
climbs() { # PATH: no file and no other call is reached
    get "$1" --path-as-is
    [ "$STATUS" = 404 ] && ! grep -q 'root:' answer && ! grep -qi '^set-cookie' headers || { cat headers answer && return 1; }
}
ok "a path that climbs" climbs /api/v1/sessions/../../../etc/passwd
ok "one that climbs encoded" climbs /api/v1/sessions/%2e%2e%2f%2e%2e%2fetc%2fpasswd
ok "one with a line of its own" climbs /api/v1/sessions/x%0d%0aSet-Cookie:%20a=b
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
slow_two() { # one a minute
    CALLER=slow get /api/v1/partners && gets 200 || return 1
    CALLER=slow get /api/v1/partners && gets 429 rate && grep -qi '^retry-after:' headers
}
ok "more calls than a caller's rate" slow_two
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
reload() { kill -HUP "$(cat server.pid)" && until_true grep -q "read again" server.log; }
ok "before the reload carol is unknown" as_certificate carol 401
ok "SIGHUP reads callers again" reload
ok "carol comes with her certificate" as_certificate carol 200
ok "dave's certificate is of the CA but nobody's" as_certificate dave 401
ok "mallory's own CA does not count" as_certificate mallory 000

# The server's own certificate, too; a file that cannot be used changes nothing.
readings() { [ "$(grep -cE "read again|was not changed" server.log)" = "$1" ]; }
reloaded() { kill -HUP "$(cat server.pid)" && until_true readings "$1"; } # for the TIMES-th time
serial() { openssl x509 -in "$1" -noout -serial; }
shown() { openssl s_client -connect "$(server_address)" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
new_certificate() {
    certificate newer && mv newer.pem server.pem && mv newer.key server.key && reloaded 2 &&
        [ "$(shown)" = "$(serial server.pem)" ] && get /healthz && gets 200
}
bad_certificate() {
    cp server.key kept.key && echo nonsense >server.key && reloaded 3 || return 1
    grep -q 'server: key: .* cannot be used' server.log && [ "$(shown)" = "$(serial server.pem)" ] && cp kept.key server.key
}
bad_file() {
    cp server.yaml kept.yaml && echo 'nonsense: 1' >>server.yaml && reloaded 4 || return 1
    as_certificate carol 200 && mv kept.yaml server.yaml
}
ok "SIGHUP reads the server's certificate again" new_certificate
ok "not one that cannot be used" bad_certificate
ok "nor a configuration with a fault" bad_file

# --- the audit records ---
audit() {
    stop_server || return 1
    sqlite3 server.db "SELECT count(*) FROM audit WHERE caller = 'bob' AND status = 403" | grep -qx 5 || return 1
    sqlite3 server.db "SELECT count(*) FROM audit WHERE caller = '' AND status = 401" | grep -qvx 0 || return 1
    sqlite3 server.db "SELECT DISTINCT label FROM audit WHERE caller = 'alice' AND path LIKE '%keygen' AND status = 201" | grep -qx web
}
ok "it stops, and every call is in the audit records" audit
ok "no token is kept in clear" bash -c '! grep -aq "alice-token" server.db server.db-wal server.log'

# Records that are older than the configuration keeps go when the server starts; the others stay.
expire() {
    local now
    now=$(($(date +%s) * 1000))
    sqlite3 server.db "DELETE FROM audit; UPDATE call SET ended = $now - 7200000;
        INSERT INTO audit(at, caller, remote, method, path, session, label, status) VALUES
        ($now - 7200000, 'old', '', 'GET', '/', '', '', 200), ($now - 600000, 'young', '', 'GET', '/', '', '', 200)" || return 1
    write_server_conf && sed -i 's/^  rate: 100000/  rate: 100000\n  keep: 1h\n  audit-keep: 1h/' server.yaml
    start_server && get /healthz && stop_server || return 1
    [ "$(sqlite3 server.db "SELECT group_concat(caller, ',') FROM audit WHERE remote = ''")" = young ] &&
        [ "$(sqlite3 server.db 'SELECT count(*) FROM call')" = 0 ]
}
ok "old audit records and results are forgotten, the others kept" expire

# --- what this server does not do at all ---
write_server_conf 'role: mobile-app'
says "the server refuses the other side's configuration" "configuration of the other side" "$SERVER" --config server.yaml check
says "also to run" "configuration of the other side" "$SERVER" --config server.yaml run
write_server_conf 'role: enterprise
partners: [phone]
capabilities: [sign]'
start_server
ok "no capability to make keys" answers post 403 capability-missing /api/v1/keygen '{"label": "web"}'
stop_server
write_server_conf 'partners: [tablet]'
start_server
ok "a partner that is not served" answers post 404 unknown-partner /api/v1/sign/two-party "$sign_web"
stop_server
ok "every answer is one that the API's description lists" described
finish
