"""QUIC servers: 443 speaks everything, 4433 asks for a Retry first, 8443 speaks version 2 only."""

import asyncio
import pathlib
import sys

from aioquic.asyncio import serve
from aioquic.quic.configuration import QuicConfiguration

VERSION_1, VERSION_2 = 1, 0x6B3343CF
folder = pathlib.Path(sys.argv[1])


def configuration(versions=(VERSION_1, VERSION_2)):
    made = QuicConfiguration(is_client=False, alpn_protocols=["echo"], supported_versions=list(versions))
    made.load_cert_chain(folder / "server.pem", folder / "server.key")
    return made


async def main():
    tickets = {}

    def keep(ticket):
        tickets[ticket.ticket] = ticket

    common = {"session_ticket_handler": keep, "session_ticket_fetcher": lambda label: tickets.pop(label, None)}
    await serve("::", 443, configuration=configuration(), **common)
    await serve("::", 4433, configuration=configuration(), retry=True)
    await serve("::", 8443, configuration=configuration([VERSION_2]))
    (folder / "ready").touch()
    await asyncio.Event().wait()


asyncio.run(main())
