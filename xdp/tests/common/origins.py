"""One TCP connection over loopback whose bytes are moved in an unusual way: origins.py CASE.

Prints a JSON object: the ports of client and server, and for every call that moved bytes its side, kind,
process, thread and number of bytes, in order. Prints "unsupported: WHY" where the kernel lacks what it needs.
"""

import ctypes
import json
import os
import socket
import struct
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
import calls as calls_of  # noqa: E402

IPPROTO_MPTCP = 262
MSG_ZEROCOPY = 0x4000000
SO_ZEROCOPY = 60
MSG_FASTOPEN = 0x20000000

calls = []
libc = ctypes.CDLL(None)


def note(side, kind, count, pid=None, tid=None):
    calls.append({"side": side, "kind": kind, "bytes": count, "pid": pid or os.getpid(),
                  "tid": tid or threading.get_native_id()})


def send(sock, side, count):
    assert sock.send(b"x" * count) == count
    note(side, "Send", count)


def receive(sock, side, count):
    assert len(sock.recv(count, socket.MSG_WAITALL)) == count
    note(side, "Receive", count)


def pair(protocol=0):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    return client, server


def in_child(work):
    """Runs work in a child process, and adds the calls that it noted."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        calls.clear()
        work()
        os.write(write, json.dumps(calls).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as report:
        calls.extend(json.loads(report.read()))
    os.waitpid(child, 0)


def plain():
    client, server = pair()
    for count in (10, 20_000, 1):
        send(client, "client", count)
        receive(server, "server", count)
        send(server, "server", count + 1)
        receive(client, "client", count + 1)
    return client, server


def sendfile():
    client, server = pair()
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 300_000)
        file.flush()
        reader = threading.Thread(target=lambda: server.recv(300_000, socket.MSG_WAITALL))
        reader.start()
        tid = reader.native_id
        assert os.sendfile(client.fileno(), file.fileno(), 0, 300_000) == 300_000
        reader.join()
    note("client", "Send", 300_000)
    note("server", "Receive", 300_000, tid=tid)
    return client, server


def zerocopy():
    client, server = pair()
    client.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    for count in (5_000, 70_000):
        assert client.send(b"x" * count, MSG_ZEROCOPY) == count
        note("client", "Send", count)
        receive(server, "server", count)
        # The report that the pages are free again is no data.
        client.recvmsg(100, 100, socket.MSG_ERRQUEUE)
    return client, server


def mptcp():
    try:
        client, server = pair(IPPROTO_MPTCP)
    except OSError as error:
        print("unsupported: MPTCP:", error)
        sys.exit()
    for count in (10, 20_000, 1):
        send(client, "client", count)
        assert len(server.recv(5, socket.MSG_PEEK)) == min(5, count)
        if count > 1:
            receive(server, "server", 3)
        receive(server, "server", count - 3 if count > 1 else count)
        send(server, "server", count + 1)
        receive(client, "client", count + 1)
    return client, server


def ktls():
    client, server = pair()
    send(client, "client", 10)
    receive(server, "server", 10)
    # TLS 1.2, AES-GCM-128 with a key of zeros (linux/tls.h).
    keys = struct.pack("HH", 0x0303, 51) + bytes(8 + 16 + 4 + 8)
    try:
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, 31, b"tls")
    except OSError as error:
        print("unsupported: kTLS:", error)
        sys.exit()
    client.setsockopt(282, 1, keys)
    server.setsockopt(282, 2, keys)
    for count in (100, 1000):
        send(client, "client", count)
        receive(server, "server", count)
    return client, server


def passed():
    """The client's descriptor is sent to another process, which goes on with it."""
    client, server = pair()
    send(client, "client", 10)
    ours, theirs = socket.socketpair()

    def work():
        _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
        other = socket.socket(fileno=fds[0])
        send(other, "client", 30)

    client_again = client.dup()
    socket.send_fds(ours, [b"x"], [client.fileno()])
    in_child(work)
    send(client_again, "client", 40)
    receive(server, "server", 80)
    return client, server


def duplicated():
    client, server = pair()
    copy = client.dup()
    send(client, "client", 10)
    send(copy, "client", 20)
    copy.close()
    send(client, "client", 30)
    receive(server, "server", 60)
    return client, server


def forked():
    client, server = pair()
    send(client, "client", 10)
    in_child(lambda: (send(client, "client", 20), receive(server, "server", 30)))
    send(client, "client", 40)
    receive(server, "server", 40)
    return client, server


def mapped():
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    client = socket.create_connection(("127.0.0.1", listener.getsockname()[1]))
    server, _ = listener.accept()
    send(client, "client", 10)
    receive(server, "server", 10)
    return client, server


def half_closed(read=lambda sock: sock.recv(100, socket.MSG_WAITALL)):
    """The side that sent its FIN first reads the peer's last bytes and its FIN at once."""
    client, server = pair()
    send(client, "client", 10)
    client.shutdown(socket.SHUT_WR)
    receive(server, "server", 10)
    send(server, "server", 20)
    server.shutdown(socket.SHUT_WR)
    libc.usleep(50_000)
    assert len(read(client)) == 20
    note("client", "Receive", 20)
    return client, server


def half_closed_recvmmsg():
    return half_closed(lambda sock: calls_of.recvmmsg(sock, 100))


def fast_open():
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w") as setting:
        setting.write("519")  # 0x207: both sides, data without a cookie
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    listener.listen()
    client = socket.socket()
    assert client.sendto(b"x" * 10, MSG_FASTOPEN, listener.getsockname()) == 10
    note("client", "Send", 10)
    server, _ = listener.accept()
    receive(server, "server", 10)
    return client, server


client, server = {name: case for name, case in list(globals().items()) if callable(case)}[sys.argv[1]]()
print(json.dumps({"client_port": client.getsockname()[1], "server_port": server.getsockname()[1],
                  "calls": calls}))
