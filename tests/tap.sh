# TAP for shell tests; sourced. Needs bash.
count=0 failures=0

# ok NAME COMMAND...: passes when the command succeeds; its output is shown when not.
ok() {
    local name=$1 output
    shift
    count=$((count + 1))
    if output=$("$@" 2>&1); then
        echo "ok $count - $name"
    else
        failures=$((failures + 1))
        echo "not ok $count - $name"
        printf '%s\n' "$output" | tail -n 20 | sed 's/^/# /'
    fi
}

# says NAME WORDS COMMAND...: passes when the command fails and its output has the words.
says() {
    local name=$1 words=$2 output
    shift 2
    count=$((count + 1))
    if output=$("$@" 2>&1); then
        failures=$((failures + 1))
        echo "not ok $count - $name (it succeeded)"
    elif [[ $output == *"$words"* ]]; then
        echo "ok $count - $name"
    else
        failures=$((failures + 1))
        echo "not ok $count - $name"
        printf '%s\n' "wanted: $words" "$output" | tail -n 20 | sed 's/^/# /'
    fi
}

finish() {
    echo "1..$count"
    [ "$failures" = 0 ]
    exit
}

tool() { pkcs11-tool --module "$MODULE" --token-label "$TOKEN" "$@"; }
as_user() { tool --login --pin "$PIN" "$@"; }
