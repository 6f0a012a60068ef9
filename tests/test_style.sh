#!/usr/bin/env bash
# The rules of style that a machine can check.
. "$(dirname "$0")/tap.sh"
cd "${TS_SRCDIR:-$(dirname "$0")/..}" || exit 99
folders="base mpc transport store session pkcs11 peer server tools tests"
sources=$(find $folders -name '*.[ch]' | sort)

none() { [ -z "$1" ] || { echo "$1" && return 1; }; }
long_files() { none "$(wc -l $sources | awk '$2 != "total" && $1 > 600 { print $2 " has " $1 " lines" }')"; }
# A function's body begins and ends with a brace in the first column.
long_functions() {
    none "$(awk 'FNR == 1 { start = 0 } /^{/ { start = FNR } /^}/ { if (start && FNR - start > 80) print FILENAME ":" start " has " FNR - start " lines"; start = 0 }' $sources)"
}
names() { none "$(printf '%s\n' $sources | grep -E '/(util|utils|common|misc|helper|helpers)\.[ch]$')"; }
marks() { none "$(grep -nE '\b(TO''DO|FIX''ME|X''XX)\b|not (yet )?implemented' $sources)"; }
places() { none "$(grep -nE '"/(wo''rk|ro''ot|ho''me)/' $sources)"; }
dozing() { none "$(grep -nE '\b(usleep|nanosleep|sleep) ?\(|^[^#]*\bsleep [0-9]' tests/*.[ch] tests/*.sh tests/with-token tests/demonstration)"; }
output() { none "$(grep -nE '\b(printf|puts|putchar) ?\(' base/buffer.c base/env.c base/error.c base/secret.c mpc/*.c transport/*.c store/*.c pkcs11/*.c $(ls session/*.c | grep -vE 'prime_fill|sessions_show'))"; }
formatted() { clang-format --dry-run -Werror $sources; }

ok "no file has more than 600 lines" long_files
ok "no function has more than 80" long_functions
ok "no file is called after nothing" names
ok "nothing is left for later" marks
ok "no place of one machine" places
ok "no test sleeps" dozing
ok "the library prints nothing" output
if command -v clang-format >/dev/null; then
    ok "clang-format agrees" formatted
fi
finish
