"""A WebSocket client that is not ours: connects to a peer, pings it, says nonsense and is closed.

usage: websocket_client.py ADDRESS [CERTIFICATE KEY]; exit status 0 when the peer took the handshake, answered the ping
and closed with 1002; 3 when it refused the connection."""
import asyncio
import ssl
import sys

import websockets

REFUSED = (ssl.SSLError, ConnectionError, OSError, websockets.InvalidStatusCode, websockets.InvalidMessage,
           websockets.ConnectionClosed)


async def talk(address, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    # Compression is offered, as this client does by itself, and not taken.
    async with websockets.connect(f"wss://{address}/tallystick/1", ssl=context, subprotocols=["tallystick.1"],
                                  open_timeout=60, close_timeout=60) as socket:
        assert socket.subprotocol == "tallystick.1" and not socket.extensions
        await asyncio.wait_for(await socket.ping(), 60)
        await socket.send(b"nonsense")
        try:
            await asyncio.wait_for(socket.recv(), 60)
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd and closed.rcvd.code == 1002, closed
            return 0
    return 1


try:
    sys.exit(asyncio.run(talk(sys.argv[1], sys.argv[2:4])))
except REFUSED as error:
    print("refused:", error)
    sys.exit(3)
