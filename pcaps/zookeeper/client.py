"""Does known things with ZooKeeper, and says on standard output what it did and how it went, as it saw it."""

import json
import socket
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.security import make_digest_acl

HOST = sys.argv[1]
PASSWORD = "wonderland-17"


def say(name, outcome="ok"):
    print(json.dumps({"protocol": "zookeeper", "operation": name, "outcome": outcome}))


def did(name, act):
    try:
        act()
    except KazooException:
        say(name, "client_error")
    else:
        say(name)


def word(name):
    with socket.create_connection((HOST, 2181), 10) as s:
        s.sendall(name)
        while s.recv(4096):
            pass
    say(name.decode())


print(json.dumps({"also": [["zookeeper", "ping"]]}))
word(b"ruok")
word(b"stat")
client = KazooClient(hosts=f"{HOST}:2181", timeout=10)
client.start()
say("connect")
did("create", lambda: client.create("/a", b"data"))
did("create", lambda: client.create("/a", b"again"))
did("create", lambda: client.create("/a/s-", b"", sequence=True))
did("create", lambda: client.create("/a/e", b"x" * 5000, ephemeral=True))
did("create2", lambda: client.create("/a/stat", b"", include_data=True))
did("getData", lambda: client.get("/a"))
did("getData", lambda: client.get("/nowhere"))
did("exists", lambda: client.exists("/a"))
did("exists", lambda: client.exists("/nowhere"))
did("setData", lambda: client.set("/a", b"y" * 20_000))
did("getData", lambda: client.get("/a"))
did("setData", lambda: client.set("/a", b"z", version=77))
did("getChildren", lambda: client.get_children("/a"))
did("getChildren2", lambda: client.get_children("/a", include_data=True))
did("getACL", lambda: client.get_acls("/a"))
did("sync", lambda: client.sync("/a"))
did("delete", lambda: client.delete("/a"))
did("delete", lambda: client.delete("/a/e"))

# Who watches is told before the answer: the watch's event and the answer to what caused it.
seen = threading.Event()
did("exists", lambda: client.exists("/w", watch=lambda event: seen.set()))
create = client.create_async("/w", b"1")
create.get()
assert seen.wait(10)
say("create")
say("notification")

transaction = client.transaction()
transaction.create("/t", b"1")
transaction.set_data("/a", b"2")
transaction.delete("/w")
results = transaction.commit()
assert not any(isinstance(r, Exception) for r in results), results
say("multi")
transaction = client.transaction()
transaction.create("/t2", b"1")
transaction.check("/a", version=99)
results = transaction.commit()
assert any(isinstance(r, Exception) for r in results), results
say("multi", "client_error")

did("auth", lambda: client.add_auth("digest", f"alice:{PASSWORD}"))
did("create", lambda: client.create("/secret", b"s", acl=[make_digest_acl("alice", PASSWORD, all=True)]))
did("getData", lambda: client.get("/secret"))
other = KazooClient(hosts=f"{HOST}:2181", timeout=10)
other.start()
say("connect")
did("getData", lambda: other.get("/secret"))
did("setACL", lambda: other.set_acls("/secret", [make_digest_acl("bob", PASSWORD, all=True)]))
time.sleep(4)
# kazoo closes the connection without waiting for an answer.
for session in (other, client):
    session.stop()
    say("closeSession", "no_response")
