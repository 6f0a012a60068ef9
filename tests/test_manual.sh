#!/usr/bin/env bash
# The manual pages and the completions name the options that the programs know, no more and no fewer.
. "$(dirname "$0")/tap.sh"
build=${TS_BUILDDIR:-$(dirname "$0")/../build}
source=${TS_SRCDIR:-$(dirname "$0")/..}
manual=$source/docs/man
work=$(mktemp -d "${TMPDIR:-/tmp}/tallystick-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT

# words FILE: the long options in it, one a line
words() { grep -oE -- '(^|[^a-zA-Z-])--[a-z][a-z-]+' "$1" | grep -oE -- '--[a-z-]+' | sort -u; }
commands() { "$build/$1" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'; }
helped() {
    "$build/$1" --help | words /dev/stdin
    local command
    for command in $(commands "$1"); do "$build/$1" "$command" --help | words /dev/stdin; done
}
documented() { sed -n 's/^\.It Fl.* Fl -\([a-z-]*\).*/--\1/p; s/^\.It Fl -\([a-z-]*\).*/--\1/p' "$1" | sort -u; }
same_options() { diff <(helped "$1" | sort -u) <(documented "$manual/$2.1"); }
same_commands() { diff <(commands "$1" | sort) <(sed -n 's/^\.It Cm \([a-z]*\).*/\1/p' "$manual/$2.1" | sort); }
same_keys() { diff <(sed -n 's/^| `\([^`]*\)` |.*/\1/p' "$source/docs/configuration.md") <(sed -n 's/^\.It Li "\(.*\)"/\1/p' "$manual/tallystick.yaml.5"); }
# Warnings about dates and other machines' pages are not ours.
clean_page() { ! mandoc -T lint -W warning "$1" | grep .; }
completes() {
    local option
    for option in $(helped "$1" | sort -u); do
        grep -qE -e "[^a-z-]${option}([^a-z-]|\$)" "$source/docs/completion/$2" || { echo "$2 lacks $option" && return 1; }
    done
}
completes_commands() {
    local command
    for command in $(commands "$1"); do
        grep -qE -e "\b$command\b" "$source/docs/completion/$2" || { echo "$2 lacks $command" && return 1; }
    done
}

for program in tools/tallystick peer/tallystick-peer server/tallystick-server; do
    name=$(basename "$program")
    ok "$name: the manual has its options" same_options "$program" "$name"
    ok "$name: and its commands" same_commands "$program" "$name"
    for shell in bash zsh; do
        ok "$name: $shell completes its options" completes "$program" "tallystick.$shell"
        ok "$name: $shell completes its commands" completes_commands "$program" "tallystick.$shell"
    done
done
ok "tallystick.yaml: the manual has the keys of configuration.md" same_keys
for page in "$manual"/*.[157]; do
    ok "$(basename "$page") is well formed" clean_page "$page"
done
ok "bash reads its completion" bash -n "$source/docs/completion/tallystick.bash"
ok "zsh reads its completion" zsh -n "$source/docs/completion/tallystick.zsh"
finish
