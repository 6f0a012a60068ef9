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

# public_key_der ID FILE: SubjectPublicKeyInfo from the public key's attributes. Not by --read-object: OpenSC 0.23 uses freed memory there,
# on any token.
public_key_der() {
    tool -O --type pubkey 2>/dev/null | python3 -c '
import re, sys

objects = sys.stdin.read().split("Public Key Object")
text = next(one for one in objects if re.search(r"ID:\s*" + sys.argv[1] + r"\s", one))

def attribute(name):
    return bytes.fromhex(re.search(name + r":\s*([0-9a-f]+)", text).group(1))

def der(tag, body):
    size = len(body)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x81, size])) + body

point = attribute("EC_POINT")
point = point[3:] if point[1] == 0x81 else point[2:]
algorithm = der(0x30, bytes.fromhex("06072a8648ce3d0201") + attribute("EC_PARAMS"))
sys.stdout.buffer.write(der(0x30, algorithm + der(0x03, b"\0" + point)))
' "$1" >"$2"
}
