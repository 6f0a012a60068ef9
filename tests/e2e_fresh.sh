#!/usr/bin/env bash
# A second token made by pkcs11-tool alone, paired with the same device by a second invitation.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter

slot_option() {
    local index
    index=$(pkcs11-tool --module "$MODULE" -L | awk '/^Slot/ { n++ } /uninitialized/ { print n - 1; exit }')
    echo "--slot-index ${index:?no free slot}"
}
init_token() { pkcs11-tool --module "$MODULE" $(slot_option) --init-token --label "$1" --so-pin "$SOPIN"; }
init_pin() { pkcs11-tool --module "$MODULE" --token-label "$1" --login --login-type so --so-pin "$SOPIN" --init-pin --new-pin 654321; }
second() { pkcs11-tool --module "$MODULE" --token-label second "$@"; }
invite() {
    TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" init --primes "$PRIMES:4" &&
        TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" uri --address "$PEER_ADDRESS" >uri2
}
pair() { "$TALLYSTICK" pair - --yes --token "$1" --primes "$PRIMES:6" --pin-source "file:$WORK/pin2" <uri2; }
sign() { second --login --pin 654321 --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file sig; }

printf 654321 >pin2
ok "a token is made" init_token second
ok "its user PIN is set" init_pin second
says "without a peer no key is made" CKR_ second --login --pin 654321 --keypairgen --key-type EC:prime256v1 --id 01
ok "the device invites again" invite
says "with a wrong PIN there is no pairing" "wrong" bash -c 'printf 1111 >bad; "$TALLYSTICK" pair - --yes --token second --pin-source "file:$WORK/bad" <uri2'
ok "they pair" pair second
says "twice is not needed" "paired already" pair second
init_token third >/dev/null 2>&1 && init_pin third >/dev/null 2>&1
says "a URI is good for one pairing" "was used" pair third
ok "a key is made" second --login --pin 654321 --keypairgen --key-type EC:prime256v1 --label second --id 01
ok "it signs" sign
ok "the first token has none of it" bash -c '! pkcs11-tool --module "$MODULE" --token-label "$TOKEN" -O | grep -q second'
finish
