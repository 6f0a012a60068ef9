#!/usr/bin/env bash
# A device that cannot be dialled dials in: real processes, with pkcs11-tool as the one that waits.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
tests=$(cd "$(dirname "$0")" && pwd)
cd "$WORK" || exit 99
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'a letter\n' >letter

restart() {
    kill "$(cat peer.pid)" && tail --pid="$(cat peer.pid)" -f /dev/null
    rm -f ready && mkfifo ready
    TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" run --approval auto --ready-fd 9 9>ready </dev/null >>peer.out.log 2>&1 &
    echo $! >peer.pid # in a file: ok runs in a shell of its own
    read -r -t 60 _ <ready
}
sign() { as_user --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file sig; }
waited() { "$TALLYSTICK" sessions --kind "$1" --limit 1 | grep -q COMPLETED; }

echo "$PEER_PID" >peer.pid
trap 'kill "$(cat peer.pid)" 2>/dev/null; wait' EXIT
ok "the peer is no longer dialled" "$TALLYSTICK" address phone -
says "without it a key fails" "CKR_DEVICE_ERROR" as_user --keypairgen --key-type EC:prime256v1 --label k --id 01
printf 'listen: 127.0.0.1:%s\n' "$port" >>"$TALLYSTICK_CONF"
sed -i 's/^timeout: {/timeout: {wait: 60s, /' "$TALLYSTICK_CONF"
printf '  connect: 127.0.0.1:1,127.0.0.1:%s\n' "$port" >>"$PEER_CONF"
ok "the device starts to dial in" restart
PEER_PID=$(cat peer.pid)
ok "a key is made when it comes" as_user --keypairgen --key-type EC:prime256v1 --label k --id 01
ok "a message is signed" sign
ok "and it is recorded" waited sign
if /usr/bin/python3 -c 'import PyKCS11' 2>/dev/null; then
    ok "its connections are cut, and each signature is made" ${AS_HOST:-} /usr/bin/python3 "$tests/dial_in_cuts.py" "$port"
fi
finish
