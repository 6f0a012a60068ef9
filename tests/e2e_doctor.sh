#!/usr/bin/env bash
# The doctor finds nothing in a good set-up, and each fault that is made here. Where the module is not installed, p11-kit's
# list lacks it: those two lines depend on the machine.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99

doctor() { "$TALLYSTICK" doctor "$@" 2>&1 | grep -vE '^[^ ]+ +(p11-kit|module) '; }
healthy() { doctor "$@" >out; cat out && ! grep -q ^WRONG out && grep -q '^ok *keys' out; }
finds() { doctor "${@:2}" >out; cat out && grep -qE "^WRONG +$1" out; }
reaches() { doctor --pin-source "file:$WORK/pin" | grep -E '^ok +peer .*: reachable$'; }
registered() { "$TALLYSTICK" doctor | grep -E '^(ok|WRONG) +(p11-kit|module) '; }

ok "nothing is wrong" healthy
ok "nor when the peer is called" healthy --pin-source "file:$WORK/pin"
ok "it is reached" reaches
ok "the registration is looked at" registered
printf 'nonsense: 1\n' >bad.yaml
with_configuration() { TALLYSTICK_CONF=$1 finds "$2"; }
ok "a bad key in the configuration" with_configuration "$WORK/bad.yaml" "configuration .*nonsense"
ok "no configuration" with_configuration "$WORK/none.yaml" "configuration .*none.yaml"
sed "s|^store:.*|store: $WORK/elsewhere/token.db|" "$TALLYSTICK_CONF" >empty.yaml
ok "no store" with_configuration "$WORK/empty.yaml" "store .*tallystick init"
ok "none was made by looking" test ! -e elsewhere
chmod 644 enterprise/token.db
ok "a store that others may read" finds "store .*chmod 600"
chmod 600 enterprise/token.db
mv hsm-pin hsm-pin.away
ok "an HSM without its PIN" finds "HSM"
mv hsm-pin.away hsm-pin
kill "$PEER_PID"
timeout 60 tail --pid="$PEER_PID" -f /dev/null
ok "a peer that does not run" finds "peer .*NOT reachable" --pin-source "file:$WORK/pin"
ok "not seen when it is not called" healthy
says "the exit code tells" "something is wrong" "$TALLYSTICK" doctor --pin-source "file:$WORK/pin"
finish
