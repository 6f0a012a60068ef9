#!/usr/bin/env bash
# A short sample of what `make check-faults` does at length; FAULTS has its options.
tests=${TS_SRCDIR:-$(dirname "$0")/..}/tests
[ -n "${PEER_PID:-}" ] || exec "$tests/with-token" "$0"
/usr/bin/python3 -c 'import PyKCS11' 2>/dev/null || { echo "1..0 # SKIP no PyKCS11"; exit 0; }
# Nobody is asked here, and a connection that hangs shall not hold the test: it is noticed before a step is over.
sed -i 's/^timeout: .*/timeout: {connect: 2s, step: 3s, approval: 3s, heartbeat: 500ms, resume: 5s, wait: 3s}/' \
    "$TALLYSTICK_CONF" "$PEER_CONF"
exec ${AS_HOST:-} /usr/bin/python3 "$tests/faults.py" ${FAULTS:-}
