"""Does known things with a Redis server, and says on standard output what it did and how it went, as it saw it."""

import json
import socket
import sys

import redis

HOST = sys.argv[1]
PASSWORD = "wonderland-17"
SERVER_FAULTS = ("OOM", "LOADING", "BUSY", "MISCONF")


def did(operation, outcome="ok"):
    print(json.dumps({"protocol": "redis", "operation": operation, "outcome": outcome}))


def outcome_of(answer):
    if not isinstance(answer, redis.RedisError):
        return "ok"
    return "server_error" if str(answer).startswith(SERVER_FAULTS) else "client_error"


def command(connection, *words):
    try:
        answer = connection.execute_command(*words)
    except redis.RedisError as problem:
        answer = problem
    did(words[0].split()[0].upper(), outcome_of(answer))
    return answer


def pipeline(connection, commands, transaction):
    together = connection.pipeline(transaction=transaction)
    for words in commands:
        together.execute_command(*words)
    answers = together.execute(raise_on_error=False)
    if transaction:
        did("MULTI")
        # Each is queued; how it went is known to EXEC alone.
        for words in commands:
            did(words[0].upper())
        failed = any(isinstance(answer, redis.RedisError) for answer in answers)
        did("EXEC", "client_error" if failed else "ok")
    else:
        for words, answer in zip(commands, answers):
            did(words[0].upper(), outcome_of(answer))


def by_hand(steps):
    """Commands on a plain socket, each with how many bytes of an answer are waited for and how that is to be understood."""
    with socket.create_connection((HOST, 6379)) as plain:
        for words, wanted in steps:
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
            plain.sendall(b"*%d\r\n%s" % (len(words), parts))
            answer = b""
            while wanted and not answer.endswith(wanted):
                answer += plain.recv(4096)
            did(words[0].decode().upper(), "client_error" if answer.startswith(b"-") else "ok")


print(json.dumps({"also": [["redis", "HELLO"], ["redis", "CLIENT"]]}))

by_hand([
    ([b"PING"], b"\r\n"),
    ([b"AUTH", b"looking-glass-3"], b"\r\n"),
    ([b"AUTH", b"default", PASSWORD.encode()], b"\r\n"),
    ([b"config", b"get", b"requirepass"], b"%s\r\n" % PASSWORD.encode()),
    ([b"set", b"a", b"1"], b"\r\n"),
])

for protocol in (2, 3):
    connection = redis.Redis(HOST, protocol=protocol, password=PASSWORD, single_connection_client=True)
    if protocol == 2:
        # The library logs in by itself, with the password.
        did("AUTH")
    command(connection, "FLUSHALL")
    command(connection, "SET", "user:7", "alice")
    command(connection, "GET", "user:7")
    command(connection, "GET", "nobody")
    command(connection, "LPUSH", "user:7", "x")
    command(connection, "NOSUCHCOMMAND", "x")
    command(connection, "RPUSH", "list", *[f"item {n}" for n in range(300)])
    command(connection, "LRANGE", "list", 0, -1)
    command(connection, "HSET", "hash", "field", "value", "other", "value")
    command(connection, "HGETALL", "hash")
    command(connection, "EVAL", "return {1, {2, 'three', {4}}, redis.error_reply('ERR inside')}", 0)
    command(connection, "EVAL", "return redis.error_reply('MYERR outside')", 0)
    command(connection, "SET", "large", "y" * 60_000)
    command(connection, "GET", "large")
    command(connection, "SELECT", 3)
    command(connection, "BLPOP", "empty", "0.1")
    many = [("SET", f"key {n}", n) for n in range(40)] + [("INCR", "list"), ("LPUSH", "key 1", "x"), ("GET", "key 2")]
    if protocol == 2:
        # Pipelines have a connection of their own.
        did("AUTH")
    pipeline(connection, many, transaction=False)
    pipeline(connection, [("INCR", "n"), ("LPUSH", "n", "x"), ("GET", "n")], transaction=True)
    command(connection, "ZADD", "z", 1.5, "a", 2, "b")
    command(connection, "ZRANGE", "z", 0, -1, "WITHSCORES")

    subscriber = redis.Redis(HOST, protocol=protocol, password=PASSWORD)
    subscription = subscriber.pubsub()
    subscription.subscribe("news", "weather")
    if protocol == 2:
        did("AUTH")
    did("SUBSCRIBE")
    subscription.psubscribe("n*")
    did("PSUBSCRIBE")
    for _ in range(3):
        assert subscription.get_message(timeout=5)
    for channel, kinds in (("news", ["MESSAGE", "PMESSAGE"]), ("weather", ["MESSAGE"])):
        command(connection, "PUBLISH", channel, "something")
        for kind in kinds:
            assert subscription.get_message(timeout=5)["type"] == kind.lower()
            did(kind)
    subscription.unsubscribe()
    did("UNSUBSCRIBE")
    for _ in range(2):
        assert subscription.get_message(timeout=5)
    subscription.close()
    subscriber.close()
    connection.close()

by_hand([
    ([b"AUTH", PASSWORD.encode()], b"\r\n"),
    ([b"ECHO", b"before"], b"before\r\n"),
    ([b"QUIT"], b"\r\n"),
])
