"""openvpn_pin.py SOCKET: listens where OpenVPN's management interface will connect, says "ready", and answers each question for a
PIN with the one in the environment."""
import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
print("ready", flush=True)
connection, _ = listener.accept()
stream = connection.makefile("rw")
for line in stream:
    if line.startswith(">PASSWORD:Need"):
        what = line.split("'")[1]
        stream.write(f'password "{what}" {os.environ["PIN"]}\n')
        stream.flush()
