"""Traffic between the two ends of a veth pair: net.py serve, and net.py call ADDRESS."""

import socket
import sys

PORT = 7000
BULK = 3_000_000


def exactly(sock, size):
    got = 0
    while got < size:
        part = sock.recv(1 << 16)
        if not part:
            raise EOFError(got)
        got += len(part)


def serve():
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind(("0.0.0.0", PORT))
    tcp = socket.create_server(("0.0.0.0", PORT))
    print("ready", flush=True)
    while True:
        data, peer = udp.recvfrom(1 << 16)
        udp.sendto(data[::-1], peer)
        if data == b"end":
            break
    sock, _ = tcp.accept()
    exactly(sock, BULK)
    sock.sendall(b"s" * BULK)
    sock.recv(1)
    sock.close()


def call(address):
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.settimeout(5)
    for size in list(range(1, 1400, 37)) + [1472, 8000]:
        data = bytes((size + i) % 256 for i in range(size))
        udp.sendto(data, (address, PORT))
        assert udp.recvfrom(1 << 16)[0] == data[::-1]
    udp.sendto(b"end", (address, PORT))
    udp.recvfrom(10)
    sock = socket.create_connection((address, PORT))
    sock.sendall(b"c" * BULK)
    exactly(sock, BULK)
    sock.close()


if sys.argv[1] == "serve":
    serve()
else:
    call(sys.argv[2])
