"""Does known requests over HTTP/2 by prior knowledge, and says on standard output which and how they went, as it saw it."""

import json
import sys

import httpx

URL = f"http://{sys.argv[1]}:8080"
HEADERS = {"authorization": "Bearer wonderland-17", "cookie": "id=wonderland-17"}


def ask(client, method, path, **more):
    status = client.request(method, URL + path, **more).status_code
    outcome = "client_error" if 400 <= status < 500 else "server_error" if status >= 500 else "ok"
    print(json.dumps({"protocol": "http2", "operation": method, "outcome": outcome}))


def client():
    return httpx.Client(http1=False, http2=True, headers=HEADERS, timeout=10)


with client() as one:
    for path in ["/", "/?token=wonderland-17", "/index.html", "/index.html", "/300k", "/missing", "/empty", "/broken", "/moved", "/"]:
        ask(one, "GET", path)
    ask(one, "HEAD", "/index.html")
for n in range(4):
    with client() as one:
        ask(one, "GET", "/chunked.shtml")
        ask(one, "POST", f"/upload/{n}", content=b"x" * 40_000)
        ask(one, "PUT", f"/upload/{n}", content=b"y", headers={f"x-long-{part}": "z" * 7_000 for part in range(3)})
        ask(one, "DELETE", f"/upload/{n}")
        ask(one, "GET", "/missing")
