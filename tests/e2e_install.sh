#!/usr/bin/env bash
# What `make install` puts where: p11-kit finds the module by its .module file.
. "$(dirname "$0")/tap.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/tallystick-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
build=${TS_BUILDDIR:?}
config() { sed -n "s/^$1 = //p" "$build/Makefile" | head -n 1; }
modules=$(config p11modulesdir) configs=$(config p11configsdir)

install() { env -u MAKEFLAGS -u MAKELEVEL make -C "$build" install DESTDIR="$work"; }
ok "make install" install
ok "the module is in p11-kit's folder" test -f "$work$modules/tallystick-pkcs11.so"
ok "and its .module file" test -f "$work$configs/tallystick.module"
ok "the programs are installed" bash -c "find $work -path '*/bin/tallystick' -o -path '*/bin/tallystick-peer' | wc -l | grep -qx 2"
ok "the cheating peer is not" bash -c "! find $work -name '*cheat*' | grep -q ."
ok "only the entry points are exported" bash -c "nm -D --defined-only $work$modules/tallystick-pkcs11.so | awk '{ print \$3 }' | sed 's/@.*//' | grep -v '^TALLYSTICK' | sort | tr '\n' ' ' | grep -qx 'C_GetFunctionList C_GetInterface C_GetInterfaceList '"

# A user's own configuration names the installed file, as the system's would after an installation without DESTDIR.
mkdir -p "$work/home/.config/pkcs11/modules"
sed "s|^module:.*|module: $work$modules/tallystick-pkcs11.so|" "$work$configs/tallystick.module" \
    >"$work/home/.config/pkcs11/modules/tallystick.module"
printf 'user-config: only\n' >"$work/home/.config/pkcs11/pkcs11.conf"
# p11-kit does not read a user's configuration as root: then somebody else looks.
as_somebody=()
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$work"
    mkdir "$work/state"
    chown -R 65534:65534 "$work/home" "$work/state"
    as_somebody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
listed() {
    HOME=$work/home XDG_CONFIG_HOME=$work/home/.config XDG_STATE_HOME=$work/state \
        "${as_somebody[@]}" p11-kit list-modules | grep -A3 '^tallystick'
}
# AddressSanitizer's runtime, preloaded, starts inside newlocale of p11-kit's own start, and leaves its lock broken.
if ldd "$work$modules/tallystick-pkcs11.so" | grep -q libasan; then
    ok "p11-kit lists it # SKIP not with AddressSanitizer" true
else
    ok "p11-kit lists it" listed
fi
finish
