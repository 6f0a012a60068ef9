# A tallystick-server of the test's own over with-token's set-up; sourced after tap.sh. Needs bash.
server_sh=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVER=${TS_SERVER:-${TS_BUILDDIR:-$server_sh/../build}/server/tallystick-server}

certificate() { # NAME CA-NAME: a key and certificate for NAME, signed by CA-NAME or (the same name) by itself
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 30 -subj "/CN=$1" \
        -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" ${2:+-CA "$2.pem" -CAkey "$2.key"} >>certificates.log 2>&1
}

hash_of() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }

# write_server_conf [LINES]: with-token's configuration, and the server's; more lines for the top.
write_server_conf() {
    cp "$TALLYSTICK_CONF" server.yaml
    cat >>server.yaml <<CONF
${1:-}
server:
  listen: 127.0.0.1:0
  certificate: $WORK/server.pem
  key: $WORK/server.key
  client-ca: $WORK/ca.pem
  module: $MODULE
  token: $TOKEN
  pin: file:$WORK/pin
  store: $WORK/server.db
  rate: 100000
  workers: ${WORKERS:-4}
  deadline: ${DEADLINE:-60s}
  read: ${READ:-10s}
  stop: ${STOP:-20s}
  callers:
    - name: alice
      token: $(hash_of alice-token)
      allow: ["keygen:*", "sign:*", "read:*", "cancel:*"]
    - name: bob
      token: $(hash_of bob-token)
      allow: ["sign:bobs-*", "read:bobs-*"]
    - name: nobody
      token: $(hash_of nobody-token)
    - name: slow
      token: $(hash_of slow-token)
      rate: 1
      allow: ["read:*"]
${CALLERS:-}
CONF
}

set_up_server() {
    echo "$PEER_PID" >peer.pid
    certificate server && certificate ca && write_server_conf "${1:-}"
}

start_server() {
    rm -f server.ready && mkfifo server.ready
    "${SERVER_AS[@]}" "$SERVER" --config server.yaml run --log "$WORK/server.log" --ready-fd 8 8>server.ready </dev/null >>server.out.log 2>&1 &
    echo $! >server.pid
    read -r -t 60 SERVER_ADDRESS <server.ready ||
        { echo "Bail out! the server does not start"; tail -n 20 server.out.log server.log >&2; exit 99; }
    echo "$SERVER_ADDRESS" >server.address
}
SERVER_AS=(env)
server_address() { cat server.address; }

# stop_server [SIGNAL]: and wait until it has ended. What it is told and who it is are in files: ok runs in a shell of its own.
stop_server() {
    local pid
    [ -f server.pid ] || return 0
    pid=$(cat server.pid)
    rm -f server.pid
    kill "${1:--TERM}" "$pid" 2>/dev/null
    tail --pid="$pid" -f /dev/null
}

# The partner that with-token started, stopped and started again.
stop_peer() { # [SIGNAL]
    kill "${1:--TERM}" "$(cat peer.pid)" && tail --pid="$(cat peer.pid)" -f /dev/null
}
start_peer() { # [APPROVAL]
    rm -f ready && mkfifo ready
    TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" run --approval "${1:-auto}" --ready-fd 9 9>ready </dev/null >>peer.out.log 2>&1 &
    echo $! >peer.pid
    read -r -t 60 _ <ready
}
# SIGCONT first: after a SIGTERM it would undo the stop by which the leak search of AddressSanitizer looks at the process.
trap 'stop_server -KILL 2>/dev/null; kill -CONT "$(cat peer.pid)" 2>/dev/null; kill "$(cat peer.pid)" 2>/dev/null' EXIT

# call METHOD PATH [CURL OPTIONS]: the answer's body in `answer`, its headers in `headers`, its status in STATUS.
call() {
    local method=$1 path=$2
    shift 2
    STATUS=$(curl -s --cacert server.pem --max-time 120 -X "$method" -H "Authorization: Bearer ${CALLER:-alice}-token" \
        -o answer -D headers -w '%{http_code}' "$@" "https://$(<server.address)$path") || { STATUS="curl $?" && return; }
    local problem=-
    [[ $(<answer) =~ \"type\":\"urn:tallystick:problem:([a-z-]+)\" && $STATUS != 2* ]] && problem=${BASH_REMATCH[1]}
    echo "$method $path $STATUS $problem" >>answers.log
}
# described: every answer so far, by its status and problem, is one that docs/api/openapi.yaml lists for that call.
described() {
    local python source=${TS_SRCDIR:-$server_sh/..}
    python=$(python_with yaml) && "$python" -B "$server_sh/server_described.py" "$source/docs/api/openapi.yaml" answers.log
}
post() { # PATH JSON [CURL OPTIONS]
    local path=$1 json=$2
    shift 2
    call POST "$path" -H 'Content-Type: application/json' --data-raw "$json" "$@"
}
get() { call GET "$@"; }

# field EXPRESSION: of the JSON in `answer`, as Python sees it: field '["key"]["id"]'
field() { python3 -c 'import json, sys; value = eval("json.load(open(\"answer\"))" + sys.argv[1]); print(value)' "$1"; }

# text NAME: the first text of that name in `answer`, without another process.
text() { [[ $(<answer) =~ \"$1\":\"([^\"]*)\" ]] && echo "${BASH_REMATCH[1]}"; }

# gets STATUS [TYPE]: the last call's; TYPE is the name of a problem.
gets() {
    [ "$STATUS" = "$1" ] || { echo "status $STATUS instead of $1" && cat answer && return 1; }
    [ -z "${2:-}" ] && return
    local body head
    body=$(<answer) head=$(<headers)
    [[ ${head,,} == *"content-type: application/problem+json"* && $body == *"\"type\":\"urn:tallystick:problem:$2\""* &&
        $body == *"\"status\":$1"* ]] || { cat headers answer && return 1; }
}

# until_true COMMAND...: again and again, for five minutes and while the server lives.
until_true() {
    local end=$((SECONDS + 300))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] && kill -0 "$(cat server.pid)" || return 1
    done
}

# The first python3 that has the modules: a distribution's packages belong to its own.
python_with() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $1" 2>/dev/null && echo "$python" && return
    done
    echo "Bail out! no python3 with $1" >&2
    return 1
}
