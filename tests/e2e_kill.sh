#!/usr/bin/env bash
# kill -9 of either side at every point of keygen and of signing at which something left for the other side or became durable
# (tests/killer.c). Afterwards every key that a caller was told of signs, and every key that the token shows signs: no half is lost.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
killer=${TS_BUILDDIR:-$(dirname "$0")/../build}/tests/.libs/killer.so
[ -f "$killer" ] || { echo "Bail out! tests/killer.so is not built" && exit 99; }
printf 'a letter\n' >letter

stop_peer() {
    kill "$PEER_PID" 2>/dev/null
    tail --pid="$PEER_PID" -f /dev/null
}

# start_peer [NAME=VALUE...]: with these in its environment.
start_peer() {
    rm -f ready && mkfifo ready
    env TALLYSTICK_CONF="$PEER_CONF" "$@" "$TALLYSTICK_PEER" run --approval auto --ready-fd 9 9>ready </dev/null >>peer.out.log 2>&1 &
    PEER_PID=$!
    read -r -t 60 _ <ready
}
trap 'kill $PEER_PID 2>/dev/null' EXIT

keygen() { as_user --keypairgen --key-type EC:prime256v1 --label "key-$1" --id "$1"; }
sign_with() { as_user --sign --mechanism ECDSA-SHA256 --signature-format openssl --id "$1" --input-file letter --output-file "sig-$1"; }
verify_with() { tool --verify --mechanism ECDSA-SHA256 --signature-format openssl --id "$1" --input-file letter --signature-file "sig-$1"; }
signs() { sign_with "$1" && verify_with "$1"; }

# walk NAME SIDE COMMAND: run the command again and again with SIDE killed at point 1, 2, 3, ... until it is killed no more.
# Between runs the other things must work: `after` is called with the point.
walk() {
    local name=$1 side=$2 command=$3 point=0 status bad=0
    while [ "$point" -lt 400 ]; do
        point=$((point + 1))
        if [ "$side" = enterprise ]; then
            LD_PRELOAD=$killer TS_KILL_AT=$point $command "$point" >out.log 2>&1
            status=$?
            [ "$status" = 0 ] && break
        else
            rm -f armed
            start_peer LD_PRELOAD="$killer" TS_KILL_AT="$point" TS_KILL_ARMED="$WORK/armed"
            touch armed
            $command "$point" >out.log 2>&1
            status=$?
            rm -f armed
            if kill -0 "$PEER_PID" 2>/dev/null; then # it lived through everything
                stop_peer
                start_peer
                break
            fi
            tail --pid="$PEER_PID" -f /dev/null
            start_peer
        fi
        after "$point" "$status" >>after.log 2>&1 || bad=$((bad + 1))
        [ "$side" = enterprise ] || stop_peer
    done
    echo "# $name, $side: $((point - 1)) points"
    ok "$name, $side killed at each of more than 8 points" test "$point" -gt 9
    ok "$name, $side: the last run of the walk went through" test "$status" = 0
    ok "$name, $side: everything works after each kill" test "$bad" = 0
}

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
