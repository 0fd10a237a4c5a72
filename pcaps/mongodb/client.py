"""PyMongo's commands over connections without compression and with each of the three kinds, as its own monitoring reports them."""

import json
import sys
import time

from pymongo import InsertOne, MongoClient, WriteConcern, monitoring
from pymongo.errors import PyMongoError

SERVER = {91}


class Listener(monitoring.CommandListener):
    def started(self, event):
        pass

    def succeeded(self, event):
        reply = event.reply if isinstance(event.reply, dict) else {}
        self.tell(event, "client_error" if reply.get("writeErrors") else "ok")

    def failed(self, event):
        self.tell(event, "server_error" if event.failure.get("code") in SERVER else "client_error")

    def tell(self, event, outcome):
        print(json.dumps({"protocol": "mongodb", "operation": event.command_name, "outcome": outcome}))


print(json.dumps({"also": [["mongodb", "hello"], ["mongodb", "ismaster"]]}))


def attempt(action, *arguments, **named):
    try:
        return action(*arguments, **named)
    except PyMongoError as error:
        print(error, file=sys.stderr)


for number, compressor in enumerate([None, "zlib", "snappy", "zstd"]):
    options = {"compressors": compressor} if compressor else {}
    if not compressor:
        options.update(username="alice", password="wonderland-17", authMechanism="PLAIN")
    client = MongoClient(sys.argv[1], 27017, event_listeners=[Listener()], retryWrites=False, retryReads=False, **options)
    users = client.shop.users
    users.insert_one({"_id": number * 10, "name": "Alice", "text": "x" * 300 * number})
    attempt(users.insert_one, {"_id": number * 10})
    users.insert_many([{"_id": number * 10 + n, "name": "Bob"} for n in range(1, 4)])
    attempt(users.insert_many, [{"_id": 100 + number}, {"_id": 1}, {"_id": 2}], ordered=False)
    users.with_options(write_concern=WriteConcern(w=0)).insert_one({"_id": 200 + number})
    time.sleep(0.1)
    list(users.find({"name": "Alice"}))
    list(users.find({}, batch_size=2))
    list(users.aggregate([{"$match": {"name": "Bob"}}, {"$count": "n"}]))
    users.update_one({"name": "Bob"}, {"$set": {"name": "Eve"}})
    users.delete_one({"name": "Eve"})
    users.bulk_write([InsertOne({"_id": 300 + number})])
    client.admin.command("ping")
    attempt(client.admin.command, "nonsense")
    attempt(client.admin.command, "shutdown")
    attempt(client.admin.command, "usersInfo", "alice")
    users.create_index("name")
    users.drop()
    time.sleep(0.5)
    client.close()
