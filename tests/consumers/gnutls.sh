#!/usr/bin/env bash
# GnuTLS: p11tool, certtool, gnutls-serv.
. "$(dirname "$0")/consumer.sh"
export GNUTLS_PIN=$PIN GNUTLS_SO_PIN=$SOPIN
url="pkcs11:token=$TOKEN"
private="$url;object=gnutls;type=private" public="$url;object=gnutls;type=public"

p11() { p11tool --provider "$MODULE" --batch "$@"; }
cert() { certtool --provider "$MODULE" "$@"; }
cat >template <<'T'
cn = localhost
dns_name = localhost
expiration_days = 30
ca
cert_signing_key
signing_key
tls_www_server
T
request() { cert --generate-request --load-privkey "$private" --load-pubkey "$public" --template template --outfile gnu.csr; }
self_sign() { cert --generate-self-signed --load-privkey "$private" --load-pubkey "$public" --template template --outfile gnu.crt; }
issue() {
    certtool --generate-privkey --key-type ecdsa --outfile leaf.key && printf 'cn = leaf\nexpiration_days = 3\n' >leaf.template &&
        cert --generate-certificate --load-privkey leaf.key --load-ca-privkey "$private" --load-ca-certificate gnu.crt --template leaf.template --outfile leaf.crt
}
back() { p11 --export "$url;object=site;type=cert" --outfile back.crt && openssl x509 -in gnu.crt -outform DER -out a && openssl x509 -in back.crt -outform DER -out b && cmp a b; }

needs p11tool certtool gnutls-serv gnutls-cli openssl
shows "p11tool --list-tokens" "URL: .*token=$TOKEN" p11 --list-tokens
shows "p11tool --list-mechanisms" "CKM_ECDSA_SHA256" p11 --list-mechanisms "$url"
shows "p11tool --generate-random" "." p11 --generate-random 16 "$url"
ok "p11tool --generate-privkey" p11 --login --generate-privkey ecdsa --curve secp256r1 --label gnutls --outfile gnu.pub "$url"
shows "p11tool --list-privkeys" "Private key .EC/ECDSA-SECP256R1" p11 --login --list-privkeys "$url"
shows "the key cannot be taken out" "CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE" p11 --login --list-privkeys "$url"
refused "it is not exported" p11 --login --export "$private"
ok "its public key is" p11 --login --export-pubkey "$private" --outfile again.pub
ok "the same one" cmp gnu.pub again.pub
shows "p11tool --test-sign" "Verifying against public key in the token... ok" p11 --login --test-sign "$private"
ok "certtool --generate-request" request
shows "OpenSSL accepts the request" "self-signature verify OK" openssl req -in gnu.csr -noout -verify
ok "certtool --generate-self-signed" self_sign
ok "OpenSSL accepts the certificate" openssl verify -CAfile gnu.crt gnu.crt
ok "certtool --generate-certificate by this authority" issue
ok "OpenSSL accepts that, too" openssl verify -CAfile gnu.crt leaf.crt
ok "p11tool --write a certificate" p11 --login --write --load-certificate gnu.crt --label site "$url"
shows "p11tool --list-all-certs" "Label: site" p11 --list-all-certs "$url"
ok "it is read back the same" back
ok "p11tool --delete" p11 --login --delete "$url;object=site;type=cert"
refused "and is gone" p11 --export "$url;object=site;type=cert"

# Another program may take the port between the question and the bind: then once more.
stderr_too() { exec "$@" 2>&1; }
serve_somewhere() {
    local try
    for try in 1 2 3 4 5; do
        port=$(free_port)
        serve out stderr_too gnutls-serv --provider "$MODULE" --http --port "$port" --x509keyfile "$private" --x509certfile gnu.crt
        awaits out "IPv4.*done" && return 0
    done
    return 1
}
connect() { printf 'GET / HTTP/1.0\r\n\r\n' | gnutls-cli --port "$port" --x509cafile gnu.crt --sni-hostname localhost --verify-hostname localhost --priority "$1" 127.0.0.1; }
serve_somewhere
ok "gnutls-serv listens" test -n "$matched"
shows "gnutls-cli, TLS 1.3" "The certificate is trusted" connect NORMAL:-VERS-ALL:+VERS-TLS1.3
shows "gnutls-cli, TLS 1.2" "The certificate is trusted" connect NORMAL:-VERS-ALL:+VERS-TLS1.2
shows "openssl s_client" "Verification: OK" bash -c "openssl s_client -connect 127.0.0.1:$port -CAfile gnu.crt -verify_hostname localhost -verify_return_error -brief </dev/null"
finish
