"""The second service of the chain: answers GET /order/ID after it has asked the third service for /stock/ID.

The call goes out in the thread that serves the request, over one kept connection a thread. The only thing passed
along is the id in the URL: no header says what belongs to what. With CACHE_ADDRESS, a Redis is asked first and told
afterwards, over one kept connection a thread as well.
"""

import http.client
import os
import socket
import threading

STOCK = os.environ["STOCK_ADDRESS"]
CACHE = os.environ.get("CACHE_ADDRESS")
local = threading.local()


def ask_stock(path):
    for last_try in (False, True):
        connection = getattr(local, "connection", None)
        if connection is None:
            connection = local.connection = http.client.HTTPConnection(STOCK, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            local.connection = None
            if last_try:
                raise


def ask_cache(*words):
    """Sends one command and returns the bulk string (or none) or the status that answers it."""
    if getattr(local, "cache", None) is None:
        host, port = CACHE.split(":")
        local.cache = socket.create_connection((host, int(port)), timeout=5).makefile("rwb")
    local.cache.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    local.cache.flush()
    head = local.cache.readline().strip()
    if head.startswith(b"$") and head != b"$-1":
        return local.cache.read(int(head[1:]) + 2)[:-2]
    return head if head.startswith(b"+") else None


def application(environ, start_response):
    kind, _, order = environ["PATH_INFO"].lstrip("/").partition("/")
    if kind != "order" or not order:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    key = b"order:" + order.encode()
    if CACHE and (known := ask_cache(b"GET", key)):
        status, stock = 200, known
    else:
        status, stock = ask_stock("/stock/" + order)
        if CACHE and status == 200:
            ask_cache(b"SET", key, stock, b"EX", b"60")
    body = b"order %s: %s\n" % (order.encode(), stock.strip())
    start_response(
        "200 OK" if status == 200 else "502 Bad Gateway",
        [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))],
    )
    return [body]
