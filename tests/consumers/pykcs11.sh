#!/usr/bin/env bash
# Python's PyKCS11 as Debian packages it.
. "$(dirname "$0")/consumer.sh"
ok "PyKCS11 is installed" /usr/bin/python3 -c 'import PyKCS11'
shows "it makes a key, signs, verifies, searches and deletes" "^done$" /usr/bin/python3 "$consumers/pykcs11.py"
ok "OpenSSL verifies its signature" openssl dgst -sha256 -verify python.pem -signature python.sig letter
finish
