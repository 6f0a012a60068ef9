#!/bin/sh
# The module exports its three entry points and nothing else: a host process may have any other symbol of its own.
module=${TS_PKCS11_MODULE:-$TS_BUILDDIR/pkcs11/.libs/tallystick-pkcs11.so}
echo 1..2
got=$(nm -D --defined-only "$module" | awk '{ print $3 }' | sort | tr '\n' ' ')
if test "$got" = "C_GetFunctionList C_GetInterface C_GetInterfaceList "; then
	echo "ok 1 - exports exactly three functions"
else
	echo "not ok 1 - exports: $got"
fi
if nm -D "$module" | grep -E ' [UuVvWw] (atexit|on_exit|pthread_atfork)$' >/dev/null; then
	echo "not ok 2 - no exit or fork handlers, which would outlive dlclose"
else
	echo "ok 2 - no exit or fork handlers, which would outlive dlclose"
fi
