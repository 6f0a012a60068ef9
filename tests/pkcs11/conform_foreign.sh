#!/usr/bin/env bash
# The conformance program on SoftHSM2: a check that fails on both modules is a wrong check.
build=${TS_BUILDDIR:-.}
here=${TS_SRCDIR:-$(dirname "$0")/../..}/tests/pkcs11
exec env -u MODULE -u WORK "$here/with-softhsm" "$build/tests/pkcs11/conform"
