"""A WebSocket client of the stream of events: server_events.py ADDRESS TOKEN KEY.

Opens the stream, then asks for a signature, and reads until that session has ended: every step in its order."""
import asyncio, json, ssl, sys, urllib.request, websockets

address, token, key = sys.argv[1:4]
context = ssl.create_default_context(cafile="server.pem")


def sign():
    request = urllib.request.Request("https://%s/api/v1/sign/two-party" % address,
                                     json.dumps({"key": key, "message": "seen", "wait": 0}).encode(),
                                     {"Authorization": "Bearer alice-token", "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, context=context, timeout=120))["session_id"]


def look(session):
    request = urllib.request.Request("https://%s/api/v1/sessions/%s" % (address, session),
                                     headers={"Authorization": "Bearer " + token})
    return json.load(urllib.request.urlopen(request, context=context, timeout=120))


async def watch():
    url = "wss://%s/api/v1/events" % address
    async with websockets.connect(url, ssl=context, extra_headers={"Authorization": "Bearer " + token}) as stream:
        first = json.loads(await asyncio.wait_for(stream.recv(), 60))
        assert first["type"] == "open", first
        session = await asyncio.get_running_loop().run_in_executor(None, sign)
        events = []
        while not events or events[-1]["step"] not in ("COMPLETED", "FAILED"):
            event = json.loads(await asyncio.wait_for(stream.recv(), 60))
            if event["session_id"] == session:
                events.append(event)
        # Whoever hears of the end can have the signature.
        ended = await asyncio.get_running_loop().run_in_executor(None, look, session)
        assert ended["status"] == "COMPLETED" and ended["result"]["signature"]["der"], ended
    # Again from the place where the first stream began: the same, and nothing else.
    async with websockets.connect("%s?after=%d" % (url, first["number"]), ssl=context,
                                  extra_headers={"Authorization": "Bearer " + token}) as stream:
        await asyncio.wait_for(stream.recv(), 60)
        again = []
        while len(again) < len(events):
            event = json.loads(await asyncio.wait_for(stream.recv(), 60))
            if event["session_id"] == session:
                again.append(event)
    assert again == events
    numbers = [event["number"] for event in events]
    assert numbers == sorted(set(numbers)), numbers
    print(" ".join(event["step"] for event in events))
    open("session", "w").write(session)


asyncio.run(watch())
