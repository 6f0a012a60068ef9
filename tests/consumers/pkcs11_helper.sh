#!/usr/bin/env bash
# libpkcs11-helper, the library of OpenVPN: a program of ours that goes OpenVPN's way.
. "$(dirname "$0")/consumer.sh"
. "$consumers/openssl_engine.sh"

compile() { ${CC:-cc} -o helper "$consumers/pkcs11_helper.c" $(pkg-config --cflags --libs libpkcs11-helper-1 libcrypto); }
certificate() { openssl req -new -x509 -engine pkcs11 -keyform engine -key "$(key_uri vpn)" -subj /CN=vpn -days 30 -outform DER -out vpn.der; }
verify() { openssl x509 -inform DER -in helper.der -noout -pubkey -out helper.pem && openssl dgst -sha256 -verify helper.pem -signature helper.sig "$1"; }

needs cc openssl pkg-config
ok "a key" make_key vpn 01
ok "its certificate" certificate
ok "it is written to the token" as_user --write-object vpn.der --type cert --id 01 --label vpn
ok "the program is compiled" compile
shows "it finds the certificate and signs, in a forked child, too" "^done$" timeout 300 ./helper
ok "the certificate is the same" cmp vpn.der helper.der
ok "OpenSSL verifies what its OpenSSL has signed" verify letter
refused "but no other letter" verify vpn.der
says "a wrong PIN" CKR_PIN_INCORRECT env PIN=000000 timeout 300 ./helper
finish
