"""Does known things with an MQTT broker, and says on standard output what it did and how it went, as it saw it."""

import json
import sys
import threading
import time

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

HOST = sys.argv[1]
PASSWORD = "wonderland-17"
done = []


def operation(name):
    done.append({"protocol": "mqtt", "operation": name, "outcome": None})
    return done[-1]


class Client:
    """A connection that does one thing after the other."""

    def __init__(self, protocol, name, password=PASSWORD, will=None, keep_alive=60):
        self.answered = threading.Event()
        self.arrived = threading.Semaphore(0)
        self.waiting = None
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol)
        self.paho.username_pw_set("alice", password)
        if will:
            self.paho.will_set(will, b"gone", qos=1)
        self.paho.on_connect = lambda _c, _u, _f, code, _p: self.answer(code.is_failure)
        self.paho.on_subscribe = lambda _c, _u, _m, codes, _p: self.answer(any(c.is_failure for c in codes))
        self.paho.on_unsubscribe = lambda _c, _u, _m, codes, _p: self.answer(any(c.is_failure for c in codes))
        self.paho.on_publish = lambda _c, _u, _m, code, _p: self.answer(code.is_failure)
        self.paho.on_message = self.message
        self.does("CONNECT", lambda: self.paho.connect(HOST, 1883, keep_alive))

    def answer(self, failed):
        if self.waiting:
            self.waiting["outcome"] = "client_error" if failed else "ok"
            self.waiting = None
            self.answered.set()

    def message(self, _client, _data, _message):
        operation("PUBLISH")["outcome"] = "ok"
        self.arrived.release()

    def does(self, name, act):
        self.answered.clear()
        self.waiting = operation(name)
        act()
        if name == "CONNECT":
            self.paho.loop_start()
        assert self.answered.wait(5), name
        time.sleep(0.02)

    def publish(self, topic, payload, qos, **more):
        self.does("PUBLISH", lambda: self.paho.publish(topic, payload, qos, **more))

    def receive(self):
        assert self.arrived.acquire(timeout=5)
        time.sleep(0.05)

    def end(self):
        operation("DISCONNECT")["outcome"] = "ok"
        self.paho.disconnect()
        self.paho.loop_stop()
        time.sleep(0.05)

    def vanish(self):
        self.paho.loop_stop()
        self.paho.socket().close()
        time.sleep(0.1)


def refused(protocol):
    client = Client(protocol, "nobody", password="looking-glass")
    client.paho.loop_stop()


def conversation(protocol, properties):
    subscriber = Client(protocol, "subscriber", keep_alive=1)
    publisher = Client(protocol, "publisher", will="open/will")
    subscriber.does("SUBSCRIBE", lambda: subscriber.paho.subscribe([("open/+", 2), ("open/deep/#", 1)]))
    for qos in (0, 1, 2):
        publisher.publish("open/a", b"x" * 10 ** (qos + 1), qos, **properties())
        subscriber.receive()
    publisher.publish("open/deep/b", b"", 1, retain=True)
    subscriber.receive()
    subscriber.does("UNSUBSCRIBE", lambda: subscriber.paho.unsubscribe("open/deep/#"))
    subscriber.does("SUBSCRIBE", lambda: subscriber.paho.subscribe("open/will", 1))
    publisher.publish("open/kept", b"retained", 1, retain=True)
    subscriber.receive()
    subscriber.does("SUBSCRIBE", lambda: subscriber.paho.subscribe("open/kept", 1))
    subscriber.receive()
    publisher.publish("open/large", b"y" * 30000, 1)
    subscriber.receive()
    time.sleep(2)
    return publisher, subscriber


def version_3():
    publisher, subscriber = conversation(mqtt.MQTTv311, dict)
    publisher.vanish()
    subscriber.receive()
    subscriber.end()


def version_5():

    def alias():
        properties = Properties(PacketTypes.PUBLISH)
        properties.TopicAlias = 1
        properties.UserProperty = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        return {"properties": properties}

    publisher, subscriber = conversation(mqtt.MQTTv5, alias)
    publisher.publish("closed/a", b"not allowed", 1)
    subscriber.does("SUBSCRIBE", lambda: subscriber.paho.subscribe("open/nobody-writes", 0))
    publisher.end()
    subscriber.end()


refused(mqtt.MQTTv311)
refused(mqtt.MQTTv5)
version_3()
version_5()
print(json.dumps({"also": [["mqtt", "PINGREQ"]]}))
for line in done:
    print(json.dumps(line))
