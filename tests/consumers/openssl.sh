#!/usr/bin/env bash
# OpenSSL 3 with the engine pkcs11: req, x509, dgst, pkeyutl, cms, s_server.
. "$(dirname "$0")/consumer.sh"
. "$consumers/openssl_engine.sh"

with_key() { openssl "$1" -engine pkcs11 -keyform engine "${@:2}"; }
self_sign() { with_key req -new -x509 -key "$(key_uri authority)" -subj "/CN=an authority" -days 30 -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign; }
request() { with_key req -new -key "$(key_uri web)" -subj /CN=localhost -addext subjectAltName=DNS:localhost -out web.csr; }
issue() { openssl x509 -req -engine pkcs11 -in web.csr -copy_extensions copy -CA ca.crt -CAkey "$(key_uri authority)" -CAkeyform engine -CAcreateserial -days 30 -out web.crt; }
digest() { with_key dgst "-$1" -sign "$(key_uri web)" -out sig letter && openssl dgst "-$1" -verify web.pem -signature sig letter; }
raw() { openssl dgst -sha256 -binary -out digest letter && with_key pkeyutl -sign -inkey "$(key_uri web)" -in digest -out sig && openssl pkeyutl -verify -pubin -inkey web.pem -in digest -sigfile sig; }
cms_sign() { with_key cms -sign -nodetach -signer web.crt -inkey "$(key_uri web)" -in letter -outform PEM -out letter.cms; }
cms_verify() { openssl cms -verify -CAfile ca.crt -purpose any -inform PEM -in "$1" -out back && diff --strip-trailing-cr letter back; }
cms_broken() { openssl cms -sign -nodetach -signer other.crt -inkey other.key -in letter -outform PEM -out other.cms; cms_verify other.cms; }
by_label_and_id() { with_key dgst -sha256 -sign "pkcs11:token=$TOKEN;id=%02;type=private?pin-source=file:$WORK/pin" -out sig letter && openssl dgst -sha256 -verify web.pem -signature sig letter; }
wrong_pin() { with_key dgst -sha256 -sign "pkcs11:token=$TOKEN;object=web;type=private?pin-value=000000" -out sig letter; }

needs openssl
shows "the engine loads the module" "available" openssl engine -t pkcs11
ok "a key for the authority" make_key authority 01
ok "a key for the server" make_key web 02
ok "req -x509" self_sign
ok "the certificate verifies itself" openssl verify -CAfile ca.crt ca.crt
ok "req" request
shows "the request is signed" "self-signature verify OK" openssl req -in web.csr -noout -verify
ok "x509 -req" issue
ok "the issued certificate verifies" openssl verify -CAfile ca.crt -verify_hostname localhost web.crt
openssl x509 -in web.crt -noout -pubkey >web.pem
for name in sha1 sha224 sha256 sha384 sha512; do
    ok "dgst -$name" digest "$name"
done
ok "pkeyutl" raw
ok "the key by its id" by_label_and_id
refused "a wrong PIN" wrong_pin
ok "the PIN's count is cleared by the right one" digest sha256
ok "cms -sign" cms_sign
ok "cms -verify" cms_verify letter.cms
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout other.key -subj /CN=other -out other.crt 2>/dev/null
refused "another's cms does not verify" cms_broken

serve out openssl s_server -engine pkcs11 -keyform engine -key "$(key_uri web)" -cert web.crt -accept 127.0.0.1:0 -www
awaits out "^ACCEPT (.*)"
address=$matched
ok "s_server listens" test -n "$address"
connect() { openssl s_client -connect "$address" -servername localhost -CAfile ca.crt -verify_hostname localhost -verify_return_error -brief "$@" </dev/null; }
shows "s_client, TLS 1.3" "Verification: OK" connect -tls1_3
shows "s_client, TLS 1.2" "Verification: OK" connect -tls1_2
many() {
    local i
    for i in 1 2 3 4 5 6 7 8; do connect || return 1; done
}
ok "eight connections" many
refused "with another authority it does not verify" connect -CAfile other.crt
finish
