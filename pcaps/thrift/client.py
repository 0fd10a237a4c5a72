"""Calls everything on every port, and says how each call ended for this side."""

import json
import sys

from kinds import KINDS, SEVERAL
from shop import Bigger
from shop.ttypes import Item, NoSuchItem
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport.TSocket import TSocket

OURS = {TApplicationException.UNKNOWN_METHOD}


def call(client, name, *arguments):
    try:
        getattr(client, name)(*arguments)
        outcome = "ok"
    except NoSuchItem:
        outcome = "server_error"
    except TApplicationException as error:
        outcome = "client_error" if error.type in OURS else "server_error"
    print(json.dumps({"protocol": "thrift", "operation": name, "outcome": outcome}))


for port, (transport, protocol) in KINDS.items():
    wire = transport().getTransport(TSocket(sys.argv[1], port))
    spoken = protocol().getProtocol(wire)
    client = Bigger.Client(TMultiplexedProtocol(spoken, "shop") if port == SEVERAL else spoken)
    spoken.trans.open()
    call(client, "get", "hammer")
    call(client, "get", "nothing")
    call(client, "put", Item(name="x" * 40_000, tags=["t"] * 100), True)
    call(client, "visit", "/start")
    call(client, "clear")
    call(client, "all", 20)
    call(client, "fail")
    call(client, "newer", "?")
    call(client, "all", 0)
    spoken.trans.close()
