#!/usr/bin/env bash
# Nobody answers at the peer: the caller is told after the approval's deadline.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" --peer-approval never "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter

sign() { as_user --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file none; }
says "nobody decides about a signature" CKR_FUNCTION_CANCELED sign
says "nor about a key" CKR_FUNCTION_CANCELED as_user --keypairgen --key-type EC:prime256v1 --label no --id 02
ok "no key is locked" bash -c '! "$TALLYSTICK" list --json | grep -q "\"locked\": true"'
finish
