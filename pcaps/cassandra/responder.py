"""Answers CQL's native protocol as the specification says, for a client to talk to: statements get the answer that their text asks for."""

import socketserver
import struct
import zlib

import lz4.block

ERRORS = {"SELEC ": 0x2000, "missing": 0x2200, "forbidden": 0x2100, "slow": 0x1200, "down": 0x1000}


def short(data):
    return struct.pack(">H", len(data)) + data


def crc24(data):
    crc = 0x875060
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1974F0B
    return crc.to_bytes(3, "little")


def crc32(data):
    return struct.pack("<I", zlib.crc32(data, zlib.crc32(b"\xfa\x2d\x55\xca")))


class Connection(socketserver.BaseRequestHandler):
    def exactly(self, number):
        data = b""
        while len(data) < number:
            more = self.request.recv(number - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def payload(self):
        """The bytes of the next segment."""
        size = 5 if self.lz4 else 3
        header = int.from_bytes(self.exactly(size), "little")
        self.exactly(3)
        length = header & 0x1FFFF
        unpacked = header >> 17 & 0x1FFFF if self.lz4 else 0
        data = self.exactly(length)
        self.exactly(4)
        return lz4.block.decompress(data, uncompressed_size=unpacked) if unpacked else data

    def read(self, number):
        if not self.segments:
            return self.exactly(number)
        while len(self.rest) < number:
            self.rest += self.payload()
        data, self.rest = self.rest[:number], self.rest[number:]
        return data

    def write(self, version, stream, opcode, body):
        flags = 0
        if self.lz4 and version < 5 and body and opcode == 8:
            flags, body = 1, struct.pack(">I", len(body)) + lz4.block.compress(body, store_size=False)
        data = struct.pack(">BBhBI", version | 0x80, flags, stream, opcode, len(body)) + body
        if self.segments:
            parts = [data[n : n + 131071] for n in range(0, len(data), 131071)]
            data = b"".join(self.segment(part, len(parts) == 1) for part in parts)
        self.request.sendall(data)

    def segment(self, part, whole):
        if self.lz4:
            packed = lz4.block.compress(part, store_size=False)
            header = (len(packed) | len(part) << 17 | whole << 34).to_bytes(5, "little")
        else:
            packed = part
            header = (len(part) | whole << 17).to_bytes(3, "little")
        return header + crc24(header) + packed + crc32(packed)

    def handle(self):
        self.segments = self.lz4 = False
        self.rest = b""
        self.prepared = {}
        try:
            while True:
                version, flags, stream, opcode, length = struct.unpack(">BBhBI", self.read(9))
                body = self.read(length)
                if flags & 1 and version < 5:
                    body = lz4.block.decompress(body[4:], uncompressed_size=struct.unpack(">I", body[:4])[0])
                self.answer(version, stream, opcode, body)
        except (EOFError, ConnectionError):
            pass

    def answer(self, version, stream, opcode, body):
        if opcode == 5:
            options = b"\0\x02" + short(b"CQL_VERSION") + b"\0\x01" + short(b"3.4.5") + short(b"COMPRESSION") + b"\0\x01" + short(b"lz4")
            self.write(version, stream, 6, options)
        elif opcode == 1:
            self.lz4 = b"lz4" in body
            self.write(version, stream, 3, short(b"org.apache.cassandra.auth.PasswordAuthenticator"))
            self.segments = version >= 5
        elif opcode == 15:
            if b"wonderland" in body:
                self.write(version, stream, 16, struct.pack(">i", -1))
            else:
                self.write(version, stream, 0, struct.pack(">I", 0x0100) + short(b"Provided username and/or password are incorrect"))
        elif opcode == 11:
            self.write(version, stream, 2, b"")
            self.write(version, -1, 12, short(b"STATUS_CHANGE") + short(b"UP") + b"\x04" + bytes([192, 0, 2, 9]) + struct.pack(">I", 9042))
        elif opcode == 9:
            text = self.text(body)
            name = zlib.crc32(text.encode()).to_bytes(4, "big") * 4
            self.prepared[name] = text
            result_id = short(b"r" * 16) if version >= 5 else b""
            primary = struct.pack(">I", 0) if version >= 4 else b""
            nothing = struct.pack(">II", 4, 0)
            self.write(version, stream, 8, struct.pack(">I", 4) + short(name) + result_id + struct.pack(">II", 0, 0) + primary + nothing)
        elif opcode in (7, 10):
            text = self.text(body) if opcode == 7 else self.prepared.get(body[2:18])
            self.statement(version, stream, text)
        elif opcode == 13:
            self.write(version, stream, 8, struct.pack(">I", 1))

    def text(self, body):
        return body[4 : 4 + struct.unpack(">I", body[:4])[0]].decode()

    def statement(self, version, stream, text):
        code = 0x2500 if text is None else next((code for word, code in ERRORS.items() if word in text), None)
        if code is not None:
            more = {0x1200: struct.pack(">HIIB", 4, 1, 2, 0), 0x1000: struct.pack(">HII", 4, 2, 1), 0x2500: short(b"?" * 16)}
            self.write(version, stream, 0, struct.pack(">I", code) + short(b"line 1:0 quotes 'your values'") + more.get(code, b""))
        elif text.startswith("USE "):
            self.write(version, stream, 8, struct.pack(">I", 3) + short(text[4:].encode()))
        elif text.startswith("SELECT"):
            size = 200_000 if "large" in text else 10
            head = struct.pack(">III", 2, 1, 1) + short(b"shop") + short(b"items") + short(b"name") + struct.pack(">H", 13)
            self.write(version, stream, 8, head + struct.pack(">I", 1) + struct.pack(">I", size) + b"v" * size)
        else:
            self.write(version, stream, 8, struct.pack(">I", 1))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server(("0.0.0.0", 9042), Connection).serve_forever()
