#!/usr/bin/env bash
# `tallystick refresh` on real processes: who may, what stays, and kill -9 of either side at points of it (tests/killer.c).
# Every fifth point in `make check`, every one with KILL_STEP=1 (make check-kill).
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/kill_walk.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter
step=${KILL_STEP:-5}

signs() {
    as_user --sign --mechanism ECDSA-SHA256 --signature-format openssl --id "$1" --input-file letter --output-file sig &&
        tool --verify --mechanism ECDSA-SHA256 --signature-format openssl --id "$1" --input-file letter --signature-file sig
}
generation() { env -u LD_PRELOAD "$TALLYSTICK" list --json | sed -n 's/.*"generation": \([0-9]*\).*/\1/p' | sort -n | tail -n 1; }
# Two sets of primes by turns, for new ones must differ from those in use.
refresh() {
    local place=$(($(generation) % 2 == 0 ? 4 : 0))
    env -u LD_PRELOAD TALLYSTICK_CONF="$PEER_CONF" "$TALLYSTICK_PEER" init --primes "$PRIMES:$((place + 2))" &&
        "$TALLYSTICK" refresh "$1" --so-pin-source "file:$WORK/so-pin" --primes "$PRIMES:$place"
}
generations() { TALLYSTICK_CONF=$1 "$2" list --json | grep -c '"generation"'; }

as_user --keypairgen --key-type EC:prime256v1 --label "a key" --id 01 >/dev/null 2>&1
says "no such key is told" 'no key "other"' "$TALLYSTICK" refresh other --so-pin-source "file:$WORK/so-pin"
says "the user's PIN does not do" "SO PIN of token" "$TALLYSTICK" refresh "a key" --so-pin-source "file:$WORK/pin"
ok "a key is refreshed" refresh "a key"
ok "its generation is 1" test "$(generation)" = 1
ok "nothing of the old half is left at the token" test "$(generations "$TALLYSTICK_CONF" "$TALLYSTICK")" = 1
ok "nor at the peer" test "$(generations "$PEER_CONF" "$TALLYSTICK_PEER")" = 1
ok "it signs" signs 01

# Primes that a killed run left may be those in use: then the next pair.
again() {
    local try status
    for try in 1 2 3; do
        refresh "a key"
        status=$?
        [ "$status" != 0 ] && [ "$status" != 137 ] && kill -0 "$PEER_PID" 2>/dev/null || return "$status"
    done
    return "$status"
}
after() { signs 01 && [ "$(generations "$TALLYSTICK_CONF" "$TALLYSTICK")" = 1 ]; }
walk refresh enterprise again 1 "$step"
stop_peer
walk refresh peer again 1 "$step"
ok "the key signs after all" signs 01
ok "the token has one generation of it" test "$(generations "$TALLYSTICK_CONF" "$TALLYSTICK")" = 1
ok "and so has the peer" test "$(generations "$PEER_CONF" "$TALLYSTICK_PEER")" = 1
ok "no key is locked" bash -c '! "$TALLYSTICK" list | grep LOCKED'
finish
