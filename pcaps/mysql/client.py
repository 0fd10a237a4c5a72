"""Does known things with a MySQL server, and says on standard output what it did and how it went, as it saw it."""

import json
import os
import subprocess
import sys

import mysql.connector
import pymysql
from pymysql.constants import CLIENT, COMMAND

HOST, FILE = sys.argv[1:]
PASSWORD, CAROLS = "wonderland-17", "looking-glass-23"
SECRET = "white-rabbit-42"


def say(name, outcome="ok"):
    print(json.dumps({"protocol": "mysql", "operation": name, "outcome": outcome}))


def client_error(run, *arguments):
    try:
        run(*arguments)
    except (pymysql.MySQLError, mysql.connector.Error):
        return
    raise SystemExit(f"went well: {arguments}")


def connect(**how):
    how = {"user": "alice", "password": PASSWORD, "database": "shop", "autocommit": None, **how}
    connection = pymysql.connect(host=HOST, **how)
    say("COM_QUERY")  # SET NAMES
    return connection


def statements():
    connection = connect()
    cursor = connection.cursor()

    def query(statement, outcome="ok"):
        if outcome == "ok":
            cursor.execute(statement)
        else:
            client_error(cursor.execute, statement)
        say("COM_QUERY", outcome)

    query("SET NAMES utf8mb4")
    query("CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(64), note TEXT)")
    query(f"INSERT INTO items VALUES (1, '{SECRET}', 'it''s'), (2, \"{SECRET}\", NULL), (3, 'x', REPEAT('y', 2000))")
    query(f"SELECT id, name FROM items WHERE name = '{SECRET}' AND id IN (1, 2, 3)")
    query("UPDATE items SET name = 'z' WHERE id = 3")
    query(f"INSERT INTO items VALUES (1, '{SECRET}', NULL)", "client_error")
    query("SELECT * FROM nothing", "client_error")
    query("SELEC 1", "client_error")
    query("SELECT seq, REPEAT('r', 300) FROM seq_1_to_100")
    query("SELECT id FROM items WHERE id < 0")
    query("BEGIN")
    query("DELETE FROM items WHERE id = 3")
    query("ROLLBACK")
    query("SIGNAL SQLSTATE '53000'", "server_error")
    connection.ping(reconnect=False)
    say("COM_PING")
    connection.select_db("other")
    say("COM_INIT_DB")
    client_error(connection.select_db, "nowhere")
    say("COM_INIT_DB", "client_error")
    query(f"CREATE USER 'dave'@'%' IDENTIFIED BY '{SECRET}'")
    query("DROP USER 'dave'@'%'")
    connection._execute_command(COMMAND.COM_STATISTICS, b"")
    connection._rfile.read(int.from_bytes(connection._rfile.read(4)[:3], "little"))
    say("COM_STATISTICS")
    connection.close()
    say("COM_QUIT")


def several():
    connection = connect(client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True)
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT 2, 3 UNION SELECT 4, 5; UPDATE items SET note = 'n' WHERE id = 1; SELECT 6")
    while cursor.nextset():
        pass
    say("COM_QUERY")
    client_error(lambda: (cursor.execute("SELECT 1; SELECT nothing"), cursor.nextset()))
    say("COM_QUERY", "client_error")
    with open(FILE, "w") as file:
        file.writelines(f"{n}\t{SECRET}\tnote\n" for n in range(100, 400))
    cursor.execute(f"LOAD DATA LOCAL INFILE '{FILE}' INTO TABLE items")
    say("COM_QUERY")
    cursor.execute("SELECT COUNT(*) FROM items")
    assert cursor.fetchone() == (303,), "the file was not read"
    say("COM_QUERY")
    connection.close()
    say("COM_QUIT")


def prepared(**how):
    connection = mysql.connector.connect(
        host=HOST, user="alice", password=PASSWORD, database="shop", use_pure=True, ssl_disabled=True, autocommit=None, **how
    )
    session = ["COM_QUERY"] * 2  # SET NAMES, SET autocommit
    cursor = connection.cursor(prepared=True)
    for values in [(1, SECRET), (2, SECRET)]:
        cursor.execute("SELECT id, name, note FROM items WHERE id = ? AND name = ?", values)
        cursor.fetchall()
    execution = ["COM_STMT_RESET", "COM_STMT_EXECUTE"]
    for name in [*session, "COM_PING", "COM_STMT_PREPARE", *execution, *execution]:
        say(name)
    client_error(cursor.execute, "SELECT * FROM nothing WHERE a = ?", (1,))
    say("COM_STMT_CLOSE")
    say("COM_STMT_PREPARE", "client_error")
    plain = connection.cursor()
    say("COM_PING")
    plain.execute("SELECT seq, 'some text that repeats itself' FROM seq_1_to_500")
    plain.fetchall()
    say("COM_QUERY")
    plain.execute("SELECT '" + SECRET * 100 + "'")
    plain.fetchall()
    say("COM_QUERY")
    if not how:
        connection.cmd_change_user("carol", CAROLS, "shop")
        for name in ["COM_CHANGE_USER", *session]:
            say(name)
    connection.close()
    say("COM_QUIT")


def refused():
    for how in [{"password": SECRET}, {"user": "nobody"}, {"user": "carol", "password": CAROLS, "database": "other"}]:
        client_error(lambda: connect(**how))
        say("COM_CONNECT", "client_error")


def command_line(*options):
    """The statements of the program itself, then ours."""
    statements = "SELECT COUNT(*) FROM items; SELECT REPEAT(name, 50) FROM items; SELECT nothing;"
    command = ["mariadb", "--no-defaults", "--skip-auto-rehash", "--ssl=0", "-f", "-h", HOST, "-u", "alice", "shop", *options]
    environment = {**os.environ, "MYSQL_PWD": PASSWORD}
    subprocess.run(command, input=statements, env=environment, text=True, capture_output=True)
    for name, outcome in [("QUERY", "ok"), ("QUERY", "ok"), ("QUERY", "client_error"), ("QUIT", "ok")]:
        say(f"COM_{name}", outcome)


print(json.dumps({"also": [["tls", "handshake"]]}))
statements()
several()
prepared()
refused()
command_line()
command_line("--compress")
prepared(compress=True)
pymysql.connect(host=HOST, user="alice", password=PASSWORD, ssl={"check_hostname": False}).close()  # the rest is TLS
