#!/usr/bin/env bash
# The person says no: neither signature nor key, and nothing is locked.
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" --peer-approval refuse "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter

# OpenSC has no name for CKR_FUNCTION_REJECTED.
rejected='(0x200)'
sign() { as_user --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file none; }
says "a signature is refused" "$rejected" sign
says "and again: a refusal locks nothing" "$rejected" sign
says "a new key is refused" "$rejected" as_user --keypairgen --key-type EC:prime256v1 --label no --id 02
ok "no half is left of it" bash -c '"$TALLYSTICK" list --json | grep -c "\"curve\": " | grep -qx 1'
ok "no key is locked" bash -c '! "$TALLYSTICK" list --json | grep -q "\"locked\": true"'
finish
