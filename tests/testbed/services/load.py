"""Sends N requests for URL/ID, each with an id of its own, over C kept connections, one thread each.

Usage: load.py HOST PORT REQUESTS CONNECTIONS. Prints one JSON object a request: id, status, start and end (ns since
the epoch). No header carries the id.
"""

import http.client
import json
import sys
import threading
import time
import uuid


def worker(host, port, count, results):
    connection = http.client.HTTPConnection(host, port, timeout=20)
    for _ in range(count):
        order = uuid.uuid4().hex
        start = time.time_ns()
        try:
            connection.request("GET", "/order/" + order)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (http.client.HTTPException, OSError):
            connection.close()
            status = 0
        results.append({"id": order, "status": status, "start_unix_ns": start, "end_unix_ns": time.time_ns()})
    connection.close()


def main():
    host, port, requests, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    results = []
    threads = []
    for index in range(connections):
        count = requests // connections + (index < requests % connections)
        threads.append(threading.Thread(target=worker, args=(host, port, count, results)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        print(json.dumps(result))
    sys.exit(0 if all(result["status"] == 200 for result in results) else 1)


main()
