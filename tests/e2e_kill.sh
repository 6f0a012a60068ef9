#!/usr/bin/env bash
# kill -9 of either side at every point of keygen and of signing at which something left for the other side or became durable
# (tests/killer.c). Afterwards every key that a caller was told of signs, and every key that the token shows signs: no half is lost.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/kill_walk.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter

keygen() { as_user --keypairgen --key-type EC:prime256v1 --label "key-$1" --id "$1"; }
sign_with() { as_user --sign --mechanism ECDSA-SHA256 --signature-format openssl --id "$1" --input-file letter --output-file "sig-$1"; }
verify_with() { tool --verify --mechanism ECDSA-SHA256 --signature-format openssl --id "$1" --input-file letter --signature-file "sig-$1"; }
signs() { sign_with "$1" && verify_with "$1"; }

every_key_signs() {
    local id all=1 ids
    ids=$(as_user -O --type privkey 2>/dev/null | sed -n 's/^ *ID: *//p')
    [ -n "$ids" ] || return 1
    for id in $ids; do
        signs "$id" || { echo "the key with id $id does not sign" && all=0; }
    done
    [ "$all" = 1 ]
}

told=
make_key() { keygen "$(printf '%s%02x%02x' "$prefix" $(($1 / 256)) $(($1 % 256)))"; }
after() { # a key whose maker was told of it is there
    [ "$2" != 0 ] || told="$told $(printf '%s%02x%02x' "$prefix" $(($1 / 256)) $(($1 % 256)))"
}
told_keys_sign() {
    local id
    for id in $told; do signs "$id" || return 1; done
}

prefix=e0
walk keygen enterprise make_key
prefix=ee
stop_peer
walk keygen peer make_key
ok "every key that a caller was told of signs" told_keys_sign
ok "every key that the token shows signs" every_key_signs

keygen 01 >/dev/null 2>&1
sign_once() { sign_with 01; }
after() { signs 01; }
walk sign enterprise sign_once
stop_peer
walk sign peer sign_once
ok "no key is locked" bash -c '! "$TALLYSTICK" list | grep LOCKED'
finish
