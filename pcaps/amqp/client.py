"""Does known things with an AMQP 0-9-1 broker, and says on standard output what it did and how it went, as it saw it."""

import json
import sys

import pika
from pika.exceptions import (
    AMQPConnectionError,
    ChannelClosedByBroker,
    NackError,
    UnroutableError,
)

HOST = sys.argv[1]
PASSWORD = "wonderland-17"
BESIDE = ["connection.start", "connection.tune", "connection.open", "connection.close", "channel.open", "channel.close", "basic.cancel"]


def say(name, outcome="ok"):
    print(json.dumps({"protocol": "amqp", "operation": name, "outcome": outcome}))


def connect(password=PASSWORD, host="/", heartbeat=60):
    credentials = pika.PlainCredentials("alice", password)
    return pika.BlockingConnection(
        pika.ConnectionParameters(HOST, 5672, host, credentials, heartbeat=heartbeat, connection_attempts=1, socket_timeout=30, stack_timeout=30)
    )


def refused(**how):
    try:
        connect(**how)
    except AMQPConnectionError:
        return
    raise SystemExit("let in")


def simple(connection):
    channel = connection.channel()
    channel.queue_declare("work", durable=True)
    say("queue.declare")
    channel.exchange_declare("news", "topic")
    say("exchange.declare")
    channel.queue_bind("work", "news", "a.#")
    say("queue.bind")
    for size in (0, 1, 5000, 200_000):
        properties = pika.BasicProperties(
            content_type="text/plain",
            message_id=f"m{size}",
            correlation_id="c1",
            delivery_mode=2,
            headers={"n": 1, "deep": {"x": [1, "y"]}, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        )
        channel.basic_publish("news", "a.b", b"m" * size, properties)
        say("basic.publish")
    channel.queue_declare("work", passive=True)
    say("queue.declare")
    channel.basic_qos(prefetch_count=10)
    say("basic.qos")
    for _ in range(4):
        method, _, _ = channel.basic_get("work")
        say("basic.get")
        channel.basic_ack(method.delivery_tag)
    assert channel.basic_get("work")[0] is None
    say("basic.get")
    return channel


def confirmed(connection):
    channel = connection.channel()
    channel.confirm_delivery()
    say("confirm.select")
    for n in range(5):
        channel.basic_publish("", "work", f"confirmed {n}".encode(), mandatory=True)
        say("basic.publish")
    channel.queue_declare("full", arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    say("queue.declare")
    channel.basic_publish("", "full", b"1")
    say("basic.publish")
    try:
        channel.basic_publish("", "full", b"2")
        say("basic.publish")
    except NackError:
        say("basic.publish", "server_error")
    try:
        channel.basic_publish("", "nowhere", b"3", mandatory=True)
    except UnroutableError:
        say("basic.publish")
        say("basic.return", "client_error")
    try:
        channel.basic_publish("no-exchange", "x", b"4")
        say("basic.publish")
    except ChannelClosedByBroker:
        say("basic.publish", "client_error")


def consumed(connection):
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    say("basic.qos")
    outcomes = []
    for method, _, body in channel.consume("work"):
        if not outcomes:
            say("basic.consume")
        n = len(outcomes)
        if n in (1, 3):
            (channel.basic_nack if n == 1 else channel.basic_reject)(method.delivery_tag, requeue=False)
            outcomes.append("server_error")
        else:
            channel.basic_ack(method.delivery_tag)
            outcomes.append("ok")
        say("basic.deliver", outcomes[-1])
        if n == 4:
            break
    channel.cancel()
    channel.basic_publish("", "work", b"for nobody")
    say("basic.publish")
    seen = []
    channel.basic_consume("work", lambda _c, method, _p, _b: seen.append(method), auto_ack=True)
    say("basic.consume")
    while not seen:
        connection.process_data_events(1)
    say("basic.deliver")
    channel.close()


def transactions(connection):
    channel = connection.channel()
    channel.tx_select()
    say("tx.select")
    channel.basic_publish("", "work", b"kept")
    say("basic.publish")
    channel.tx_commit()
    say("tx.commit")
    channel.basic_publish("", "work", b"not kept")
    say("basic.publish")
    channel.tx_rollback()
    say("tx.rollback")
    channel.queue_purge("work")
    say("queue.purge")


def mistakes(connection):
    for name, act in [
        ("queue.declare", lambda c: c.queue_declare("no-queue", passive=True)),
        ("queue.declare", lambda c: c.queue_declare("work", durable=False)),
        ("exchange.declare", lambda c: c.exchange_declare("news", "fanout")),
        ("basic.get", lambda c: c.basic_get("no-queue")),
        ("queue.bind", lambda c: c.queue_bind("work", "no-exchange")),
    ]:
        channel = connection.channel()
        try:
            act(channel)
            say(name)
        except ChannelClosedByBroker:
            say(name, "client_error")


print(json.dumps({"also": [["amqp", name] for name in BESIDE], "joined": {"missing": 4}}))
refused(password="looking-glass")
refused(host="/nowhere")
connection = connect()
simple(connection)
confirmed(connection)
consumed(connection)
transactions(connection)
mistakes(connection)
channel = connection.channel()
for name in ("work", "full"):
    channel.queue_delete(name)
    say("queue.delete")
channel.exchange_delete("news")
say("exchange.delete")
connection.close()
