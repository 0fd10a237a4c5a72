"""The second service of the chain as one event loop: many requests wait in one thread at the same time.

Usage: shop_loop.py PORT. Answers GET /order/ID after it has asked the third service for /stock/ID twice, with a short
pause between for every other request. What is read in one round of the loop is answered in a later one, so the order
of system calls does not say what belongs to what.
"""

import asyncio
import os
import sys

HOST, STOCK_PORT = os.environ["STOCK_ADDRESS"].split(":")
idle = []


async def read_message(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head, await reader.readexactly(length)


async def ask_stock(order):
    reader, writer = idle.pop() if idle else await asyncio.open_connection(HOST, int(STOCK_PORT))
    writer.write(b"GET /stock/%s HTTP/1.1\r\nHost: stock\r\n\r\n" % order)
    _, body = await read_message(reader)
    idle.append((reader, writer))
    return body.strip()


async def serve(reader, writer):
    try:
        while True:
            head, _ = await read_message(reader)
            order = head.split(b" ")[1].rsplit(b"/", 1)[1]
            first = await ask_stock(order)
            if order[-1] % 2 == 0:
                await asyncio.sleep(0.005)
            body = first + b" " + await ask_stock(order)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", int(sys.argv[1]), backlog=256)
    await server.serve_forever()


asyncio.run(main())
