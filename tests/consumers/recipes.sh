#!/usr/bin/env bash
# The recipes of docs/consumers.md are what the scripts run: the first word of each of their lines and each option is in the script
# that the section names.
. "$(dirname "$0")/../tap.sh"
cd "${TS_SRCDIR:-$(dirname "$0")/../..}" || exit 99
document=docs/consumers.md

named() { sed -n 's/^<!-- \(tests\/consumers\/.*\) -->$/\1/p' "$document"; }
recipe() { awk -v mark="<!-- $1 -->" '/^## / { on = 0 } $0 == mark { on = 1 } on && /^    /' "$document" | sed 's/#.*//'; }
# The program or key that begins a line, and the options; a continued line begins deeper.
words() {
    recipe "$1" | sed -n 's/^    \([^ =;]\+\).*/\1/p' | grep -E '[a-z]' | tr -d "[]'"
    recipe "$1" | grep -oE -- '(^| )-{1,2}[a-zA-Z][a-zA-Z0-9-]*' | tr -d ' '
}
# What a script runs is in itself, in what all of them share, and in what stands beside it under its name.
text() { cat "$1" "${1%.sh}".[cp]* tests/consumers/consumer.sh tests/consumers/openssl_engine.sh tests/tap.sh 2>/dev/null; }
is_run() {
    local word missing=0
    [ -n "$(words "$1")" ] || [ "$1" = tests/consumers/pykcs11.sh ] || { echo "no recipe" && return 1; }
    for word in $(words "$1" | sort -u); do
        text "$1" | grep -qE -- "(^|[^a-zA-Z0-9-])${word//./\\.}([^a-zA-Z0-9-]|\$)" || { echo "$1 does not have $word" && missing=1; }
    done
    [ "$missing" = 0 ]
}
each_is_named() {
    local script
    for script in tests/consumers/*.sh; do
        case $script in */consumer.sh | */openssl_engine.sh | */recipes.sh) continue ;; esac
        named | grep -qx "$script" || { echo "$document does not name $script" && return 1; }
    done
}

ok "each script has its recipe" each_is_named
for script in $(named); do
    ok "the recipe of $(basename "$script")" is_run "$script"
done
ok "a word that no script has is found" bash -c "$(declare -f text); ! text tests/consumers/openssl.sh | grep -q -- --no-such-option"
finish
