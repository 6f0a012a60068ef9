#!/usr/bin/env bash
# The peer is gone: signing says so in time, everything that needs no peer goes on.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter

sign() { as_user --sign --mechanism ECDSA-SHA256 --signature-format openssl --id 01 --input-file letter --output-file sig; }
verify() { tool --verify --mechanism ECDSA-SHA256 --signature-format openssl --id 01 --input-file letter --signature-file sig; }
sign_soon() { timeout 20 pkcs11-tool --module "$MODULE" --token-label "$TOKEN" --login --pin "$PIN" --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file none; }
find_key() { tool -O | grep -q away; }

as_user --keypairgen --key-type EC:prime256v1 --label away --id 01 >/dev/null 2>&1
ok "with the peer there is a signature" sign
kill "$PEER_PID"
tail --pid="$PEER_PID" -f /dev/null
says "without it there is CKR_DEVICE_ERROR" CKR_DEVICE_ERROR sign_soon
ok "the log says what to do" grep -qi "error" "$WORK/enterprise.log"
ok "slots are still listed" tool -L
ok "the key is still found" find_key
ok "signatures are still verified" verify
says "status says so" "NOT reachable" "$TALLYSTICK" status --pin-source "file:$WORK/pin"
mkfifo again
TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" run --approval auto --ready-fd 9 9>again </dev/null >/dev/null 2>&1 &
again=$!
trap 'kill $again 2>/dev/null' EXIT
read -r -t 60 _ <again
ok "when it is back there are signatures" sign
kill "$again"
wait "$again"
ok "it stops with success at SIGTERM" test $? = 0
trap - EXIT
finish
