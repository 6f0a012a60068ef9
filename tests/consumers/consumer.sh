# What the consumers' scripts share; sourced first. Runs the script again under with-token when there is no token yet;
# WITH_TOKEN holds the options.
if [ -z "${PEER_PID:-}" ]; then
    exec "${TS_SRCDIR:-$(dirname "$0")/../..}/tests/with-token" ${WITH_TOKEN:-} "$0"
fi
case $0 in
*/pkcs11_tool.sh) ;; # with-token has a wrapper for this one
*)
    if ldd "$MODULE" | grep -q libasan; then
        echo "1..0 # SKIP AddressSanitizer's runtime is not in the programs that load the module here"
        exit 0
    fi
    ;;
esac
consumers=$(cd "$(dirname "$0")" && pwd)
. "$consumers/../tap.sh"
cd "$WORK" || exit 99
printf 'a letter\n' >letter
children=()
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'end_children' EXIT

# begin COMMAND...: in the background until the script ends; its pid is the last of children.
begin() {
    "$@" &
    children+=($!)
}

# serve PIPE COMMAND...: the same, its output into a new named pipe, for awaits, and its errors into PIPE.log.
serve() {
    local pipe=$1
    shift
    rm -f "$pipe" && mkfifo "$pipe" || exit 99
    "$@" </dev/null >"$pipe" 2>>"$pipe.log" &
    children+=($!)
}
end_children() {
    [ ${#children[@]} = 0 ] || kill "${children[@]}" 2>/dev/null
    wait
}

# needs PROGRAM...: a lacking program is a failure, never a skipped test.
needs() {
    local program
    for program; do
        ok "$program is installed" bash -c "PATH=\$PATH:/usr/sbin:/sbin command -v $program"
    done
}

# shows NAME WORDS COMMAND...: passes when the command succeeds and its output matches the extended expression WORDS.
shows() {
    local name=$1 words=$2
    shift 2
    ok "$name" shows_words "$words" "$@"
}
shows_words() {
    local words=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    printf '%s\n' "$output"
    [ "$status" = 0 ] && grep -qE -e "$words" <<<"$output"
}

# refused NAME COMMAND...: passes when the command fails.
refused() {
    local name=$1
    shift
    ok "$name" fails "$@"
}
fails() { ! "$@"; }

# make_key LABEL ID [CURVE]
make_key() { as_user --keypairgen --key-type "EC:${3:-prime256v1}" --label "$1" --id "$2"; }

# public_pem ID: the public key into ID.pem
public_pem() { public_key_der "$1" "$1.der" && openssl ec -pubin -inform DER -in "$1.der" -out "$1.pem"; }

# key_uri LABEL: with the PIN in a file
key_uri() { printf 'pkcs11:token=%s;object=%s;type=private?pin-source=file:%s' "$TOKEN" "$1" "$WORK/pin"; }

# free_port: a port of loopback that nobody listens on
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# awaits FILE WORDS: read a named pipe until a line matches the expression; the match is in $matched. What follows is
# thrown away by a reader of its own, so that the writer never blocks. Not in a subshell.
awaits() {
    local line pipe
    matched=
    exec {pipe}<"$1"
    while read -r -t 60 -u "$pipe" line; do
        printf '# %s\n' "$line"
        if [[ $line =~ $2 ]]; then
            matched=${BASH_REMATCH[1]:-$line}
            begin cat <&"$pipe" >/dev/null 2>&1
            exec {pipe}<&-
            return 0
        fi
    done
    exec {pipe}<&-
    return 1
}
