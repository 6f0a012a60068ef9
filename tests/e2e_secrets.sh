#!/usr/bin/env bash
# The bytes of x1, x2, the primes, lambda, the hedge keys and the PINs are nowhere in the two stores, their journals and the logs;
# and what is sealed needs PIN and HSM: a wrong PIN says so, a lost HSM key says so and changes nothing.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
show=${TS_BUILDDIR:-$(dirname "$0")/../build}/tests/show_secrets
printf 'a letter\n' >letter
as_user --keypairgen --key-type EC:prime256v1 --label one --id 01 >/dev/null 2>&1
sign() { as_user --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file sig; }
ok "a key signs" sign

"$show" enterprise "$PIN" >secrets 2>/dev/null
enterprise_shown=$?
TALLYSTICK_CONF=$PEER_CONF "$show" peer "$(cat passphrase)" >>secrets 2>/dev/null
ok "the secrets can be shown to the test" test "$enterprise_shown$?" = 00
ok "both halves and four primes are among them" bash -c 'grep -q "^x1 " secrets && grep -q "^x2 " secrets && [ "$(grep -c "^prime " secrets)" = 4 ]'
cat >look.py <<'PY'
import sys

def forms(hexadecimal):
    raw = bytes.fromhex(hexadecimal)
    little = raw[::-1]
    yield from (raw, little, hexadecimal.encode(), hexadecimal.upper().encode())
    if len(raw) > 40:  # a part is as telling
        yield from (raw[8:40], little[8:40])

def hits(lines, data):
    return [name for name, value in lines for form in forms(value) if form in data]

data = b"".join(open(path, "rb").read() for path in sys.argv[1:])
lines = [line.split() for line in open("secrets")]
public = [line for line in lines if line[0] == "PUBLIC"]
secret = [line for line in lines if line[0] != "PUBLIC"]
secret += [("pin", open(path, "rb").read().hex()) for path in ("pin", "so-pin", "passphrase", "hsm-pin")]
assert hits(public, data), "the search does not even find the public key"
found = hits(secret, data)
print(len(secret), "secrets,", len(data), "bytes;", "found:", found)
sys.exit(bool(found))
PY
ok "none of them is in stores or logs" bash -c 'python3 look.py enterprise/* peer/* *.log'

says "a wrong PIN is CKR_PIN_INCORRECT" CKR_PIN_INCORRECT tool --login --pin 999999 -O
kill "$PEER_PID"
tail --pid="$PEER_PID" -f /dev/null
key_gone() { pkcs11-tool --module "$HSM_MODULE" --token-label hsm --login --pin "$(cat hsm-pin)" --delete-object --type secrkey --label tallystick; }
HSM_MODULE=$(sed -n 's/.*module-path=\([^&"]*\).*/\1/p' "$TALLYSTICK_CONF")
ok "the HSM's key is deleted" key_gone
before=$(sqlite3 enterprise/token.db .dump | sha256sum)
says "without it login fails with CKR_DEVICE_ERROR" CKR_DEVICE_ERROR tool --login --pin "$PIN" -O
ok "the log says what is missing" grep -q "HSM" enterprise.log
printf "%s" 13579246 >so-new
says "init makes no new HSM key" "HSM" "$TALLYSTICK" init --label other --so-pin-source "file:$WORK/so-new" --pin-source "file:$WORK/pin" --no-primes
ok "nothing was changed or overwritten" test "$before" = "$(sqlite3 enterprise/token.db .dump | sha256sum)"
finish
