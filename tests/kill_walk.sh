# Killing either side at every point (tests/killer.c). Sourced, after tap.sh, by scripts that run under with-token.
killer=${TS_BUILDDIR:-$(dirname "$0")/../build}/tests/.libs/killer.so
[ -f "$killer" ] || { echo "Bail out! tests/killer.so is not built" && exit 99; }
killer=${ASAN_RUNTIME:+$ASAN_RUNTIME:}$killer # which must be the first

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

# walk NAME SIDE COMMAND [FIRST STEP]: run the command again and again with SIDE killed at point 1, 2, 3, ... until it is
# killed no more; or at every STEP-th from FIRST. Between runs the other things must work: `after` is called with the point.
walk() {
    local name=$1 side=$2 command=$3 step=${5:-1} status bad=0 killed=0
    local point=$((${4:-1} - step))
    while [ "$point" -lt 400 ]; do
        point=$((point + step))
        if [ "$side" = enterprise ]; then
            LD_PRELOAD=$killer ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 TS_KILL_AT=$point $command "$point" >out.log 2>&1
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
        killed=$((killed + 1))
        after "$point" "$status" >>after.log 2>&1 || bad=$((bad + 1))
        [ "$side" = enterprise ] || stop_peer
    done
    echo "# $name, $side: killed at $killed points of about $point"
    ok "$name, $side killed at each of more than 8 points" test "$point" -gt 9
    ok "$name, $side: the last run of the walk went through" test "$status" = 0
    ok "$name, $side: everything works after each kill" test "$bad" = 0
}
