#!/usr/bin/env bash
# OpenVPN, whose client certificate and key are on the token, and its library libpkcs11-helper by a program of ours.
. "$(dirname "$0")/consumer.sh"
. "$consumers/openssl_engine.sh"
PATH=$PATH:/usr/sbin

certificate() { openssl req -new -x509 -engine pkcs11 -keyform engine -key "$(key_uri vpn)" -subj /CN=vpn -days 30 -outform DER -out vpn.der; }
server_certificate() {
    openssl x509 -inform DER -in vpn.der -out vpn.crt &&
        openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -subj /CN=server -days 30 -out server.crt
}

needs cc openssl openvpn pkg-config python3
ok "a key" make_key vpn 01
ok "its certificate" certificate
ok "it is written to the token" as_user --write-object vpn.der --type cert --id 01 --label vpn

# A tunnel with two ends on this machine, each of which has its own key. Another program may take the port between the question and
# the bind: then once more.
ok "another certificate for the other end" server_certificate
shows "openvpn --show-pkcs11-ids" "Serialized id: *tallystick/.*/$TOKEN/01" openvpn --show-pkcs11-ids "$MODULE"
id=$(openvpn --show-pkcs11-ids "$MODULE" | sed -n 's/^ *Serialized id: *//p')
tunnel() {
    cat >client.conf <<CONF
client
dev null
proto udp
remote 127.0.0.1 $1
nobind
ca server.crt
pkcs11-providers $MODULE
pkcs11-id '$id'
management $WORK/management unix
management-client
management-query-passwords
CONF
    rm -f management
    serve pin python3 "$consumers/openvpn_pin.py" "$WORK/management"
    awaits pin "ready"
    serve server openvpn --dev null --proto udp --local 127.0.0.1 --port "$1" --tls-server --dh none --ca vpn.crt --cert server.crt --key server.key
    begin openvpn --config client.conf >client.log 2>&1
    awaits server "Initialization Sequence Completed"
}
tunnel_somewhere() {
    local try
    for try in 1 2 3; do
        tunnel "$(free_port)" && return 0
        kill "${children[@]}" 2>/dev/null
    done
    cat client.log
    return 1
}
tunnel_somewhere
ok "a tunnel is built with the token's key" test -n "$matched"

compile() { ${CC:-cc} -o helper "$consumers/pkcs11_helper.c" $(pkg-config --cflags --libs libpkcs11-helper-1 libcrypto); }
verify() { openssl x509 -inform DER -in helper.der -noout -pubkey -out helper.pem && openssl dgst -sha256 -verify helper.pem -signature helper.sig "$1"; }
ok "the program is compiled" compile
shows "it finds the certificate and signs, in a forked child, too" "^done$" timeout 300 ./helper
ok "the certificate is the same" cmp vpn.der helper.der
ok "OpenSSL verifies what its OpenSSL has signed" verify letter
refused "but no other letter" verify vpn.der
says "a wrong PIN" CKR_PIN_INCORRECT env PIN=000000 timeout 300 ./helper
finish
