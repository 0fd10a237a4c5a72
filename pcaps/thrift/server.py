"""A shop on every port of kinds.py."""

import pathlib
import sys
import threading

from kinds import KINDS, SEVERAL
from shop import Shop
from shop.ttypes import Item, NoSuchItem, Price
from thrift.server.TServer import TThreadedServer
from thrift.TMultiplexedProcessor import TMultiplexedProcessor
from thrift.transport.TSocket import TServerSocket


def item(name):
    prices = {"eu": Price(1.5, "EUR", True, 19), "us": Price(2.5, "USD", False, 0)}
    return Item(name, 1 << 40, ["a", "b" * 300], prices, {1, 2, 300}, 2, [[1, 2], [], [3]], True, b"\0" * 1000, {1: True, 2: False})


class Handler:
    def get(self, name):
        if name == "nothing":
            raise NoSuchItem(name)
        return item(name)

    def put(self, item, replace):
        return len(item.name)

    def clear(self):
        pass

    def visit(self, page):
        pass

    def all(self, count):
        return [item(str(n)) for n in range(count)]

    def fail(self):
        raise ValueError("broken")


for port, (transport, protocol) in KINDS.items():
    processor = Shop.Processor(Handler())
    if port == SEVERAL:
        several = TMultiplexedProcessor()
        several.registerProcessor("shop", processor)
        processor = several
    server = TThreadedServer(processor, TServerSocket("0.0.0.0", port), transport(), protocol(), daemon=True)
    threading.Thread(target=server.serve, daemon=True).start()
pathlib.Path(sys.argv[1]).touch()
threading.Event().wait()
