#!/usr/bin/env bash
# Every test that the table of attacks in docs/protocol.md names exists, and every check has its entry in the list of mutations.
. "$(dirname "$0")/tap.sh"
cd "${TS_SRCDIR:-$(dirname "$0")/..}" || exit 99

# The rows of the table: its first and its last column.
rows() { sed -n '/^| attack | stopped by | seen in |/,/^$/p' docs/protocol.md | sed 1,2d | grep '^|'; }

# exists NAME: a script, PROGRAM:CASE, mutations:ID or vectors:WORDS.
exists() {
    local kind=${1%%:*} name=${1#*:}
    case $1 in
    mutations:*) grep -qx "id: $name" tests/mutations.txt ;;
    vectors:*) grep -q "\"why\": \".*$name" tests/vectors/*.json ;;
    *:*) grep -q "START_TEST($name)" "tests/$kind.c" ;;
    *) [ -x "tests/$1" ] ;;
    esac || { echo "there is no $1" && return 1; }
}

all_exist() {
    local name failed=0 count=0
    while IFS= read -r name; do
        count=$((count + 1))
        exists "$name" || failed=1
    done < <(rows | sed 's/.*|\([^|]*\)|$/\1/' | grep -o '`[^`]*`' | tr -d '`')
    echo "$count names"
    [ "$failed" = 0 ] && [ "$count" -gt 30 ]
}

# A row without a test is a promise.
each_row_has_one() {
    local bare
    bare=$(rows | grep -v '`[^`]*` *|$')
    [ -z "$bare" ] || { echo "$bare" && return 1; }
}

# A number of a check in docs/protocol-equations.md 4 with which no entry begins.
sections_have_entries() {
    local section failed=0
    for section in $(sed -n 's/^### \(4\.[0-9]\) .*/\1/p' docs/protocol-equations.md); do
        grep -q "^check: $section " tests/mutations.txt || { echo "no entry for $section" && failed=1; }
    done
    [ "$failed" = 0 ]
}

ok "each attack has a test" each_row_has_one
ok "each test in the table of attacks exists" all_exist
ok "a name that nothing has is found" bash -c "$(declare -f exists); ! exists test_pair:no_such_case && ! exists mutations:no-such-check && ! exists no_such.sh"
ok "each proof has entries in the list of mutations" sections_have_entries
ok "each entry of the list of mutations finds its place" env TS_SRCDIR=. TS_BUILDDIR=. python3 tests/mutate.py --places
ok "so does each of the server's" env TS_SRCDIR=. TS_BUILDDIR=. MUTATION_LIST=tests/mutations_server.txt python3 tests/mutate.py --places
ok "each planted leak finds its place" env TS_SRCDIR=. TS_BUILDDIR=. MUTATION_LIST=tests/ct/planted.txt python3 tests/mutate.py --places
finish
