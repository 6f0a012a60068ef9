#!/usr/bin/env bash
# Another program reads our HTTP upgrade and our frames, as they are before TLS: every one of them is well-formed.
. "$(dirname "$0")/tap.sh"
{ command -v tshark && command -v text2pcap; } >/dev/null || { echo "1..0 # SKIP no tshark"; exit 0; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
"${TS_BUILDDIR:-.}/tests/plain_frames" >"$work/frames.txt" || exit 99
# In packets of at most 60000 bytes, which IP can carry.
capture() {
    python3 - "$work/frames.txt" >"$work/packets.txt" <<'END'
import sys
packets = []
for line in open(sys.argv[1]):
    if line.strip() in "IO":
        packets.append((line.strip(), []))
    else:
        packets[-1][1].extend(line.split()[1:])
for direction, data in packets:
    for at in range(0, len(data), 60000):
        part = data[at:at + 60000]
        for i in range(0, len(part), 16):
            print(*([direction] if i == 0 else []), "%06x" % i, *part[i:i + 16])
END
    text2pcap -q -D -T 40000,8083 "$work/packets.txt" "$work/frames.pcap"
}
fields() { tshark -n -r "$work/frames.pcap" -d tcp.port==8083,http -T fields "$@" 2>/dev/null; }
upgraded() { fields -e http.response.code | grep -qx 101; }
opcodes() { [ "$(fields -Y websocket -e websocket.opcode | tr '\n,' '  ' | tr -s ' ')" = "2 2 2 9 10 8 8 " ]; }
masks() { [ "$(fields -Y websocket -e websocket.mask | tr '\n,' '  ' | tr -s ' ')" = "1 0 1 1 0 1 0 " ]; }
lengths() { fields -Y websocket -e websocket.payload_length_ext_16 -e websocket.payload_length_ext_64 | grep -q '[0-9]'; }
well_formed() { [ -z "$(fields -Y '_ws.malformed || _ws.expert.severity >= "Error"' -e frame.number)" ]; }

ok "the frames become a capture" capture
ok "the upgrade is understood" upgraded
ok "every frame is found: three messages, ping and pong, close from both sides" opcodes
ok "the dialler masks, the listener does not" masks
ok "the long lengths are read" lengths
ok "nothing is malformed" well_formed
finish
