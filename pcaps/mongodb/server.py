"""A server that speaks MongoDB's wire protocol with the driver's own BSON and compressors, and knows one collection. Hellos of a
monitor are answered again and again without being asked (`exhaustAllowed`)."""

import itertools
import socketserver
import struct
import sys
import threading
import time

import bson
from bson import Int64, ObjectId
from pymongo.compression_support import SnappyContext, ZlibContext, ZstdContext, decompress

MSG, COMPRESSED, QUERY, REPLY = 2013, 2012, 2004, 1
CONTEXTS = {1: SnappyContext(), 2: ZlibContext(-1), 3: ZstdContext()}
PROCESS = ObjectId()
documents, lock, numbers = {}, threading.Lock(), itertools.count(1000)


def hello():
    return {"helloOk": True, "isWritablePrimary": True, "ismaster": True, "maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000, "minWireVersion": 0, "maxWireVersion": 21, "logicalSessionTimeoutMinutes": 30,
            "topologyVersion": {"processId": PROCESS, "counter": Int64(0)}, "compression": ["snappy", "zlib", "zstd"], "ok": 1.0}


def failed(code, name, text):
    return {"ok": 0.0, "errmsg": text, "code": code, "codeName": name}


def cursor(name, batch, more=0, kind="firstBatch"):
    return {"cursor": {kind: batch, "id": Int64(more), "ns": f"shop.{name}"}, "ok": 1.0}


def answer(command):
    name, value = next(iter(command.items()))
    lowered = name.lower()
    with lock:
        if lowered in ("hello", "ismaster"):
            return hello()
        if lowered in ("ping", "endsessions", "createindexes", "drop", "killcursors"):
            return {"ok": 1.0}
        if lowered == "saslstart":
            return {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}
        if lowered == "insert":
            errors = []
            for index, document in enumerate(command["documents"]):
                if document["_id"] in documents:
                    errors.append({"index": index, "code": 11000, "errmsg": f"E11000 duplicate key error: {document}"})
                documents.setdefault(document["_id"], document)
            reply = {"n": len(command["documents"]) - len(errors), "ok": 1.0}
            return {**reply, "writeErrors": errors} if errors else reply
        if lowered == "find":
            found = list(documents.values())
            size = command.get("batchSize", 101)
            return cursor(value, found[:size], more=7 if len(found) > size else 0)
        if lowered == "getmore":
            return cursor(command["collection"], list(documents.values())[2:], kind="nextBatch")
        if lowered == "aggregate":
            return cursor(value, [{"_id": 1, "n": len(documents)}])
        if lowered in ("update", "delete"):
            return {"n": 1, "nModified": 1, "ok": 1.0}
        if lowered == "shutdown":
            return failed(91, "ShutdownInProgress", "The server is in quiesce mode and will shut down")
        if lowered == "usersinfo":
            return failed(13, "Unauthorized", "not authorized on admin to execute command")
    return failed(59, "CommandNotFound", f"no such command: '{name}'")


class Connection(socketserver.BaseRequestHandler):
    def read(self, length):
        data = b""
        while len(data) < length:
            more = self.request.recv(length - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data

    def send(self, to, body, opcode=MSG, compressor=0):
        number = next(numbers)
        if compressor:
            compressed = CONTEXTS[compressor].compress(body)
            body, opcode = struct.pack("<iiB", opcode, len(body), compressor) + compressed, COMPRESSED
        self.request.sendall(struct.pack("<iiii", len(body) + 16, number, to, opcode) + body)
        return number

    def handle(self):
        try:
            while True:
                self.message()
        except (ConnectionError, OSError):
            pass

    def message(self):
        length, number, _, opcode = struct.unpack("<iiii", self.read(16))
        body, compressor = self.read(length - 16), 0
        if opcode == COMPRESSED:
            opcode, _, compressor = struct.unpack_from("<iiB", body)
            body = decompress(body[9:], compressor, 48_000_000)
        if opcode == QUERY:
            end = body.index(b"\0", 4)
            command = bson.decode(body[end + 9:])
            reply = bson.encode(answer(command))
            self.send(number, struct.pack("<iqii", 8, 0, 0, 1) + reply, REPLY)
            return
        flags, at, command = struct.unpack_from("<I", body)[0], 4, {}
        end = len(body) - 4 * (flags & 1)
        while at < end:
            size = struct.unpack_from("<i", body, at + 1)[0]
            section = body[at + 1:at + 1 + size]
            if body[at] == 0:
                command = {**bson.decode(section), **command}
            else:
                name, _, rest = section[4:].partition(b"\0")
                command[name.decode()] = bson.decode_all(rest)
            at += 1 + size
        command = dict(sorted(command.items(), key=lambda item: item[0] in ("documents", "updates", "deletes")))
        reply = struct.pack("<IB", 0, 0) + bson.encode(answer(command))
        if flags & 2:
            return
        if flags & 1 << 16 and "topologyVersion" in command:
            for _ in range(4):
                number = self.send(number, struct.pack("<IB", 2, 0) + reply[5:])
                time.sleep(0.2)
        self.send(number, reply, compressor=compressor)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server((sys.argv[1], 27017), Connection).serve_forever()
