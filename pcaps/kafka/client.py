"""Every request in every version that broker and client library both know, one after the other over one connection, and some that
fail. What is printed is what the library decoded."""

import json
import socket
import struct
import sys

from kafka.protocol import consumer, metadata, producer
from kafka.record.default_records import DefaultRecordBatchBuilder

HEADERS = [("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
# Errors that tell of the state of the cluster; the others are the client's.
CLUSTER = {-1, 5, 6, 7, 8, 9, 14, 15, 16, 19, 20, 41, 51, 56}


def errors(thing):
    """All error codes in a decoded response."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            if key == "error_code":
                yield value
            else:
                yield from errors(value)
    elif isinstance(thing, (list, tuple)):
        for value in thing:
            yield from errors(value)


class Client:
    def __init__(self, address):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.correlation = 0

    def read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise SystemExit(f"the broker closed the connection after {self.last}")
            data += more
        return data

    def send(self, request):
        self.correlation += 1
        request.with_header(correlation_id=self.correlation, client_id="recorder")
        self.last = f"{request.name} {request.API_VERSION}"
        self.socket.sendall(request.encode(framed=True, header=True))
        return request

    def receive(self, request):
        data = self.read(struct.unpack(">i", self.read(4))[0])
        response = request.header.get_response_class().decode(data, header=True)
        code = next((code for code in errors(response.to_dict()) if code), 0)
        outcome = "ok" if code == 0 else "server_error" if code in CLUSTER else "client_error"
        name = request.name.removesuffix("Request")
        print(json.dumps({"protocol": "kafka", "operation": name, "outcome": outcome}))
        return response

    def ask(self, request):
        return self.receive(self.send(request))


def records(count, size):
    batch = DefaultRecordBatchBuilder(magic=2, compression_type=0, is_transactional=False, producer_id=-1, producer_epoch=-1,
                                      base_sequence=-1, batch_size=1 << 20)
    for offset in range(count):
        batch.append(offset, timestamp=1_700_000_000_000, key=b"k", value=b"v" * size, headers=HEADERS)
    return bytes(batch.build())


def main(address):
    client = Client(address)
    known = client.ask(metadata.ApiVersionsRequest[0]()).api_keys
    known = {entry[0]: (entry[1], entry[2]) for entry in ((e.api_key, e.min_version, e.max_version) for e in known)}

    def versions(request):
        first, last = known.get(request.API_KEY, (0, -1))
        return range(max(first, request.valid_versions[0]), min(last, request.valid_versions[1]) + 1)

    for v in versions(metadata.ApiVersionsRequest):
        client.ask(metadata.ApiVersionsRequest[v](client_software_name="recorder", client_software_version="1"))
    R = metadata.MetadataRequest
    ids = {}
    for v in versions(R):
        topic = R.MetadataRequestTopic(version=v, name="orders")
        answer = client.ask(R[v](topics=[topic], allow_auto_topic_creation=True))
        for t in answer.topics:
            if v >= 10:
                ids[t.name] = t.topic_id
    P = producer.ProduceRequest
    # Its answers to versions 5 to 6 are not as the specification has them.
    for v in (v for v in versions(P) if v not in (5, 6)):
        partition = P.TopicProduceData.PartitionProduceData(version=v, index=v % 4, records=records(v + 1, 40))
        data = P.TopicProduceData(version=v, name="orders", topic_id=ids.get("orders"), partition_data=[partition])
        # The mock answers producers that want no answer, so there are none here.
        for acks in (1, -1):
            client.ask(P[v](transactional_id=None, acks=acks, timeout_ms=1000, topic_data=[data]))
    F = consumer.FetchRequest
    for v in versions(F):
        for offset in (0, 1000):
            partition = F.FetchTopic.FetchPartition(version=v, partition=1, fetch_offset=offset, partition_max_bytes=1 << 20)
            topic = F.FetchTopic(version=v, topic="orders", topic_id=ids.get("orders"), partitions=[partition])
            client.ask(F[v](max_wait_ms=10, min_bytes=1, max_bytes=1 << 20, topics=[topic]))
    L = consumer.ListOffsetsRequest
    for v in versions(L):
        partition = L.ListOffsetsTopic.ListOffsetsPartition(version=v, partition_index=1, timestamp=-1)
        client.ask(L[v](replica_id=-1, topics=[L.ListOffsetsTopic(version=v, name="orders", partitions=[partition])]))
    C = metadata.FindCoordinatorRequest
    for v in versions(C):
        client.ask(C[v](key="billing", key_type=0, coordinator_keys=["billing"]))
    J, S, H, G = (getattr(consumer, name + "Request") for name in ("JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup"))
    O, A = consumer.OffsetCommitRequest, consumer.OffsetFetchRequest
    for v in (v for v in versions(J) if v < 6):
        group = {"group_id": f"billing-{v}"}
        protocol = J.JoinGroupRequestProtocol(version=v, name="range", metadata=b"x" * 30)
        joining = dict(group, session_timeout_ms=6000, rebalance_timeout_ms=6000, protocol_type="consumer", protocols=[protocol])
        joined = client.ask(J[v](member_id="", **joining))
        if joined.error_code == 79:
            joined = client.ask(J[v](member_id=joined.member_id, **joining))
        me = dict(group, generation_id=joined.generation_id, member_id=joined.member_id)
        w = min(v, 3)
        mine = S.SyncGroupRequestAssignment(version=w, member_id=joined.member_id, assignment=b"y" * 20)
        client.ask(S[w](protocol_type="consumer", protocol_name="range", assignments=[mine], **me))
        w = min(v, 3)
        client.ask(H[w](**me))
        client.ask(H[w](**dict(me, member_id="nobody")))
        for w in versions(O) if v == 0 else []:
            partition = O.OffsetCommitRequestTopic.OffsetCommitRequestPartition(version=w, partition_index=1, committed_offset=3)
            topic = O.OffsetCommitRequestTopic(version=w, name="orders", topic_id=ids.get("orders"), partitions=[partition])
            client.ask(O[w](generation_id_or_member_epoch=joined.generation_id, group_id=group["group_id"],
                            member_id=joined.member_id, topics=[topic]))
        for w in versions(A) if v == 0 else []:
            named = {"name": "orders", "partition_indexes": [0, 1]}
            if w < 8:
                client.ask(A[w](topics=[A.OffsetFetchRequestTopic(version=w, **named)], **group))
            else:
                inner = A.OffsetFetchRequestGroup
                topics = [inner.OffsetFetchRequestTopics(version=w, topic_id=ids.get("orders"), **named)]
                client.ask(A[w](groups=[inner(version=w, topics=topics, **group)]))
        # The mock has no members in its answers, as from version 3 on there are.
        client.ask(G[min(v, 2)](member_id=joined.member_id, **group))
    I = producer.InitProducerIdRequest
    for v in versions(I):
        mine = client.ask(I[v](transactional_id="payments", transaction_timeout_ms=6000))
    T, E = producer.AddPartitionsToTxnRequest, producer.EndTxnRequest
    transaction = {"transactional_id": "payments", "producer_id": mine.producer_id, "producer_epoch": mine.producer_epoch}
    for v in versions(T):
        w = min(v, 3)
        topic = T.AddPartitionsToTxnTopic(version=w, name="orders", partitions=[0, 2])
        client.ask(T[w](v3_and_below_transactional_id="payments", v3_and_below_producer_id=mine.producer_id,
                        v3_and_below_producer_epoch=mine.producer_epoch, v3_and_below_topics=[topic]))
    for v in versions(E):
        client.ask(E[v](committed=True, **transaction))
    v = versions(P)[-1]
    partition = P.TopicProduceData.PartitionProduceData(version=v, index=99, records=records(1, 40))
    client.ask(P[v](acks=1, timeout_ms=1000, topic_data=[P.TopicProduceData(version=v, name="orders", partition_data=[partition])]))


main(sys.argv[1])
