"""Opens QUIC connections, and says how each handshake ended for this side."""

import asyncio
import json
import pathlib
import sys

from aioquic.asyncio.client import connect
from aioquic.quic.configuration import QuicConfiguration
from aioquic.tls import Group

VERSION_1, VERSION_2 = 1, 0x6B3343CF
server, folder = sys.argv[1], pathlib.Path(sys.argv[2])


def say(outcome):
    print(json.dumps({"protocol": "quic", "operation": "handshake", "outcome": outcome}))


async def shake(port=443, version=VERSION_1, protocols=("echo",), known=True, ticket=None, refused="server_error", again=None):
    """A connection with an echo over it; gives the session ticket. `again`: a first attempt that ended so."""
    made = QuicConfiguration(is_client=True, alpn_protocols=list(protocols), server_name="www.example.test", session_ticket=ticket)
    made.original_version = version
    made.supported_versions = [version] + [v for v in (VERSION_1, VERSION_2) if v != version]
    if known:
        made.load_verify_locations(folder / "server.pem")
    tickets = []
    if again is not None:
        say(again)
    try:
        async with asyncio.timeout(5):
            async with connect(server, port, configuration=made, session_ticket_handler=tickets.append) as connection:
                await connection.ping()
                await asyncio.sleep(0.05)
        say("ok")
    except (ConnectionError, TimeoutError):
        say(refused)
    return tickets[0] if tickets else None


async def main():
    ticket = await shake()
    await shake(ticket=ticket)
    await shake(version=VERSION_2)
    await shake(port=4433)
    await shake(protocols=["p%03d-a-protocol-nobody-knows" % n for n in range(60)] + ["echo"])
    await shake(port=8443, version=VERSION_1, again="client_error")
    await shake(protocols=["other"])
    await shake(known=False, refused="client_error")


asyncio.run(main())
