"""Does known things with the connections of Cassandra's driver, and says on standard output what it did and how it went, as it saw it."""

import json
import sys
import threading

from cassandra import ConsistencyLevel
from cassandra.auth import PlainTextAuthenticator
from cassandra.connection import DefaultEndPoint
from cassandra.io.libevreactor import LibevConnection
from cassandra.protocol import BatchMessage, ErrorMessage, ExecuteMessage, PrepareMessage, QueryMessage
from cassandra.query import BatchType

HOST = sys.argv[1]
PASSWORD = "wonderland-17"
SERVER = {"ReadTimeout", "ReadTimeoutErrorMessage", "Unavailable", "UnavailableErrorMessage"}


def say(name, outcome="ok"):
    print(json.dumps({"protocol": "cassandra", "operation": name, "outcome": outcome}))


def connect(version, compression, password=PASSWORD):
    return LibevConnection.factory(
        DefaultEndPoint(HOST, 9042), 20, protocol_version=version, compression=compression, authenticator=PlainTextAuthenticator("alice", password)
    )


def do(connection, name, message):
    [(well, result)] = connection.wait_for_responses(message, timeout=20, fail_on_error=False)
    if well and not isinstance(result, ErrorMessage):
        say(name)
    else:
        say(name, "server_error" if type(result).__name__ in SERVER else "client_error")
    return result


def query(connection, text):
    return do(connection, "QUERY", QueryMessage(text, ConsistencyLevel.LOCAL_QUORUM))


def conversation(version, compression):
    connection = connect(version, compression)
    for text in (
        "USE shop",
        "SELECT name FROM items WHERE id = 'secret-value'",
        "INSERT INTO items (id, name) VALUES (1, 'secret-value')",
        "SELEC name FROM items",
        "SELECT name FROM missing",
        "SELECT name FROM forbidden",
        "SELECT name FROM slow",
        "SELECT name FROM down",
        "SELECT large FROM items WHERE id IN (" + ", ".join(str(n) for n in range(2000)) + ")",
    ):
        query(connection, text)
    prepared = do(connection, "PREPARE", PrepareMessage("UPDATE items SET name = ? WHERE id = 7"))
    name = prepared.query_id
    more = {"result_metadata_id": prepared.result_metadata_id or b""} if version >= 5 else {}
    for _ in range(3):
        do(connection, "EXECUTE", ExecuteMessage(name, [b"secret-value"], ConsistencyLevel.ONE, **more))
    do(connection, "EXECUTE", ExecuteMessage(b"x" * 16, [], ConsistencyLevel.ONE, **more))
    queries = [(False, "INSERT INTO items (id) VALUES (5)", []), (True, name, [b"secret-value"])]
    do(connection, "BATCH", BatchMessage(BatchType.LOGGED, queries, ConsistencyLevel.QUORUM))
    seen = threading.Event()
    connection.register_watcher("STATUS_CHANGE", lambda event: seen.set(), register_timeout=20)
    say("REGISTER")
    assert seen.wait(20)
    say("EVENT")
    # Many at once on one connection, answered in the order in which they were asked.
    done = threading.Semaphore(0)
    for n in range(12):
        connection.send_msg(QueryMessage(f"SELECT name FROM items WHERE id = {n}", ConsistencyLevel.ONE), n + 200, lambda _r: done.release())
        say("QUERY")
    for _ in range(12):
        assert done.acquire(timeout=20)
    connection.close()


LibevConnection.initialize_reactor()
print(json.dumps({"also": [["cassandra", name] for name in ("OPTIONS", "STARTUP", "AUTH_RESPONSE")]}))
try:
    connect(4, False, "looking-glass")
    raise SystemExit("let in")
except Exception as error:
    assert "AuthenticationFailed" in type(error).__name__, error
for version, compression in ((3, False), (4, "lz4"), (5, False), (5, "lz4")):
    conversation(version, compression)
sys.stdout.flush()
