"""librdkafka's mock broker. Writes its address to the file that is named, and stays until it is killed."""

import sys
import time

from confluent_kafka import Producer

holder = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
brokers = holder.list_topics(timeout=10).brokers
with open(sys.argv[1], "w") as file:
    file.write(" ".join(f"{broker.host}:{broker.port}" for broker in brokers.values()))
while True:
    time.sleep(60)
