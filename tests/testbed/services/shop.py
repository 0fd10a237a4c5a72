"""The second service of the chain: answers GET /order/ID after it has asked the third service for /stock/ID.

The call goes out in the thread that serves the request, over one kept connection a thread. The only thing passed
along is the id in the URL: no header says what belongs to what.
"""

import http.client
import os
import threading

STOCK = os.environ["STOCK_ADDRESS"]
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


def application(environ, start_response):
    kind, _, order = environ["PATH_INFO"].lstrip("/").partition("/")
    if kind != "order" or not order:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    status, stock = ask_stock("/stock/" + order)
    body = b"order %s: %s\n" % (order.encode(), stock.strip())
    start_response(
        "200 OK" if status == 200 else "502 Bad Gateway",
        [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))],
    )
    return [body]
