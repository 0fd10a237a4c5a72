"""Does known things with NATS servers, and says on standard output what it did and how it went, as it saw it."""

import asyncio
import json
import sys

import nats
from nats.errors import NoRespondersError

HOST = sys.argv[1]
PASSWORD = "wonderland-17"


def did(operation, outcome="ok"):
    print(json.dumps({"protocol": "nats", "operation": operation, "outcome": outcome}))


async def refused(url, **named):
    async def error(_problem):
        pass

    try:
        await nats.connect(url, allow_reconnect=False, max_reconnect_attempts=0, error_cb=error, **named)
        raise SystemExit("the log-in was not refused")
    except nats.errors.Error:
        did("-ERR", "client_error")


async def main():
    print(json.dumps({"also": [["nats", "INFO"], ["nats", "CONNECT"], ["nats", "PING"]], "ordered": False}))
    await refused(f"nats://{HOST}:4222", user="alice", password="rabbit-hole-4")
    await refused(f"nats://{HOST}:4223", token="rabbit-hole-5")
    problems = []

    async def error(problem):
        problems.append(problem)

    client = await nats.connect(f"nats://{HOST}:4222", user="alice", password=PASSWORD)
    worker = await nats.connect(f"nats://{HOST}:4222", user="bob", password="looking-glass-3", error_cb=error)
    arrived = asyncio.Queue()

    async def take(message):
        await arrived.put(message)

    async def answer(message):
        did("HMSG" if message.headers else "MSG")
        await message.respond(b"answer to " + message.data)
        # The library sends the headers of the request back.
        did("HPUB" if message.headers else "PUB")

    await worker.subscribe("open.news.*", cb=take)
    await worker.subscribe("open.jobs", queue="workers", cb=take)
    await worker.subscribe("open.ask", queue="workers", cb=answer)
    did("SUB"), did("SUB"), did("SUB")
    await worker.flush()
    for subject, headers in (("open.news.a", None), ("open.news.b", {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}), ("open.jobs", None), ("open.nobody", {"X": "y"})):
        await client.publish(subject, b"x" * 100, headers=headers)
        did("HPUB" if headers else "PUB")
    await client.publish("open.jobs", b"z" * 60_000)
    did("PUB")
    for _ in range(4):
        message = await asyncio.wait_for(arrived.get(), 5)
        did("HMSG" if message.headers else "MSG")
    # The library subscribes to its inbox once.
    did("SUB")
    for n in range(20):
        await client.request("open.ask", b"%d" % n, timeout=5, headers={"n": str(n)} if n % 5 == 0 else None)
        did("HPUB" if n % 5 == 0 else "PUB")
    await asyncio.gather(*(client.request("open.ask", b"at once", timeout=5) for _ in range(10)))
    for _ in range(10):
        did("PUB")
    try:
        await client.request("open.silence", b"", timeout=5)
        raise SystemExit("somebody answered")
    except NoRespondersError:
        did("PUB", "server_error")
    await worker.publish("closed", b"x")
    did("PUB")
    await worker.flush()
    for _ in range(50):
        await asyncio.sleep(0.1)
        if problems:
            break
    assert problems, "the publication was not refused"
    did("-ERR", "client_error")
    once = await client.subscribe("open.once")
    did("SUB")
    await once.unsubscribe()
    did("UNSUB")
    await client.flush()
    await client.close()
    await worker.close()

    client = await nats.connect(f"nats://{HOST}:4223", token="wonderland-18")
    await client.publish("by.token", b"")
    did("PUB")
    await client.flush()
    await client.close()


asyncio.run(main())
