//! Nanoseconds an exchange from frames to fact: a request and its response in a segment (or
//! datagram) each.

#![allow(missing_docs)]

use analyzer::{Analyzer, Config};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fact::{Fact, Sink};
use wire::{LinkType, RawFrame, TapId, Timestamp};

const REQUEST: &[u8] =
    b"GET /index.html?page=1 HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: wrk/4.1\r\n\
    Accept: */*\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
    Content-Type: text/plain\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, world\n";
const QUERY: &[u8] = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";
const ANSWER: &[u8] = b"\0\x07\x81\x80\0\x01\0\x01\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01\
    \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";
const MYSQL_QUERY: &[u8] =
    b"\x3c\0\0\0\x03SELECT name, price FROM items WHERE id = 4711 AND b = 'xyz'";
const MYSQL_ROWS: &[u8] =
    b"\x01\0\0\x01\x01\x17\0\0\x02\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0\
    \x05\0\0\x03\xfe\0\0\x02\0\x06\0\0\x04\x05hello\x05\0\0\x05\xfe\0\0\x02\0";
const POSTGRESQL_BATCH: &[u8] =
    b"P\0\0\0\x3b\0SELECT name, price FROM items WHERE id = $1 LIMIT 5\0\0\0\
    B\0\0\0\x13\0\0\0\0\0\x01\0\0\0\x03abc\0\0D\0\0\0\x06P\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04";
const POSTGRESQL_ROWS: &[u8] =
    b"1\0\0\0\x042\0\0\0\x04T\0\0\0\x1d\0\x01name\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0\
    D\0\0\0\x0f\0\x01\0\0\0\x05helloC\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";

const MQTT_CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c";
const MQTT_PUBLISH: &[u8] = b"\x32\x1a\0\x0esensors/room/1\0\x07payload!";
const AMQP_GET: &[u8] = b"\x01\0\x01\0\0\0\x0c\0\x3c\0\x46\0\0\x04work\0\xce";
const AMQP_EMPTY: &[u8] = b"\x01\0\x01\0\0\0\x05\0\x3c\0\x48\0\xce";
const AMQP1_TRANSFER: &[u8] =
    b"\0\0\0\x23\x02\0\0\x01\0\x53\x14\xc0\x0b\x06\x52\0\x52\x01\xa0\x01\x07\x43\x42\x42\
    \0\x53\x75\xa0\x06hello!";
const AMQP1_ACCEPTED: &[u8] =
    b"\0\0\0\x17\x02\0\0\x01\0\x53\x15\xc0\x0a\x05\x41\x52\x01\x40\x41\0\x53\x24\x45";
const CQL_QUERY: &[u8] =
    b"\x04\0\0\x07\x07\0\0\0\x2f\0\0\0\x28SELECT name FROM shop.items WHERE id = 5\0\x06\0";
const CQL_ROWS: &[u8] = b"\x84\0\0\x07\x08\0\0\0\x10\0\0\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\0";
const ZOOKEEPER_GET: &[u8] = b"\0\0\0\x19\0\0\0\x07\0\0\0\x04\0\0\0\x0c/service/one\x01";
const ZOOKEEPER_DATA: &[u8] = b"\0\0\0\x18\0\0\0\x07\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x04data";

/// A ClientHello that is answered with a HelloRetryRequest, again and again.
const CLIENT_HELLO: &[u8] = include_bytes!("data/tls_client_hello.bin");
const HELLO_RETRY: &[u8] = include_bytes!("data/tls_retry.bin");
/// A client's Initial packet that is answered with Version Negotiation, again and again.
const INITIAL: &[u8] = include_bytes!("data/quic_initial.bin");
const VERSIONS: &[u8] = include_bytes!("data/quic_versions.bin");
const CALL: &[u8] = b"\0\0\0\x1d\x80\x01\0\x01\0\0\0\x03get\0\0\0\x07\x0b\0\x01\0\0\0\x06hammer\0";
const REPLY: &[u8] = b"\0\0\0\x1d\x80\x01\0\x02\0\0\0\x03get\0\0\0\x07\x0b\0\0\0\0\0\x06hammer\0";
const KAFKA_PRODUCE: &[u8] =
    b"\0\0\x014\0\0\0\x07\0\0\0\x01\0\x17kafka-python-producer-1\xff\xff\0\x01\0\0u0\0\0\0\x01\0\x11qu\
    ickstart-events\0\0\0\x01\0\0\0\0\0\0\0\xe8\0\0\0\0\0\0\0\0\0\0\0\xdc\0\0\0\0\x02\xdeh9\xa1\0\0\
    \0\0\0\0\0\0\x01\x8b\xd2\"\xaf\x15\0\0\x01\x8b\xd2\"\xaf\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\
    \xff\xff\xff\xff\xff\0\0\0\x01\xd2\x02\0\0\0\x0aMyKey\x16Hello Kafka\x02\x06sw8\x9a\x021-YmI3OWZ\
    hMzQtZDAzZi00YmMyLThmYTktOTc5YWY3ODc3NDI2-MGQ4Y2U2MWEtZWYyYS00ZTIzLWI4ZjQtMmM1OWUzZjQ0ZDQ4-0-YWd\
    lbnQ6OnVp-djEuMC4w-L2hvbWVwYWdl-YXBw";
const KAFKA_PRODUCED: &[u8] =
    b"\0\0\0A\0\0\0\x01\0\0\0\x01\0\x11quickstart-events\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\xff\
    \xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0";
const MONGODB_FIND: &[u8] =
    b"\x84\0\0\0\x07\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0o\0\0\0\x02find\0\x06\0\0\0users\0\x03filter\0\
    \x15\0\0\0\x02name\0\x06\0\0\0Alice\0\0\x10limit\0\x01\0\0\0\x03lsid\0\x1e\0\0\0\x05id\0\x10\0\0\
    \0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02$db\0\x05\0\0\0shop\0\0";
const MONGODB_FOUND: &[u8] =
    b"\x84\0\0\0\x09\0\0\0\x07\0\0\0\xdd\x07\0\0\0\0\0\0\0o\0\0\0\x03cursor\0V\0\0\0\x04firstBatch\0&\
    \0\0\0\x030\0\x1e\0\0\0\x10_id\0\x01\0\0\0\x02name\0\x06\0\0\0Alice\0\0\0\x12id\0\0\0\0\0\0\0\0\
    \0\x02ns\0\x0b\0\0\0shop.users\0\0\x01ok\0\0\0\0\0\0\0\xf0?\0";
const DUBBO_CALL: &[u8] =
    b"\xda\xbb\xc2\0\0\0\0\0\0\0YX\0\0\0\xf8\x052.0.2\x1bmy.demo.service.UserService\x050.0.0\x05login\
    0$Ljava/lang/String;Ljava/lang/String;\x0b13780407607\x06x3#U9&H\x04path\x1bmy.demo.service.User\
    Service\x12remote.application\x08shop-web\x05sw8-x\x010\x03sw8\0\x0fsw8-correlation\0\x09interfa\
    ce\x1bmy.demo.service.UserService\x07version\x050.0.0Z";
const DUBBO_RESULT: &[u8] =
    b"\xda\xbb\x02\x14\0\0\0\0\0\0YX\0\0\0\xbf\x94C\x1dmy.demo.service.ServiceResult\x93\x06result\x07\
    message\x07success`C\x13my.demo.entity.User\x96\x0alastUpdate\x09createdAt\x05email\x06mobile\
    \x08nickname\x06userIdaJ\0\0\x01|\xdc\xce\x0e\0J\0\0\x01|\xde\x85\x82\0\0\x0b13780407607\x0b137*\
    ***7607\xf8\x17\0TH\x05dubbo\x052.0.2Z";
const ROCKETMQ_SEND: &[u8] =
    b"\0\0\x01*\0\0\x01\x1a{\"code\":310,\"extFields\":{\"a\":\"payers\",\"b\":\"Orders\",\"c\":\"TBW1\
    02\",\"d\":\"4\",\"e\":\"2\",\"f\":\"0\",\"g\":\"1700037570339\",\"h\":\"0\",\"i\":\"UNIQ_KEY\\u\
    0001AC1E0001\\u0002TAGS\\u0001new\",\"j\":\"0\",\"k\":\"false\",\"m\":\"false\"},\"flag\":0,\"la\
    nguage\":\"JAVA\",\"opaque\":6,\"serializeTypeCurrentRPC\":\"JSON\",\"version\":401}paid 7 euros";
const ROCKETMQ_SENT: &[u8] =
    b"\0\0\0\xa2\0\0\0\x9e{\"code\":0,\"extFields\":{\"queueId\":\"2\",\"msgId\":\"0A0000\",\"queueOff\
    set\":\"7\"},\"flag\":1,\"language\":\"JAVA\",\"opaque\":6,\"serializeTypeCurrentRPC\":\"JSON\",\
    \"version\":401}";

// Connections on which both tables know the fields by now, as most requests find them.
const HTTP2_BEGIN: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0v\x01\x05\0\0\0\x01\x82\x86D\x12/index.h\
    tml?page=1A\x11shop.example:8080z\x06h2load@\x0btraceparent700-0af7651916cd43dd8448eb211c80319c-\
    b7ad6b7169203331-01";
const HTTP2_BEGUN: &[u8] =
    b"\0\0\0\x04\0\0\0\0\0\0\x003\x01\x04\0\0\0\x01\x88_\ntext/plainv\x05nginxa\x1dMon, 01 Jan 2024 00:0\
    0:00 GMT\0\0\r\0\x01\0\0\0\x01Hello, world\n";
const HTTP2_REQUEST: &[u8] =
    b"\0\0?\x01\x05\0\0\0\x03\x82\x86\xc1\xc0\xbf\x0f/700-0af7651916cd43dd8448eb211c80319c-b7ad6b71692\
    03331-01";
const HTTP2_RESPONSE: &[u8] =
    b"\0\0\x04\x01\x04\0\0\0\x03\x88\xc0\xbf\xbe\0\0\r\0\x01\0\0\0\x03Hello, world\n";
const GRPC_BEGIN: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\\\x01\x04\0\0\0\x01\x83\x86D\x11/shop.v\
    1.Cart/GetA\x12shop.example:50051_\x10application/grpcz\x12grpc-python/1.71.0@\x02te\x08trailers\
    \0\0\n\0\x01\0\0\0\x01\0\0\0\0\x05hello";
const GRPC_BEGUN: &[u8] =
    b"\0\0\0\x04\0\0\0\0\0\0\0\x13\x01\x04\0\0\0\x01\x88_\x10application/grpc\0\0\n\0\0\0\0\0\x01\0\0\
    \0\0\x05hello\0\0\x0f\x01\x05\0\0\0\x01@\x0bgrpc-status\x010";
const GRPC_REQUEST: &[u8] =
    b"\0\0\x07\x01\x04\0\0\0\x03\x83\x86\xc2\xc1\xc0\xbf\xbe\0\0\n\0\x01\0\0\0\x03\0\0\0\0\x05hello";
const GRPC_RESPONSE: &[u8] =
    b"\0\0\x02\x01\x04\0\0\0\x03\x88\xbf\0\0\n\0\0\0\0\0\x03\0\0\0\0\x05hello\0\0\x01\x01\x05\0\0\0\
    \x03\xbe";
const WEBSOCKET_BEGIN: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const WEBSOCKET_BEGUN: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const WEBSOCKET_PING: &[u8] = b"\x89\x85\x01\x02\x03\x04abcde";
const WEBSOCKET_PONG: &[u8] = b"\x8a\x05````d";
const REDIS_SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000943\r\n$3\r\nxxx\r\n";
const MEMCACHED_GET: &[u8] = b"get user:1000:profile\r\n";
const MEMCACHED_VALUE: &[u8] = b"VALUE user:1000:profile 0 20\r\n01234567890123456789\r\nEND\r\n";
const NATS_REQUEST: &[u8] = b"PUB orders.new _INBOX.sXkYq2aFvR6dJ3.1 11\r\nHello world\r\n";
const NATS_REPLY: &[u8] = b"MSG _INBOX.sXkYq2aFvR6dJ3.1 1 2\r\nok\r\n";
const FASTCGI_REQUEST: &[u8] = b"\x01\x01\0\x01\0\x08\0\0\0\x01\x01\0\0\0\0\0\x01\x04\0\x01\0\x39\0\0\
    \x0e\x03REQUEST_METHODGET\x0b\x0aREQUEST_URI/index.php\x09\x04HTTP_HOSTshop\x01\x04\0\x01\0\0\0\0\x01\x05\0\x01\0\0\0\0";
const FASTCGI_ANSWER: &[u8] = b"\x01\x06\0\x01\0\x21\0\0Content-type: text/html\r\n\r\nhello\n\
    \x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0";

struct Exchanges(u64);

impl Sink for Exchanges {
    fn emit(&mut self, fact: Fact<'_>) {
        self.0 += u64::from(matches!(fact, Fact::Exchange(_)));
    }
}

/// Ethernet, IPv4 and the beginning of `l4` (ports first) before `payload`.
fn frame(to_server: bool, protocol: u8, port: u16, l4: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = (20 + 4 + l4.len() + payload.len()) as u16;
    let (hosts, ports) = ([[10, 0, 0, 1], [10, 0, 0, 2]], [40_000u16, port]);
    let from = usize::from(!to_server);
    let mut f = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    f.extend(length.to_be_bytes());
    f.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
    f.extend(hosts[from].into_iter().chain(hosts[1 - from]));
    f.extend(ports[from].to_be_bytes().into_iter().chain(ports[1 - from].to_be_bytes()));
    f.extend(l4);
    f.extend(payload);
    f
}

fn tcp(port: u16, to_server: bool, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let mut l4 = [seq.to_be_bytes(), ack.to_be_bytes()].concat();
    l4.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    frame(to_server, 6, port, &l4, payload)
}

fn udp(port: u16, to_server: bool, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    frame(to_server, 17, port, &[&length.to_be_bytes()[..], &[0, 0]].concat(), payload)
}

fn run(
    c: &mut Criterion,
    name: &str,
    before: &[Vec<u8>],
    mut pair: impl FnMut(u32) -> [Vec<u8>; 2],
) {
    const EACH: u32 = 1000;
    let mut analyzer = Analyzer::new(Config::default());
    let mut sink = Exchanges(0);
    let (mut number, mut round) = (0u64, 0);
    let mut show = |bytes: &[u8], sink: &mut Exchanges| {
        number += 1;
        let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + number * 1000);
        let (wire_len, link_type) = (bytes.len() as u32, LinkType::Ethernet);
        let frame = RawFrame { time, tap: TapId(0), link_type, wire_len, vlan: None, bytes };
        analyzer.frame(number, &frame, sink);
    };
    before.iter().for_each(|bytes| show(bytes, &mut sink));
    let greetings = sink.0;
    let mut asked = 0;
    let mut group = c.benchmark_group("exchange");
    group.throughput(Throughput::Elements(u64::from(EACH)));
    group.bench_function(name, |b| {
        b.iter_batched(
            || {
                let frames: Vec<_> = (round..round + EACH).flat_map(&mut pair).collect();
                round += EACH;
                frames
            },
            |frames| {
                frames.iter().for_each(|bytes| show(bytes, &mut sink));
                asked += u64::from(EACH);
                frames
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
    assert_eq!(sink.0 - greetings, asked, "{name}: every exchange is found");
}

/// A protocol's request and response, on its port. Over TCP, a connection runs as long as the
/// benchmark.
struct Case {
    name: &'static str,
    port: u16,
    /// What is said before, in turns: the client begins.
    before: &'static [&'static [u8]],
    request: &'static [u8],
    response: &'static [u8],
}

const STREAMS: &[Case] = &[
    Case { name: "http", port: 8080, before: &[], request: REQUEST, response: RESPONSE },
    Case {
        name: "http2",
        port: 8080,
        before: &[HTTP2_BEGIN, HTTP2_BEGUN],
        request: HTTP2_REQUEST,
        response: HTTP2_RESPONSE,
    },
    Case {
        name: "grpc",
        port: 50051,
        before: &[GRPC_BEGIN, GRPC_BEGUN],
        request: GRPC_REQUEST,
        response: GRPC_RESPONSE,
    },
    Case {
        name: "websocket",
        port: 8000,
        before: &[WEBSOCKET_BEGIN, WEBSOCKET_BEGUN],
        request: WEBSOCKET_PING,
        response: WEBSOCKET_PONG,
    },
    Case { name: "mysql", port: 3306, before: &[], request: MYSQL_QUERY, response: MYSQL_ROWS },
    Case {
        name: "postgresql",
        port: 5432,
        before: &[],
        request: POSTGRESQL_BATCH,
        response: POSTGRESQL_ROWS,
    },
    Case {
        name: "mqtt",
        port: 1883,
        before: &[MQTT_CONNECT, b"\x20\x02\0\0"],
        request: MQTT_PUBLISH,
        response: b"\x40\x02\0\x07",
    },
    Case { name: "amqp", port: 5672, before: &[], request: AMQP_GET, response: AMQP_EMPTY },
    Case {
        name: "amqp1",
        port: 5672,
        before: &[],
        request: AMQP1_TRANSFER,
        response: AMQP1_ACCEPTED,
    },
    Case { name: "cassandra", port: 9042, before: &[], request: CQL_QUERY, response: CQL_ROWS },
    Case {
        name: "zookeeper",
        port: 2181,
        before: &[],
        request: ZOOKEEPER_GET,
        response: ZOOKEEPER_DATA,
    },
    Case { name: "tls", port: 443, before: &[], request: CLIENT_HELLO, response: HELLO_RETRY },
    Case { name: "thrift", port: 9090, before: &[], request: CALL, response: REPLY },
    Case {
        name: "kafka",
        port: 9092,
        before: &[],
        request: KAFKA_PRODUCE,
        response: KAFKA_PRODUCED,
    },
    Case {
        name: "mongodb",
        port: 27_017,
        before: &[],
        request: MONGODB_FIND,
        response: MONGODB_FOUND,
    },
    Case { name: "dubbo", port: 20_880, before: &[], request: DUBBO_CALL, response: DUBBO_RESULT },
    Case {
        name: "rocketmq",
        port: 10_911,
        before: &[],
        request: ROCKETMQ_SEND,
        response: ROCKETMQ_SENT,
    },
    Case { name: "redis", port: 6379, before: &[], request: REDIS_SET, response: b"+OK\r\n" },
    Case {
        name: "memcached",
        port: 11_211,
        before: &[],
        request: MEMCACHED_GET,
        response: MEMCACHED_VALUE,
    },
    Case { name: "nats", port: 4222, before: &[], request: NATS_REQUEST, response: NATS_REPLY },
    Case {
        name: "fastcgi",
        port: 9000,
        before: &[],
        request: FASTCGI_REQUEST,
        response: FASTCGI_ANSWER,
    },
];
const DATAGRAMS: &[Case] = &[
    Case { name: "dns", port: 53, before: &[], request: QUERY, response: ANSWER },
    Case { name: "quic", port: 443, before: &[], request: INITIAL, response: VERSIONS },
];

fn exchanges(c: &mut Criterion) {
    for case in STREAMS {
        let (mut to, mut from) = (0u32, 0u32);
        let mut before: Vec<Vec<u8>> = Vec::new();
        for (turn, bytes) in case.before.iter().enumerate() {
            let asks = turn % 2 == 0;
            let (seq, ack) = if asks { (&mut to, from) } else { (&mut from, to) };
            before.push(tcp(case.port, asks, *seq, ack, bytes));
            *seq = seq.wrapping_add(bytes.len() as u32);
        }
        run(c, case.name, &before, |_| {
            let request = tcp(case.port, true, to, from, case.request);
            to = to.wrapping_add(case.request.len() as u32);
            let response = tcp(case.port, false, from, to, case.response);
            from = from.wrapping_add(case.response.len() as u32);
            [request, response]
        });
    }
    for case in DATAGRAMS {
        run(c, case.name, &[], |_| {
            [udp(case.port, true, case.request), udp(case.port, false, case.response)]
        });
    }
}

criterion_group!(benches, exchanges);
criterion_main!(benches);
