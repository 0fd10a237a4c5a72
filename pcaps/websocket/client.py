"""Does known things over WebSocket, and says on standard output what it sent and got, as it saw it."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

URL = f"ws://{sys.argv[1]}:8765/chat/42"
done = []


def saw(operation, outcome="ok", protocol="websocket"):
    done.append({"protocol": protocol, "operation": operation, "outcome": outcome})


def kind(message):
    return "TEXT" if isinstance(message, str) else "BINARY"


async def got(connection):
    saw(kind(await connection.recv()))


async def talk(compression, last):
    headers = {"Authorization": "Bearer wonderland-17", "Cookie": "id=wonderland-17"}
    async with connect(URL, ping_interval=None, compression=compression, max_size=None, additional_headers=headers) as connection:
        saw("GET", protocol="http")
        await got(connection)
        for message in ["hello", b"\x00\x01", "x" * 200, b"y" * 70_000, ["in ", "three ", "parts"], ""]:
            saw(kind(message[0] if isinstance(message, list) else message))
            await connection.send(message)
            await got(connection)
        saw("PING")
        await (await connection.ping(b"are you there"))
        await asyncio.sleep(0.05)
        if last == "fail":
            saw("TEXT")
            await connection.send("fail")
            try:
                await connection.recv()
            except ConnectionClosed as closed:
                saw("CLOSE", "server_error" if closed.rcvd.code == 1011 else "ok")
        else:
            saw("CLOSE")


async def main():
    await talk(None, "fail")
    await talk("deflate", "close")
    await talk(None, "close")


asyncio.run(main())
# A connection that is joined in the middle says nothing about what is spoken on it.
print(json.dumps({"joined": {"missing": len(done)}}))
for operation in done:
    print(json.dumps(operation))
