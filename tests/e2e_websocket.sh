#!/usr/bin/env bash
# An unrelated WebSocket client, Python's, at our peer's door: with a certificate that is let in, and without.
# Debian's Python has Debian's modules, whatever else is in the PATH.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
"$python" -c 'import websockets' 2>/dev/null || { echo "1..0 # SKIP no python3-websockets"; exit 0; }
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
tests=$(cd "$(dirname "$0")" && pwd)
. "$tests/tap.sh"
cd "$WORK" || exit 99
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=client -keyout client.key \
    -out client.pem >/dev/null 2>&1
client() { timeout 120 "$python" "$tests/websocket_client.py" "$PEER_ADDRESS" "$@"; }
refused() {
    client "$@"
    [ $? = 3 ]
}

ok "a client that is not paired is refused" refused client.pem client.key
TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" uri >/dev/null 2>&1
ok "with an invitation open it is let in, answered, and closed for nonsense" client client.pem client.key
ok "without a certificate it is refused" refused
ok "the log says why" grep -q "no certificate was shown" peer.log
printf 'a letter\n' >letter
as_user --keypairgen --key-type EC:prime256v1 --label one --id 01 >/dev/null 2>&1
ok "its partner is served meanwhile" as_user --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file sig
finish
