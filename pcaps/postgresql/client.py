"""Does known things with a PostgreSQL server, and says on standard output what it did and how it went, as it saw it."""

import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

import asyncpg
import psycopg

HOST = sys.argv[1]
PASSWORD, CAROLS = "wonderland-17", "looking-glass-23"
SECRET = "white-rabbit-42"


def say(name, outcome="ok", times=1):
    for _ in range(times):
        print(json.dumps({"protocol": "postgresql", "operation": name, "outcome": outcome}))


def refused(run, *arguments, **more):
    try:
        run(*arguments, **more)
    except psycopg.Error:
        return
    raise SystemExit(f"went well: {arguments}")


def run(command, *options, user="alice", password=PASSWORD, ssl="disable", database="shop", text=None):
    environment = {**os.environ, "PGPASSWORD": password, "PGSSLMODE": ssl, "PGHOST": HOST, "PGUSER": user, "PGDATABASE": database}
    subprocess.run([command, *options], input=text, env=environment, text=True, capture_output=True)


def psql():
    text = f"""CREATE TABLE items (id INT PRIMARY KEY, name TEXT, note TEXT);
INSERT INTO items VALUES (1, '{SECRET}', E'it\\'s'), (2, $q${SECRET}$q$, NULL);
SELECT id, name FROM items WHERE name = '{SECRET}' AND id IN (1, 2, 3);
SELECT 1 \\; SELECT 2 \\; UPDATE items SET note = 'n';
INSERT INTO items VALUES (1, '{SECRET}', NULL);
SELEC 1;
SELECT * FROM nothing;
DO $$ BEGIN RAISE NOTICE '{SECRET}'; END $$;
SELECT n, repeat('r', 300) FROM generate_series(1, 100) n;
COPY items FROM STDIN;
3	{SECRET}	x
4	{SECRET}	y
\\.
COPY items TO STDOUT;
COPY items FROM STDIN;
5	{SECRET}	too	many
\\.
ALTER ROLE carol PASSWORD '{CAROLS}';
BEGIN;
SELECT 1/0;
SELECT 1;
ROLLBACK;
"""
    run("psql", "-q", text=text)
    wrong = "client_error"
    for outcome in ["ok", "ok", "ok", "ok", wrong, wrong, wrong, "ok", "ok", "ok", "ok", wrong, "ok", "ok", wrong, wrong, "ok"]:
        say("Query", outcome)


def pgbench():
    for mode, name in [("simple", "Query"), ("extended", "Execute"), ("prepared", "Execute")]:
        run("pgbench", "-n", "-S", "-t", "20", "-M", mode, user="bench", password="", database="bench")
        say("Query", times=2)  # what pgbench asks for itself at the beginning
        say(name, times=20)


def with_psycopg():
    connection = psycopg.connect(host=HOST, user="alice", password=PASSWORD, dbname="shop", sslmode="disable", autocommit=True)
    connection.execute("SELECT 1")
    say("Query")
    for _ in range(7):  # prepared from the sixth time on
        connection.execute("SELECT name FROM items WHERE id = %s", (1,)).fetchall()
    say("Execute", times=7)
    with connection.pipeline():
        for n in range(10, 15):
            connection.execute("INSERT INTO items VALUES (%s, %s, %s)", (n, SECRET, "x" * 5000))
    say("Execute", times=5)
    # By hand: a pipeline of psycopg does not send what follows an error that it already knows of.
    raw = connection.pgconn
    raw.nonblocking = 0
    raw.enter_pipeline_mode()
    raw.send_query_params(b"SELECT $1::int", [b"1"])
    raw.send_query_params(b"INSERT INTO items VALUES ($1, $2)", [b"1", SECRET.encode()])
    raw.send_query_params(b"SELECT $1::int", [b"2"])
    raw.send_query_params(b"SELECT $1::int", [b"3"])
    raw.pipeline_sync()
    while (result := raw.get_result()) is None or result.status != psycopg.pq.ExecStatus.PIPELINE_SYNC:
        pass
    raw.exit_pipeline_mode()
    raw.nonblocking = 1
    say("Execute")
    say("Execute", "client_error")
    say("Execute", "no_response", times=2)
    cursor = connection.cursor()
    with cursor.copy("COPY items (id, name) FROM STDIN") as copy:
        for n in range(100, 400):
            copy.write_row((n, SECRET))
    say("Query")
    with cursor.copy("COPY items TO STDOUT") as copy:
        rows = sum(1 for _ in copy.rows())
    assert rows == 309, rows
    say("Query")
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    refused(connection.execute, "SELECT pg_sleep(10)")
    timer.join()
    say("Query", "server_error")
    say("CancelRequest")
    refused(connection.execute, "SELECT * FROM nothing WHERE a = %s", (1,))
    say("Execute", "client_error")
    connection.close()
    for how in [{"password": SECRET}, {"user": "nobody"}, {"dbname": "nowhere"}, {"user": "carol", "password": SECRET}]:
        how = {"user": "alice", "password": PASSWORD, "dbname": "shop", **how}
        refused(psycopg.connect, host=HOST, sslmode="disable", **how)
        say("StartupMessage", "client_error")
    psycopg.connect(host=HOST, user="carol", password=CAROLS, dbname="shop", sslmode="disable").close()


async def with_asyncpg():
    connection = await asyncpg.connect(host=HOST, user="alice", password=PASSWORD, database="shop", ssl=False)
    await connection.execute("SET search_path = public")
    say("Query")
    for n in (1, 2):
        await connection.fetch("SELECT name FROM items WHERE id = $1", n)
    say("Execute", times=2)
    await connection.executemany("UPDATE items SET note = $2 WHERE id = $1", [(n, SECRET) for n in range(100, 110)])
    say("Execute", times=10)
    try:
        await connection.fetch("SELECT * FROM nothing WHERE a = $1", 1)
    except asyncpg.PostgresError:
        say("Parse", "client_error")
    async with connection.transaction():
        say("Query")
        rows = [row async for row in connection.cursor("SELECT id FROM items WHERE id >= $1", 100, prefetch=100)]
        assert len(rows) == 300, rows
    say("Execute", times=4)
    say("Query")
    await connection.close()


def function_call():
    """What no library asks any more, by hand: a function by its number, of a server that trusts."""
    with socket.create_connection((HOST, 5432)) as line:
        body = struct.pack("!I", 196608) + b"user\0bench\0database\0bench\0\0"
        line.sendall(struct.pack("!I", len(body) + 4) + body)
        until_ready(line)
        body = struct.pack("!IHHHI", 1397, 1, 1, 1, 4) + struct.pack("!i", -5) + struct.pack("!H", 1)  # abs(-5)
        line.sendall(b"F" + struct.pack("!I", len(body) + 4) + body)
        until_ready(line)
        line.sendall(b"X" + struct.pack("!I", 4))
    say("FunctionCall")


def until_ready(line):
    got = b""
    while not got.endswith(b"Z\0\0\0\x05I"):
        got += line.recv(65536)


print(json.dumps({"also": [["tls", "handshake"]]}))
psql()
pgbench()
with_psycopg()
asyncio.run(with_asyncpg())
function_call()
run("psql", "-c", "SELECT 1", ssl="require")  # all of it in TLS
time.sleep(0.2)
