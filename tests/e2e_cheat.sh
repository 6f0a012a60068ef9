#!/usr/bin/env bash
# A peer that cheats: the key is locked for good, on this side and also after a restart.
tests=$(cd "$(dirname "$0")" && pwd)
if [ -z "${PEER_PID:-}" ]; then
    ways="presign-dlog presign-d presign-proof nonce sigma"
    number=0 failed=0
    for way in $ways; do
        while read -r line; do
            case $line in
            ok*) number=$((number + 1)) && echo "ok $number - $way:${line#*-}" ;;
            not\ ok*) number=$((number + 1)) && failed=1 && echo "not ok $number - $way:${line#*-}" ;;
            \#*) echo "$line" ;;
            esac
        done < <("${TS_SRCDIR:-$tests/..}/tests/with-token" --cheat "$way" "$0")
    done
    echo "1..$number"
    [ "$number" = 20 ] && [ "$failed" = 0 ]
    exit
fi
. "$tests/tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter

sign() { as_user --sign --mechanism ECDSA-SHA256 --id 01 --input-file letter --output-file none; }
says "the signature fails" CKR_ sign
ok "nothing came out" bash -c '! [ -s none ]'
ok "the key is locked, with a reason" bash -c '"$TALLYSTICK" list | grep -q "LOCKED: ."'
says "a new process cannot use it" CKR_KEY_FUNCTION_NOT_PERMITTED sign
finish
