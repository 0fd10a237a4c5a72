"""Does known things with a memcached server, and says on standard output what it did and how it went, as it saw it."""

import json
import socket
import struct
import sys

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheClientError, MemcacheServerError

HOST = sys.argv[1]


def did(operation, outcome="ok"):
    print(json.dumps({"protocol": "memcached", "operation": operation, "outcome": outcome}))


def call(operation, what, *arguments, **named):
    try:
        what(*arguments, **named)
        did(operation)
    except MemcacheClientError:
        did(operation, "client_error")
    except MemcacheServerError:
        did(operation, "server_error")


client = Client((HOST, 11211), default_noreply=False)
call("version", client.version)
call("set", client.set, "user:7", "alice", expire=100)
call("get", client.get, "user:7")
call("get", client.get, "nobody")
call("add", client.add, "user:7", "again")
call("replace", client.replace, "user:7", "bob")
call("append", client.append, "user:7", "by")
call("prepend", client.prepend, "user:7", "b\r\n")
call("incr", client.incr, "user:7", 1)
call("set", client.set, "n", "41")
call("incr", client.incr, "n", 1)
call("decr", client.decr, "n", 50)
call("incr", client.incr, "nothing", 1)
call("gets", client.gets, "n")
_, unique = client.gets("n")
did("gets")
call("cas", client.cas, "n", "5", unique)
call("cas", client.cas, "n", "6", unique)
call("touch", client.touch, "n", 50)
call("get", client.get_many, ["user:7", "n", "nothing"])
call("set", client.set, "large", "z" * 50_000)
call("get", client.get, "large")
call("set", client.set, "quiet", "1", noreply=True)
call("delete", client.delete, "quiet", noreply=True)
call("delete", client.delete, "n")
call("delete", client.delete, "n")
call("stats", client.stats)
call("flush_all", client.flush_all)
client.quit()
did("quit")


def exchange(connection, asked, end):
    connection.sendall(asked)
    answer = b""
    while not answer.endswith(end):
        answer += connection.recv(65536)
    return answer


with socket.create_connection((HOST, 11211)) as plain:
    exchange(plain, b"ms a 2 T0\r\nhi\r\nms b 3\r\nyou\r\n", b"HD\r\nHD\r\n")
    did("ms"), did("ms")
    exchange(plain, b"mg a v t\r\nmg none v\r\nmg b v k q\r\nmg none v k q\r\nmg a v k q\r\nmn\r\n", b"MN\r\n")
    for name in ("mg", "mg", "mg", "mg", "mg", "mn"):
        did(name)
    exchange(plain, b"ms c 1 q\r\nx\r\nms d 1 q O9\r\nx\r\nmd d q\r\nma n\r\nma n N0 J5\r\nmd none\r\nmn\r\n", b"MN\r\n")
    for name in ("ms", "ms", "md", "ma", "ma", "md", "mn"):
        did(name)
    assert exchange(plain, b"bogus\r\n", b"\r\n") == b"ERROR\r\n"
    did("unknown", "client_error")


def message(opcode, opaque, key=b"", value=b"", extras=b""):
    head = struct.pack(">BBHBBHIIQ", 0x80, opcode, len(key), len(extras), 0, 0, len(extras + key + value), opaque, 0)
    return head + extras + key + value


def answers(connection, many):
    """Statuses by opaque of so many answers."""
    stream, found = connection.makefile("rb"), []
    for _ in range(many):
        head = struct.unpack(">BBHBBHIIQ", stream.read(24))
        stream.read(head[6])
        found.append((head[7], head[5]))
    return found


FLAGS = struct.pack(">II", 0, 0)
with socket.create_connection((HOST, 11211)) as plain:
    plain.sendall(message(0x01, 1, b"k", b"v" * 300, FLAGS))
    assert answers(plain, 1) == [(1, 0)]
    did("set")
    plain.sendall(message(0x00, 2, b"k") + message(0x00, 3, b"none"))
    assert answers(plain, 2) == [(2, 0), (3, 1)]
    did("get"), did("get")
    plain.sendall(message(0x11, 4, b"q", b"v", FLAGS) + message(0x0D, 5, b"k") + message(0x0D, 6, b"none") + message(0x0D, 7, b"q") + message(0x0A, 8))
    assert answers(plain, 3) == [(5, 0), (7, 0), (8, 0)]
    did("setq"), did("getkq"), did("getkq"), did("getkq"), did("noop")
    plain.sendall(message(0x05, 9, b"k", b"", struct.pack(">QQI", 1, 0, 0)))
    assert answers(plain, 1) == [(9, 6)]
    did("incr", "client_error")
    plain.sendall(message(0x04, 10, b"k") + message(0x0B, 11) + message(0x07, 12))
    assert answers(plain, 3) == [(10, 0), (11, 0), (12, 0)]
    did("delete"), did("version"), did("quit")
