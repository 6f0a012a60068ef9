#!/usr/bin/env bash
# p11-kit: the module in its list, and a remote token through p11-kit server and p11-kit-client.so.
. "$(dirname "$0")/consumer.sh"
client=$(dirname "$(pkg-config --variable=p11_module_path p11-kit-1)/x")/p11-kit-client.so

remote() { pkcs11-tool --module "$client" --token-label "$TOKEN" "$@"; }
digest() { openssl dgst -sha256 -binary -out digest letter; }
# p11-kit's protocol knows ECDSA without a hash; the caller hashes.
sign() { rm -f sig && digest && remote --login --pin "$PIN" --sign --mechanism ECDSA --signature-format openssl --id "$1" --input-file digest --output-file sig; }
verify() { openssl dgst -sha256 -verify "$1.pem" -signature sig letter; }

needs p11-kit pkcs11-tool openssl pkg-config
ok "a key" make_key here 01
ok "its public key" public_pem 01
ok "p11-kit-client.so is installed" test -f "$client"
serve out p11-kit server --foreground --provider "$MODULE" --name "$WORK/p11-kit.socket" "pkcs11:token=$TOKEN"
awaits out "P11_KIT_SERVER_ADDRESS=([^;]*)"
ok "p11-kit server listens" test -n "$matched"
export P11_KIT_SERVER_ADDRESS=$matched
shows "the token is seen through it" "token label *: $TOKEN" remote -T
shows "and the public key" "label: *here" remote -O
ok "it signs" sign 01
ok "the signature verifies" verify 01
ok "a key is made through it" remote --login --pin "$PIN" --keypairgen --key-type EC:prime256v1 --label there --id 02
shows "it is in the token itself" "label: *there" tool -O
ok "its public key" public_pem 02
ok "it signs" sign 02
ok "the signature verifies" verify 02
says "a wrong PIN" CKR_PIN_INCORRECT remote --login --pin 000000 -O
finish
