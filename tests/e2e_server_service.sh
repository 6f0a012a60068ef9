#!/usr/bin/env bash
# The daemon as a service: the units' hardening, its own user, a passed socket, notifications, a PIN from a credential.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/server.sh"
source=$(cd "${TS_SRCDIR:-$(dirname "$0")/..}" && pwd)
cd "$WORK" || exit 99
unit=$source/server/systemd/tallystick-server.service

exposure() { systemd-analyze security --offline=yes --no-pager --threshold=20 "$unit" | tail -n 1; [ "${PIPESTATUS[0]}" = 0 ]; }
if command -v systemd-analyze >/dev/null && systemd-analyze security --help 2>/dev/null | grep -q -- --offline; then
    ok "the unit's exposure is below 2.0" exposure
else
    ok "the unit's exposure # SKIP no systemd-analyze with --offline" true
fi

# As root another user runs it, who owns the store and nothing else; else the user of the test does.
set_up_server
mkdir credentials && cp pin credentials/pin && sed -i "s|pin: file:.*|pin: credential:pin|" server.yaml
if [ "$(id -u)" = 0 ]; then
    kill "$PEER_PID" 2>/dev/null # with-token keeps the peer's files for root
    chmod 755 . && touch server.log enterprise.log server.db && chown -R 65534:65534 enterprise hsm hsm-pin credentials server.key server.yaml server.pem ca.pem \
        server.log enterprise.log server.db softhsm2.conf tallystick.yaml
    mkdir state && chown 65534:65534 state && sed -i "s|store: $WORK/server.db|store: $WORK/state/server.db|" server.yaml
    own=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
else
    own=(env)
fi
cat >service.py <<'PY'
"""What systemd does: a listening socket as descriptor 3, LISTEN_PID of the child, a socket for notifications."""
import os, socket, sys

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(os.environ["WORK"] + "/notify")
os.chmod(os.environ["WORK"] + "/notify", 0o777)
notify.settimeout(60)
listener = socket.create_server(("127.0.0.1", 0))
child = os.fork()
if child == 0:
    os.dup2(listener.fileno(), 3)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=os.environ["WORK"] + "/notify",
                      CREDENTIALS_DIRECTORY=os.environ["WORK"] + "/credentials", HOME="/nonexistent")
    os.execvp(sys.argv[1], sys.argv[1:])
with open("address", "w") as file:
    file.write("127.0.0.1:%d" % listener.getsockname()[1])
listener.close()
with open("child", "w") as file:
    file.write(str(child))
with open("told", "w") as told:
    try:
        while True:
            told.write(notify.recv(256).decode() + "\n")
            told.flush()
    except TimeoutError:
        pass
    except KeyboardInterrupt:
        pass
PY
python3 service.py "${own[@]}" "$SERVER" --config server.yaml run --log "$WORK/server.log" </dev/null >>server.out.log 2>&1 &
manager=$!
trap 'kill "$manager" "$(cat child)" 2>/dev/null' EXIT
told() { # WHAT
    local number
    for ((number = 0; number < 100000; number++)); do
        grep -qx "$1" told 2>/dev/null && return
        kill -0 "$manager" 2>/dev/null || break
    done
    tail -n 5 told server.out.log server.log && return 1
}
ok "it tells that it is ready" told READY=1
cp address server.address 2>/dev/null
alive() { get /readyz && gets 200; }
ok "it answers on the socket that it was passed, logged in with the credential" alive
user() { [ "$(stat -c %u "/proc/$(cat child)")" = "$([ "$(id -u)" = 0 ] && echo 65534 || id -u)" ]; }
ok "as its own user" user
no_capability() { grep -q '^CapEff:[[:space:]]*0000000000000000' "/proc/$(cat child)/status" && grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$(cat child)/status"; }
if [ "$(id -u)" = 0 ]; then ok "without capabilities" no_capability; fi
hang_up() { kill -HUP "$(cat child)" && told RELOADING=1; }
ok "SIGHUP: it tells that it reads again" hang_up
end() { kill "$(cat child)" && told STOPPING=1; }
ok "SIGTERM: it tells that it stops" end
kill "$manager" 2>/dev/null
finish
