#!/usr/bin/env python3
"""tls_load.py SOCKET CA CLIENTS CONNECTIONS: each client makes that many full TLS handshakes, one after the other, and
one request on each; all must succeed. Prints the answers."""
import socket
import ssl
import sys
import threading

path, authority, clients, connections = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
answers, failures = [], []


def ask():
    context = ssl.create_default_context(cafile=authority)
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(120)
        plain.connect(path)
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while part := tls.recv(4096):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.splitlines()[0]:
        raise ValueError(answer)
    return body.decode().strip()


def client():
    for _ in range(connections):
        try:
            answers.append(ask())
        except (OSError, ValueError) as error:
            failures.append(repr(error))


threads = [threading.Thread(target=client) for _ in range(clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("\n".join(answers + failures))
sys.exit(1 if failures or len(answers) != clients * connections else 0)
