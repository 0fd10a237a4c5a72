"""Sends every message back, and a greeting before."""

import asyncio

from websockets.asyncio.server import serve


async def talk(connection):
    await connection.send("welcome")
    async for message in connection:
        if message == "fail":
            await connection.close(1011, "asked to")
            return
        await connection.send(message)


async def main():
    async with serve(talk, "0.0.0.0", 8765, ping_interval=None, max_size=None) as server:
        await server.serve_forever()


asyncio.run(main())
