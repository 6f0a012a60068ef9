#!/usr/bin/env bash
# Loading the module, signing and unloading it leaves nothing behind (valgrind's memcheck; what SoftHSM loses is its own).
[ -n "${PEER_PID:-}" ] || exec "${TS_SRCDIR:-$(dirname "$0")/..}/tests/with-token" "$0"
. "$(dirname "$0")/tap.sh"
cd "$WORK" || exit 99
cycle=${TS_BUILDDIR:-$(dirname "$0")/../build}/tests/module_cycle
if ldd "$MODULE" | grep -q libasan; then
    echo "1..0 # SKIP a sanitizer is built in, which does not go with valgrind"
    exit 0
fi
cat >softhsm.supp <<'SUPP'
{
   what the test HSM loses
   Memcheck:Leak
   ...
   obj:*/libsofthsm2.so
}
SUPP
as_user --keypairgen --key-type EC:prime256v1 --label one --id 01 >/dev/null 2>&1
checked() {
    G_SLICE=always-malloc valgrind --quiet --trace-children=no --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect --num-callers=40 --keep-debuginfo=yes --suppressions=softhsm.supp --error-exitcode=9 \
        "$cycle" "$1"
}
ok "one cycle without an error or a leak" checked 1
ok "three cycles in one process" checked 3
ok "and valgrind would have said so" bash -c '! valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9 '"$(dirname "$cycle")"'/leaky'
finish
