#!/usr/bin/env bash
# The models of docs/model hold, and fail without the rules that they are about.
. "$(dirname "$0")/tap.sh"
model="${TS_SRCDIR:-$(dirname "$0")/..}/docs/model"
model=$(cd "$model" && pwd)
command -v spin >/dev/null || { echo "1..0 # SKIP no spin"; exit 0; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99

# verify FILE [LTL]: exhaustively; nothing is found.
verify() {
    rm -f pan pan.* ./*.trail
    spin -a "$1" >spin.log 2>&1 && gcc -O2 -w -DVECTORSZ=2048 ${2:+-DNFAIR=4} -o pan pan.c || { cat spin.log; return 1; }
    if [ -n "$2" ]; then
        ./pan -m1000000 -a -f -N "$2" >pan.log 2>&1
    else
        ./pan -m1000000 -noclaim >pan.log 2>&1
    fi
    grep -q "errors: 0" pan.log && ! grep -qiE "search not completed|max search depth too small|error: " pan.log ||
        { grep -E "errors:|assertion|acceptance|depth|invalid" pan.log; return 1; }
}
# A copy without the rule that is marked with this word: its branch is never taken, and what it kept from happening
# goes on as if there were no rule.
without() {
    case $1 in
    caching) sed 's|:: known\[which\] -> skip /\* RULE caching.*|:: false -> skip|' "$model/call.pml" ;;
    serial) sed 's|:: !known\[which\] \&\& which <= highest -> .*RULE serial.*|:: false ->|' "$model/call.pml" ;;
    esac >planted.pml
    ! cmp -s planted.pml "$model/call.pml"
}
fails() { without "$1" && ! verify planted.pml && grep -q "assertion violated" pan.log; }

ok "no presignature gets two answers, and no call a wrong one" verify "$model/call.pml"
ok "a call always ends" verify "$model/call.pml" ends
ok "the mobile side is never ahead" verify "$model/commit.pml" never_ahead
ok "after a commit both sides hold the same generation" verify "$model/commit.pml" same
ok "a commit arrives in the end" verify "$model/commit.pml" told
ok "without the caching rule a presignature gets two answers" fails caching
ok "without the rule of serials a presignature gets two answers" fails serial
finish
