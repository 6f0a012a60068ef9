#!/usr/bin/env bash
# Two people pair two devices: the same digits on both screens, a wrong code, replacing and unpairing.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
primes=4

peer() { TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" "$@"; }
invite() { peer uri --no-qr --address "$PEER_ADDRESS" >uri; }
new_token() { # a second token, so that the device can be paired once more
    "$TALLYSTICK" init --label "$1" --name office --so-pin-source "file:$WORK/so-pin" --pin-source "file:$WORK/pin" \
        --primes "$PRIMES:$primes" && TALLYSTICK_CONF=$PEER_CONF peer init --primes "$PRIMES:$((primes + 2))"
}
pair() { "$TALLYSTICK" pair - --token second --pin-source "file:$WORK/pin" "$@" <uri; }
paired() { "$TALLYSTICK" list --json | grep -c "\"state\": \"active\", *\|\"reachable\"" >/dev/null; peer list --json | grep -c '"pairing"' | grep -qx "$1"; }
no_peer_of_second() { "$TALLYSTICK" status --token second | grep -q "peer \"" && return 1 || return 0; }
draws() { peer uri --qr --address "$PEER_ADDRESS" | grep -c '▀' >/dev/null; }

ok "a second token" new_token second
ok "the URI comes as a QR code, too" draws
ok "an invitation" invite
says "a wrong code stops it" "not the one of this channel" pair --code 000000
ok "nothing was stored here" no_peer_of_second
ok "nor there" paired 1
ok "another invitation" invite
ok "without comparing, by --yes" pair --yes
ok "the device has two partners" paired 2
says "the same device twice is refused" "paired already" bash -c '"$TALLYSTICK" pair - --token second --yes --pin-source "file:$WORK/pin" <uri'
says "an unknown one cannot be replaced" "no peer \"tablet\"" pair --yes --replace tablet
ok "the peer is listed with its key" bash -c '"$TALLYSTICK" list | grep -q "its key [0-9a-f]\{64\}"'
ok "the partner with when it was seen" bash -c 'TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" list | grep -q "last seen"'
ok "it is replaced by itself: a new pairing" bash -c 'TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" init --primes "$PRIMES:2" && TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" uri --address "$PEER_ADDRESS" >uri && "$TALLYSTICK" pair - --token second --yes --replace phone --primes "$PRIMES:0" --pin-source "file:$WORK/pin" <uri'
ok "a key with the new pairing" bash -c 'pkcs11-tool --module "$MODULE" --token-label second --login --pin "$PIN" --keypairgen --key-type EC:prime256v1 --label k --id 07'
says "on which a key depends now" "keys have their other half" "$TALLYSTICK" unpair phone --token second --yes
says "the device keeps it, too" "halves of keys" bash -c 'TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" unpair "$(TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" list --json | sed -n "s/.*\"pairing\": \"\(.*\)\".*/\1/p" | tail -n 1)" --yes'
says "and cannot be replaced" "cannot be replaced" pair --yes --replace phone
ok "the key is destroyed" bash -c 'for type in privkey pubkey; do pkcs11-tool --module "$MODULE" --token-label second --login --pin "$PIN" --delete-object --type $type --id 07 || exit 1; done'
ok "the peer is unpaired" "$TALLYSTICK" unpair phone --token second --yes
says "once" "no peer \"phone\"" "$TALLYSTICK" unpair phone --token second --yes
ok "two people compare" python3 "${TS_SRCDIR:-$(dirname "$0")/..}/tests/two_people.py"
finish
