#!/usr/bin/env bash
# Two hundred signatures in a row in one login: all valid, all with s in the lower half of the group.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
number=200

as_user --keypairgen --key-type EC:prime256v1 --label many --id 01 >/dev/null 2>&1
public_key_der 01 key.der
openssl ec -pubin -inform DER -in key.der -out key.pem 2>/dev/null

one() {
    printf 'letter %s\n' "$1" >letter
    rm -f sig
    as_user --sign --mechanism ECDSA-SHA256 --signature-format openssl --id 01 --input-file letter --output-file sig >>many.log 2>&1 &&
        openssl dgst -sha256 -verify key.pem -signature sig letter >>many.log 2>&1 && cp sig "sig.$1"
}
all() {
    for ((i = 1; i <= number; i++)); do
        one "$i" || { tail -n 5 many.log && return 1; }
    done
}
low_s() {
    python3 - <<'PY'
import glob, sys
q = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
seen = set()
for name in glob.glob("sig.*"):
    der = open(name, "rb").read()
    assert der[0] == 0x30 and der[1] == len(der) - 2 and der[2] == 2
    r = int.from_bytes(der[4:4 + der[3]], "big")
    rest = der[4 + der[3]:]
    assert rest[0] == 2 and rest[1] == len(rest) - 2
    s = int.from_bytes(rest[2:], "big")
    assert 0 < s <= q // 2, name + ": high s"
    assert r not in seen, name + ": r repeats"
    seen.add(r)
assert len(seen) == 200, len(seen)
PY
}
ok "200 signatures are valid" all
ok "each s is low and no r repeats" low_s
finish
