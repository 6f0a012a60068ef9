#!/usr/bin/env bash
# Who may include whom (docs/architecture.md), read from the #include lines.
. "$(dirname "$0")/tap.sh"
cd "${TS_SRCDIR:-$(dirname "$0")/..}" || exit 99

declare -A may=(
    [base]="base"
    [mpc]="mpc base"
    [transport]="transport base"
    [store]="store base"
    [session]="session mpc transport store base"
    [pkcs11]="pkcs11 session store base"
    [peer]="peer session store transport base"
    [server]="server session store base"
    [tools]="tools session store base"
)

# Own headers that files of a folder include, beyond what it may.
strangers() {
    local folder=$1 found
    found=$(grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$folder"/*.[ch] 2>/dev/null |
        sed -E 's|^([^:]+:[0-9]+):[^"]*"([^"]*)".*|\1 \2|' |
        while read -r place header; do
            case $header in */*) ;; *) continue ;; esac
            [[ " ${may[$folder]} " == *" ${header%%/*} "* ]] || [ "$folder $header" = "server pkcs11/cryptoki.h" ] ||
                [ "$folder $header" = "server pkcs11/tallystick.h" ] || echo "$place includes $header"
        done)
    [ -z "$found" ] || { echo "$found" && return 1; }
}
# includes PATTERN FILES...: no file but the allowed ones has it.
only_in() {
    local header=$1 allowed=$2 folders=$3 found
    found=$(grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$header" $(for f in $folders; do ls "$f"/*.[ch]; done 2>/dev/null) | grep -vE "^($allowed)$")
    [ -z "$found" ] || { echo "$found" && return 1; }
}

for folder in base mpc transport store session pkcs11 peer server tools; do
    [ -n "$(ls "$folder"/*.[ch] 2>/dev/null)" ] || continue
    ok "$folder includes only ${may[$folder]}" strangers "$folder"
done
every="base mpc transport store session pkcs11 peer server tools"
ok "gmp.h is only in mpc's numbers" only_in 'gmp\.h' 'mpc/num[a-z_]*\.[ch]' "$every"
ok "OpenSSL's curves are only in one file of mpc's points" only_in 'openssl/(ec|ecdsa)\.h' 'mpc/point_openssl\.c' mpc
ok "libsecp256k1 is only in one file of mpc's points" only_in 'secp256k1[a-z0-9_]*\.h' 'mpc/point_secp256k1\.c' "$every"
ok "mpc has no sockets, files or clocks; threads only in the search of primes" only_in '(sys/socket|netinet/.*|fcntl|pthread|time|unistd|syslog)\.h' 'mpc/prime(_[a-z]+)?\.[ch]' mpc
finish
