#!/usr/bin/env bash
# Somebody else answers at the peer's address: with another certificate, or with TLS 1.2. Signing is refused, the log says why, and the
# key is not locked.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter
sign() { as_user --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file sig; }
impostor=
stop() {
    kill "$1" 2>/dev/null
    tail --pid="$1" -f /dev/null
}
trap '[ -z "$impostor" ] || kill $impostor 2>/dev/null' EXIT

as_user --keypairgen --key-type EC:prime256v1 --label one --id 01 >/dev/null 2>&1
ok "the real peer signs" sign
stop "$PEER_PID"

sed -e "s|$WORK/peer/peer.db|$WORK/other/peer.db|" -e 's/name: phone/name: other/' "$PEER_CONF" >other.yaml
TALLYSTICK_CONF=other.yaml "$TALLYSTICK_PEER" init --primes "$PRIMES:4" >/dev/null 2>&1
mkfifo ready-other
TALLYSTICK_CONF=other.yaml "$TALLYSTICK_PEER" run --approval auto --ready-fd 9 9>ready-other </dev/null >/dev/null 2>&1 &
impostor=$!
read -r -t 60 _ <ready-other
says "another certificate is refused" CKR_DEVICE_ERROR sign
ok "the log names the certificate and what to do" grep -q "wrong certificate: .*device was set up" enterprise.log
stop "$impostor"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old -keyout old.key -out old.pem >/dev/null 2>&1
mkfifo old
openssl s_server -tls1_2 -accept "$PEER_ADDRESS" -key old.key -cert old.pem -www >old </dev/null 2>/dev/null &
impostor=$!
exec 8<old
while read -r -t 60 line <&8 && [ "$line" != ACCEPT ]; do :; done
says "TLS 1.2 is refused" CKR_DEVICE_ERROR sign
ok "the log names the version and what to do" grep -q "protocol version: .*update it" enterprise.log
stop "$impostor"
impostor=

mkfifo again
TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" run --approval auto --ready-fd 9 9>again </dev/null >/dev/null 2>&1 &
impostor=$!
read -r -t 60 _ <again
ok "the real peer signs again" sign
finish
