"""Does known things with an AMQP 1.0 broker, and says on standard output what it did and how it went, as it saw it."""

import json
import sys

from proton import ConnectionException, LinkException, Message, Timeout
from proton.reactor import AtLeastOnce, AtMostOnce
from proton.utils import BlockingConnection, LinkDetached, SendException

HOST = sys.argv[1]
PASSWORD = "wonderland-17"
BESIDE = ["open", "begin", "detach", "end", "close"]
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def say(name, outcome="ok"):
    print(json.dumps({"protocol": "amqp1", "operation": name, "outcome": outcome}))


def connect(password=PASSWORD):
    return BlockingConnection(f"amqp://{HOST}:5672", user="alice", password=password, allowed_mechs="PLAIN", timeout=30)


def send(sender, body, outcome="ok", **more):
    try:
        sender.send(Message(body=body, properties={"traceparent": TRACEPARENT}, **more))
        say("transfer")
    except SendException:
        say("transfer", outcome)


print(json.dumps({"also": [["amqp1", name] for name in BESIDE], "joined": {"missing": 2}}))
try:
    connect("looking-glass")
except (ConnectionException, LinkException):
    say("sasl-init", "client_error")

connection = connect()
say("sasl-init")
sender = connection.create_sender("/queue/work", options=AtLeastOnce())
say("attach")
for n, body in enumerate([b"", b"m" * 100, b"m" * 5000, b"m" * 200_000]):
    send(sender, body, id=f"id-{n}", correlation_id="c", subject="s")
receiver = connection.create_receiver("/queue/work", credit=1)
say("attach")
for outcome in ("ok", "client_error", "server_error", "ok"):
    receiver.receive(timeout=30)
    if outcome == "ok":
        receiver.accept()
    elif outcome == "client_error":
        receiver.reject()
    else:
        receiver.release(delivered=False)
    say("transfer", outcome)
receiver.receive(timeout=30)
receiver.accept()
say("transfer")
nowhere = connection.create_sender("/exchange/amq.direct/nowhere", options=AtLeastOnce())
say("attach")
send(nowhere, b"nobody wants it")
settled = connection.create_sender("/queue/work", options=AtMostOnce(), name="settled")
say("attach")
settled.send(Message(body=b"sent and forgotten"))
say("transfer")
connection.close()

connection = connect()
say("sasl-init")
connection.timeout = 3
try:
    connection.create_sender("/exchange/no-exchange/key")
    say("attach")
except (LinkDetached, LinkException, ConnectionException, Timeout):
    # RabbitMQ ends the whole session, which the blocking client does not look at.
    condition = connection.conn.session_head(0).remote_condition
    assert condition.name == "amqp:not-found", condition
    say("attach", "client_error")
