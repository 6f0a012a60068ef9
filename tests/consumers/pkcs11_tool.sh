#!/usr/bin/env bash
# OpenSC's pkcs11-tool: its own tests, keys, certificates, data, PINs.
WITH_TOKEN="--bits 3072" # P-384 needs them
. "$(dirname "$0")/consumer.sh"

sign() { rm -f sig && as_user --sign --mechanism "$2" --signature-format "${3:-openssl}" --id "$1" --input-file letter --output-file sig; }
sign_and_verify() { public_pem "$1" && sign "$1" "ECDSA-$2" && openssl dgst -"$3" -verify "$1.pem" -signature sig letter; }
token_verifies() { sign "$1" ECDSA-SHA256 rs && tool --verify --mechanism ECDSA-SHA256 --id "$1" --input-file letter --signature-file sig; }
other_letter() { tool --verify --mechanism ECDSA-SHA256 --id "$1" --input-file sig --signature-file sig; }
hash() { tool --hash --mechanism "$1" --input-file letter --output-file hash && "$2" letter | grep -q "^$(xxd -p hash | tr -d '\n') "; }

needs pkcs11-tool openssl xxd
shows "the token is initialised" "token flags *: .*login required.*token initialized.*PIN initialized" tool -T
shows "interface 3.0 is offered" "version: 3.0" tool --list-interfaces
shows "interface 2.40 is offered" "version: 2.40" tool --list-interfaces
shows "--test without a key" "^No errors" as_user --test
shows "--test-ec" "==> OK" as_user --session-rw --test-ec --id 20 --label try --key-type EC:prime256v1
for row in "10 prime256v1" "11 secp384r1" "12 secp256k1"; do
    set -- $row
    shows "$2: a key pair" "Private Key Object; EC" make_key "$2" "$1" "$2"
done
shows "--test with keys" "^No errors" as_user --test
shows "private keys are shown after login" "Access: .*sensitive, always sensitive, never extractable, local" as_user -O --type privkey
for row in "SHA1 sha1" "SHA224 sha224" "SHA256 sha256" "SHA384 sha384" "SHA512 sha512"; do
    set -- $row
    ok "ECDSA-$1 verifies in OpenSSL" sign_and_verify 10 "$1" "$2"
done
ok "P-384 with SHA-384" sign_and_verify 11 SHA384 sha384
ok "secp256k1 with SHA-256" sign_and_verify 12 SHA256 sha256
ok "the token verifies" token_verifies 10
shows "another letter does not verify" "Invalid signature" other_letter 10
for row in "SHA-1 sha1sum" "SHA256 sha256sum" "SHA384 sha384sum" "SHA512 sha512sum"; do
    set -- $row
    ok "digest $1" hash "$1" "$2"
done
ok "random bytes" bash -c 'pkcs11-tool --module "$MODULE" --generate-random 100 -o random && [ "$(wc -c <random)" = 100 ]'

# What a token of split keys must refuse, each with its own code.
openssl ecparam -name prime256v1 -genkey -noout -outform DER -out whole.der
says "a whole private key is not taken in" CKR_ as_user --write-object whole.der --type privkey --id 30 --label whole
says "no RSA" "RSA mechanism not supported" as_user --keypairgen --key-type RSA:2048 --id 31
says "no secret keys" "mechanism not supported" as_user --keygen --key-type AES:32 --id 32
says "no key may be extractable" CKR_ as_user --keypairgen --key-type EC:prime256v1 --id 33 --extractable
says "no key without login" CKR_USER_NOT_LOGGED_IN tool --keypairgen --key-type EC:prime256v1 --id 34
refused "no signature without login" tool --sign --mechanism ECDSA-SHA256 --id 10 --input-file letter --output-file sig

# Certificates and public keys of others.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -subj "/CN=some CA" -days 30 \
    -outform DER -out ca.der 2>/dev/null
openssl ec -in ca.key -pubout -outform DER -out other.der 2>/dev/null
ok "a certificate is written" as_user --write-object ca.der --type cert --id 40 --label "some CA"
shows "and seen without login" "subject: *DN: CN=some CA" tool -O --type cert
ok "and read back the same" bash -c 'pkcs11-tool --module "$MODULE" --token-label "$TOKEN" --read-object --type cert --id 40 -o back.der && cmp ca.der back.der'
ok "a public key is written" as_user --write-object other.der --type pubkey --id 41 --label other
reads_other() { public_key_der 41 back.der && cmp other.der back.der; }
ok "and read back the same" reads_other
foreign() { openssl dgst -sha256 -sign ca.key -out sig letter && tool --verify --signature-format openssl --mechanism ECDSA-SHA256 --id 41 --input-file letter --signature-file sig; }
ok "it verifies another's signature" foreign
ok "the certificate is deleted" as_user --delete-object --type cert --id 40
refused "and is gone" tool --read-object --type cert --id 40 -o gone.der

# Data objects, public and private.
write_data() { as_user --write-object letter --type data --label "$1" --application-label tests "${@:2}"; }
reads_letter() { rm -f back && "$@" --read-object --type data --label note --application-label tests -o back && cmp letter back; }
ok "data is written" write_data note
ok "and read by anybody" reads_letter tool
ok "and deleted" as_user --delete-object --type data --label note --application-label tests
ok "private data is written" write_data note --private
refused "not read without login" reads_letter tool
ok "but with" reads_letter as_user

# Changes to keys.
ok "a key gets another id" as_user --set-id 15 --type privkey --id 12
shows "and is found by it" "label: *secp256k1" as_user -O --type privkey --id 15
ok "a key is deleted" as_user --delete-object --type privkey --id 15
refused "and signs no more" sign 15 ECDSA-SHA256

# PINs.
change() { tool --login --pin "$1" --change-pin --new-pin "$2"; }
says "a wrong PIN is refused" CKR_PIN_INCORRECT tool --login --pin 999999 -O
says "so is a wrong old PIN" CKR_PIN_INCORRECT change 999999 888888
says "a PIN may be too short" CKR_PIN_LEN_RANGE change "$PIN" 1
ok "the user's PIN is changed" change "$PIN" 97531097
says "the old one is worth nothing" CKR_PIN_INCORRECT tool --login --pin "$PIN" -O
ok "the new one is good" tool --login --pin 97531097 -O --type privkey
ok "the security officer sets a PIN" tool --login --login-type so --so-pin "$SOPIN" --init-pin --new-pin "$PIN"
ok "it is good" sign_and_verify 10 SHA256 sha256
ok "and the security officer's PIN is changed" tool --login --login-type so --so-pin "$SOPIN" --change-pin --new-pin 24681357
says "the old one is worth nothing" CKR_PIN_INCORRECT tool --login --login-type so --so-pin "$SOPIN" --init-pin --new-pin 1234567
wrong_often() {
    local try
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        tool --login --pin 000000 -O 2>&1 | grep -q CKR_PIN_LOCKED && return 0
    done
    return 1
}
ok "many wrong PINs lock it" wrong_often
says "then the right one does not help" CKR_PIN_LOCKED as_user -O
shows "and the token says so" "user PIN locked" tool -T
ok "until the security officer sets another" tool --login --login-type so --so-pin 24681357 --init-pin --new-pin "$PIN"
ok "then it signs again" sign_and_verify 10 SHA256 sha256
finish
