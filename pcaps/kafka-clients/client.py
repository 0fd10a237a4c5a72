"""librdkafka's producer and a consumer in a group, and what they sent and received by their own log."""

import json
import os
import re
import sys
import tempfile
import time

from confluent_kafka import Consumer, Producer

MESSAGES = 50
# The library writes its log there itself, to the last line.
log = tempfile.TemporaryFile("w+")
os.dup2(log.fileno(), 2)
common = {"bootstrap.servers": sys.argv[1], "debug": "protocol"}

producer = Producer({**common, "client.id": "payments", "acks": "all", "linger.ms": 5, "compression.type": "lz4"})
for number in range(MESSAGES):
    producer.produce("orders", key=str(number), value="v" * 200)
producer.flush(10)

consumer = Consumer({**common, "client.id": "billing", "group.id": "billing", "auto.offset.reset": "earliest"})
consumer.subscribe(["orders"])
seen, begin = 0, time.time()
while seen < MESSAGES and time.time() - begin < 20:
    message = consumer.poll(1)
    seen += message is not None and not message.error()
assert seen == MESSAGES
consumer.commit(asynchronous=False)
# What it fetches while it closes is not always logged.
consumer.pause(consumer.assignment())
begin = time.time()
while time.time() - begin < 1.5:
    consumer.poll(0.1)
consumer.close()
producer.flush(2)
del producer
time.sleep(1)

sent, received = {}, set()
log.seek(0)
for line in log:
    match = re.search(r"(\S+): (Sent|Received) (\w+?)(?:Request|Response) \(v\d+, .*CorrId (\d+)", line)
    if match:
        key = match[1], match[3], match[4]
        sent.setdefault(key) if match[2] == "Sent" else received.add(key)
# Versions and metadata are asked for by each of its connections, and not each time logged.
beside = ("ApiVersions", "ApiVersion", "Metadata")
print(json.dumps({"ordered": False, "also": [["kafka", "ApiVersions"], ["kafka", "Metadata"]]}))
for key in sent:
    if key[1] not in beside:
        outcome = "ok" if key in received else "no_response"
        print(json.dumps({"protocol": "kafka", "operation": key[1], "outcome": outcome}))
