#!/usr/bin/env bash
# The main job through pkcs11-tool on real processes: list, keys, signatures, verification by OpenSSL.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter

lists() { tool "$1" | grep -q "$2"; }
mechanisms() { tool -M | grep -q "$1"; }
make_key() { as_user --keypairgen --key-type "EC:$1" --label "$1" --id "$2"; }
public_key() { public_key_der "$1" "key$1.der" && openssl ec -pubin -inform DER -in "key$1.der" -out "key$1.pem"; }
sign() { as_user --sign --mechanism "$2" --signature-format openssl --id "$1" --input-file "$3" --output-file sig; }
verify() { openssl dgst -sha256 -verify "key$1.pem" -signature sig letter; }
sign_message() { rm -f sig && sign "$1" ECDSA-SHA256 letter && verify "$1"; }
sign_digest() { rm -f sig && openssl dgst -sha256 -binary letter >digest && sign "$1" ECDSA digest && verify "$1"; }

ok "slots are listed" lists -L "token label *: $TOKEN"
ok "token slots are listed" lists -T "token label *: $TOKEN"
ok "ECDSA is offered" mechanisms ECDSA-SHA256
ok "key generation is offered" mechanisms KEY-PAIR-GEN
says "a wrong PIN is told" CKR_PIN_INCORRECT tool --login --pin 000000 -O
for key in "prime256v1 01" "secp256k1 02"; do
    set -- $key
    ok "$1: a key is made" make_key "$1" "$2"
    ok "$1: it is found without login" lists -O "$1"
    ok "$1: OpenSSL reads its public key" public_key "$2"
    ok "$1: a message is signed" sign_message "$2"
    ok "$1: a digest is signed" sign_digest "$2"
done
says "another letter does not verify" "failure" bash -c 'printf x >other; openssl dgst -sha256 -verify key02.pem -signature sig other'
ok "the peer lists both keys" bash -c 'TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" list --json | grep -c "\"state\": \"active\"" | grep -qx 3'
ok "the token lists both keys" bash -c '"$TALLYSTICK" list --json | grep -c "\"curve\": " | grep -qx 2'
ok "status calls the peer" bash -c '"$TALLYSTICK" status --pin-source "file:$WORK/pin" | grep -q "^    reachable"'
# Both sides tell the same story; what was asked for last stands first.
sessions() { "$TALLYSTICK" sessions "$@" --json; }
peer_sessions() { TALLYSTICK_CONF=$PEER_CONF "$TALLYSTICK_PEER" sessions "$@" --json; }
field() { sed -n "s/^ *\"$1\": \"\(.*\)\".*/\1/p"; }
same_story() { [ -n "$(sessions | field "$1")" ] && diff <(sessions | field "$1") <(peer_sessions | field "$1"); }
for what in kind status conversation key presignature request answer; do
    ok "both journals agree: $what" same_story "$what"
done
ok "a signature has gone through all its steps" bash -c '"$TALLYSTICK" sessions --kind sign --limit 1 | grep -q "SIGN *COMPLETED"'
one_record() { "$TALLYSTICK" sessions "$(sessions --limit 1 | field id)" | grep -q "^application *pkcs11-tool"; }
ok "one session is shown in full" one_record
says "an id that is none is told" "32 small hex digits" "$TALLYSTICK" sessions 12
says "an unknown session is told" "no such session" "$TALLYSTICK" sessions 00112233445566778899aabbccddeeff
finish
