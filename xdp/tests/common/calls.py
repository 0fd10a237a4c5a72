"""One TCP connection over loopback, moved through by the system calls named on the command line.

calls.py FAMILY BLOCKING SEND RECEIVE BYTES: FAMILY is 4, 6 or mapped; BLOCKING is blocking or nonblocking.
Prints a JSON object of what was done, by whom, and between which ports.
"""

import ctypes
import json
import os
import select
import socket
import sys
import tempfile
import threading

libc = ctypes.CDLL(None, use_errno=True)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(Iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", Msghdr), ("len", ctypes.c_uint)]


def messages(buffers):
    vectors = [(Iovec * 1)(Iovec(ctypes.cast(b, ctypes.c_void_p), len(b))) for b in buffers]
    array = (Mmsghdr * len(buffers))()
    for m, v in zip(array, vectors):
        m.hdr.iov, m.hdr.iovlen = v, 1
    return array, vectors


def checked(ret):
    if ret < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return ret


def sendmmsg(sock, data):
    half = max(1, len(data) // 2)
    parts = [p for p in (data[:half], data[half:]) if p]
    array, keep = messages([ctypes.create_string_buffer(p, len(p)) for p in parts])
    n = checked(libc.sendmmsg(sock.fileno(), array, len(parts), 0))
    return sum(m.len for m in array[:n])


def recvmmsg(sock, size):
    buffers = [ctypes.create_string_buffer(size), ctypes.create_string_buffer(size)]
    array, keep = messages(buffers)
    # MSG_WAITFORONE: what is there after the first message is enough.
    n = checked(libc.recvmmsg(sock.fileno(), array, 2, 0x10000, None))
    return b"".join(b.raw[: m.len] for b, m in zip(buffers[:n], array[:n]))


def sendfile(sock, data):
    with tempfile.TemporaryFile() as f:
        f.write(data)
        f.flush()
        return os.sendfile(sock.fileno(), f.fileno(), 0, len(data))


pipe = os.pipe()


def splice_send(sock, data):
    put = os.write(pipe[1], data[:65536])
    done = 0
    while done < put:
        try:
            done += os.splice(pipe[0], sock.fileno(), put - done)
        except BlockingIOError:
            select.select([], [sock], [])
    return done


receive_pipe = os.pipe()


def splice_receive(sock, size):
    n = os.splice(sock.fileno(), receive_pipe[1], min(size, 65536))
    got = b""
    while len(got) < n:
        got += os.read(receive_pipe[0], n - len(got))
    return got


def readv(sock, size):
    a, b = bytearray(size // 2 + 1), bytearray(size // 2 + 1)
    n = os.readv(sock.fileno(), [a, b])
    return (bytes(a) + bytes(b))[:n]


SEND = {
    "write": lambda s, d: os.write(s.fileno(), d),
    "writev": lambda s, d: os.writev(s.fileno(), [d[: len(d) // 2], d[len(d) // 2:]]),
    "sendto": lambda s, d: s.send(d),
    "sendmsg": lambda s, d: s.sendmsg([d]),
    "sendmmsg": sendmmsg,
    "sendfile": sendfile,
    "splice": splice_send,
}
RECEIVE = {
    "read": lambda s, n: os.read(s.fileno(), n),
    "readv": readv,
    "recvfrom": lambda s, n: s.recv(n),
    "recvmsg": lambda s, n: s.recvmsg(n)[0],
    "recvmmsg": recvmmsg,
    "splice": splice_receive,
    "peek": lambda s, n: (s.recv(n, socket.MSG_PEEK), s.recv(n))[1],
}


def main():
    family, blocking, send, receive, size = sys.argv[1:6]
    size = int(size)
    data = bytes(i * 7 % 251 for i in range(size))
    listener = socket.socket(socket.AF_INET if family == "4" else socket.AF_INET6)
    if family == "mapped":
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(({"4": "127.0.0.1", "6": "::1", "mapped": "::"}[family], 0))
    listener.listen()
    port = listener.getsockname()[1]
    out = {"pid": os.getpid(), "server_port": port, "bytes": size}

    def serve():
        out["server_tid"] = threading.get_native_id()
        sock, peer = listener.accept()
        out["client_port"] = peer[1]
        sock.setblocking(blocking == "blocking")
        got, empty = b"", 0
        while True:
            try:
                part = RECEIVE[receive](sock, 4000)
            except BlockingIOError:
                empty += 1
                select.select([sock], [], [])
                continue
            if not part:
                break
            got += part
        assert got == data, (len(got), len(data))
        out["empty_receives"] = empty
        sock.close()

    server = threading.Thread(target=serve)
    server.start()
    out["client_tid"] = threading.get_native_id()
    sock = socket.socket(socket.AF_INET6 if family == "6" else socket.AF_INET)
    if size > 100_000:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    address = ("::1" if family == "6" else "127.0.0.1", port)
    if blocking == "blocking":
        sock.connect(address)
    else:
        sock.setblocking(False)
        sock.connect_ex(address)
        select.select([], [sock], [])
    done, full = 0, 0
    while done < size:
        try:
            done += SEND[send](sock, data[done:])
        except BlockingIOError:
            full += 1
            select.select([], [sock], [])
    out["full_sends"] = full
    sock.shutdown(socket.SHUT_WR)
    server.join()
    sock.close()
    print(json.dumps(out))


if __name__ == "__main__":
    main()
