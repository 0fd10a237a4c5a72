//! What each protocol says, made to be repeated: a beginning, any number of requests with their
//! answers, a head that is as large as can be.

pub(crate) mod tricks;

/// A protocol over TCP, as its attackers use it.
pub(crate) struct Speech {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    /// What is said before, in turns: the client begins.
    pub(crate) before: &'static [&'static [u8]],
    /// The request with this number, and the answer to it.
    pub(crate) ask: fn(u32) -> Vec<u8>,
    pub(crate) answer: fn(u32) -> Vec<u8>,
    /// A message of the client that is not whole after 64 KiB, or is one of the largest.
    pub(crate) head: fn() -> Vec<u8>,
}

/// Bytes of a head.
const LONG: usize = 64 * 1024;

fn filled(begin: &[u8], fill: &[u8]) -> Vec<u8> {
    begin.iter().chain(fill.iter().cycle()).copied().take(LONG).collect()
}

fn be32(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&be32(body.len() as u32)[..], &body].concat()
}

/// `message` with `bytes` in the place of those at `at`.
fn patched(message: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[at..at + bytes.len()].copy_from_slice(bytes);
    message
}

fn http2_frame(kind: u8, flags: u8, number: u32, payload: &[u8]) -> Vec<u8> {
    let stream = be32(number % (1 << 29) * 2 + 1);
    [&be32(payload.len() as u32)[1..], &[kind, flags], &stream, payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// A block, then frames that each go on with a byte of it.
fn http2_head() -> Vec<u8> {
    let next = http2_frame(9, 0, 0, b"\x82");
    filled(&http2_frame(1, 1, 0, b"\x82\x86\x84"), &next)
}

const GRPC_CALL: &[u8] = b"\x83\x86\x44\x04/s/m\x0f\x10\x10application/grpc";
const GRPC_ANSWER: &[u8] = b"\x88\x0f\x10\x10application/grpc";
const GRPC_STATUS: &[u8] = b"\0\x0bgrpc-status\x010";

const UPGRADE: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const CLIENT_HELLO: &[u8] = include_bytes!("../../benches/data/tls_client_hello.bin");
const HELLO_RETRY: &[u8] = include_bytes!("../../benches/data/tls_retry.bin");
const DUBBO_CALL: &[u8] = b"\xda\xbb\xc2\0\0\0\0\0\0\0\0\0\0\0\0\x0e\x052.0.2\x03s.S\x010\x01m";
const DUBBO_RESULT: &[u8] = b"\xda\xbb\x02\x14\0\0\0\0\0\0\0\0\0\0\0\x01\x95";
const MONGODB_FIND: &[u8] = b"\x38\0\0\0\x07\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x23\0\0\0\
    \x02find\0\x06\0\0\0users\0\x02$db\0\x05\0\0\0shop\0\0";
const MONGODB_FOUND: &[u8] =
    b"\x26\0\0\0\x09\0\0\0\x07\0\0\0\xdd\x07\0\0\0\0\0\0\0\x11\0\0\0\x01ok\0\0\0\0\0\0\0\xf0?\0";

fn rocketmq(json: &str) -> Vec<u8> {
    let header = json.len() as u32;
    [&be32(header + 4)[..], &be32(header), json.as_bytes()].concat()
}

/// One field and the next.
fn json_head() -> Vec<u8> {
    let fields: String = (0..3500).map(|n| format!("\"k{n}\":\"v\",")).collect();
    let json =
        format!("{{\"code\":310,\"flag\":0,\"opaque\":1,\"extFields\":{{{fields}\"z\":\"\"}}}}");
    rocketmq(&json[..])
}

/// A request for the metadata of many topics.
fn kafka_head() -> Vec<u8> {
    let topics: Vec<u8> = (0..8000u32)
        .flat_map(|n| [b"\0\x06t".as_slice(), format!("{n:05}").as_bytes()].concat())
        .collect();
    framed(&[b"\0\x03\0\x01\0\0\0\x09\0\x01c", &be32(8000), &topics])
}

fn amqp(channel: u16, method: &[u8]) -> Vec<u8> {
    let size = be32(method.len() as u32);
    [b"\x01", &channel.to_be_bytes()[..], &size, method, b"\xce"].concat()
}

fn cql(kind: [u8; 2], stream: u32, body: &[u8]) -> Vec<u8> {
    let stream = (stream as u16 & 0x7fff).to_be_bytes();
    [&kind[..1], &[0], &stream, &kind[1..], &be32(body.len() as u32), body].concat()
}

fn fastcgi(kind: u8, id: u32, content: &[u8]) -> Vec<u8> {
    let (id, length) =
        (((id % 65_535) as u16 + 1).to_be_bytes(), (content.len() as u16).to_be_bytes());
    [&[1, kind], &id[..], &length, &[0, 0], content].concat()
}

fn packet_id(number: u32) -> [u8; 2] {
    ((number % 65_535) as u16 + 1).to_be_bytes()
}

fn dns(number: u32, message: &[u8]) -> Vec<u8> {
    let message = patched(message, 0, &(number as u16).to_be_bytes());
    [&(message.len() as u16).to_be_bytes()[..], &message].concat()
}

fn thrift(kind: u8, number: u32, body: &[u8]) -> Vec<u8> {
    framed(&[&[0x80, 1, 0, kind], b"\0\0\0\x03get", &be32(number), body])
}

/// A call of which nothing but its values tells the end: a list of empty texts.
fn thrift_head() -> Vec<u8> {
    filled(b"\x80\x01\0\x01\0\0\0\x03get\0\0\0\x07\x0f\0\x01\x0b\x00\x0f\xff\xff", b"\0\0\0\0")
}

pub(crate) const SPEECHES: &[Speech] = &[
    Speech {
        name: "http",
        port: 8080,
        before: &[],
        ask: |n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(),
        answer: |_| b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
        head: || filled(b"GET / HTTP/1.1\r\nHost: ", b"a"),
    },
    Speech {
        name: "http2",
        port: 8080,
        before: &[PREFACE, SETTINGS],
        ask: |n| http2_frame(1, 5, n, b"\x82\x86\x84"),
        answer: |n| http2_frame(1, 5, n, b"\x88"),
        head: http2_head,
    },
    Speech {
        name: "grpc",
        port: 50_051,
        before: &[PREFACE, SETTINGS],
        ask: |n| [http2_frame(1, 4, n, GRPC_CALL), http2_frame(0, 1, n, b"\0\0\0\0\0")].concat(),
        answer: |n| [http2_frame(1, 4, n, GRPC_ANSWER), http2_frame(1, 5, n, GRPC_STATUS)].concat(),
        head: || filled(&http2_frame(1, 1, 0, GRPC_CALL), &http2_frame(9, 0, 0, b"")),
    },
    Speech {
        name: "websocket",
        port: 8000,
        before: &[UPGRADE, UPGRADED],
        ask: |n| [b"\x89\x84\0\0\0\0", &be32(n)[..]].concat(),
        answer: |n| [b"\x8a\x04", &be32(n)[..]].concat(),
        head: || filled(b"\x01\xfe\xff\xff\0\0\0\0", b"a"),
    },
    Speech {
        name: "tls",
        port: 443,
        before: &[],
        ask: |_| CLIENT_HELLO.to_vec(),
        answer: |_| HELLO_RETRY.to_vec(),
        // A hello in records of one byte each.
        head: || filled(b"\x16\x03\x01\0\x01\x01\x16\x03\x01\0\x01\0", b"\x16\x03\x01\0\x01\x1f"),
    },
    Speech {
        name: "postgresql",
        port: 5432,
        before: &[],
        ask: |_| b"Q\0\0\0\x0dSELECT 1\0".to_vec(),
        answer: |_| b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I".to_vec(),
        head: || filled(b"Q\0\x01\0\0SELECT ", b"'',"),
    },
    Speech {
        name: "mysql",
        port: 3306,
        before: &[],
        ask: |_| b"\x09\0\0\0\x03SELECT 1".to_vec(),
        answer: |_| b"\x07\0\0\x01\0\0\0\x02\0\0\0".to_vec(),
        head: || filled(b"\0\0\x01\0\x03SELECT ", b"'',"),
    },
    Speech {
        name: "dubbo",
        port: 20_880,
        before: &[],
        ask: |n| patched(DUBBO_CALL, 8, &be32(n)),
        answer: |n| patched(DUBBO_RESULT, 8, &be32(n)),
        head: || filled(&patched(DUBBO_CALL, 12, &be32(LONG as u32)), b"\x57"),
    },
    Speech {
        name: "mongodb",
        port: 27_017,
        before: &[],
        ask: |n| patched(MONGODB_FIND, 4, &n.to_le_bytes()),
        answer: |n| patched(MONGODB_FOUND, 8, &n.to_le_bytes()),
        head: || {
            let begin =
                b"\0\0\x01\0\x07\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\xe0\xff\0\0\x02find\0\x06\0\0\0users\0";
            filled(begin, b"\x0a\x61\0")
        },
    },
    Speech {
        name: "rocketmq",
        port: 10_911,
        before: &[],
        ask: |n| rocketmq(&format!("{{\"code\":34,\"flag\":0,\"opaque\":{n}}}")),
        answer: |n| rocketmq(&format!("{{\"code\":0,\"flag\":1,\"opaque\":{n}}}")),
        head: json_head,
    },
    Speech {
        name: "kafka",
        port: 9092,
        before: &[],
        ask: |n| framed(&[b"\0\x12\0\0", &be32(n), b"\0\x01c"]),
        answer: |n| framed(&[&be32(n), b"\0\0", b"\0\0\0\0"]),
        head: kafka_head,
    },
    Speech {
        name: "dns",
        port: 53,
        before: &[],
        ask: |n| dns(n, b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01"),
        answer: |n| {
            dns(n, b"\0\0\x81\x80\0\x01\0\x01\0\0\0\0\x01a\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01")
        },
        // Names that point at each other.
        head: || {
            filled(
                b"\xff\xff\0\x07\x81\x80\0\x01\xff\xff\0\0\0\0\x01a\0\0\x01\0\x01",
                b"\xc0\x0c\0\x05\0\x01\0\0\0\0\0\x02\xc0\x0c",
            )
        },
    },
    Speech {
        name: "amqp",
        port: 5672,
        before: &[],
        ask: |n| amqp(1 + (n % 60_000) as u16, b"\0\x3c\0\x46\0\0\x01w\0"),
        answer: |n| amqp(1 + (n % 60_000) as u16, b"\0\x3c\0\x48\0"),
        head: || filled(b"\x01\0\x01\0\0\xff\xf0\0\x3c\0\x28\0\0\x01e\x01k\0", b"\0"),
    },
    Speech {
        name: "amqp1",
        port: 5672,
        before: &[b"AMQP\0\x01\0\0", b"AMQP\0\x01\0\0"],
        ask: |n| {
            let fields =
                [b"\0\x53\x14\xc0\x0c\x04\x52\0\x70", &be32(n)[..], b"\xa0\x01\x07\x43"].concat();
            [&be32(8 + fields.len() as u32)[..], b"\x02\0\0\x01", &fields].concat()
        },
        answer: |n| {
            let fields =
                [b"\0\x53\x15\xc0\x0d\x05\x41\x70", &be32(n)[..], b"\x40\x41\0\x53\x24\x45"]
                    .concat();
            [&be32(8 + fields.len() as u32)[..], b"\x02\0\0\x01", &fields].concat()
        },
        head: || filled(b"\0\0\xff\xff\x02\0\0\x01\0\x53\x14\xd0\0\0\xff\xe8\0\0\xff\0", b"\x40"),
    },
    Speech {
        name: "cassandra",
        port: 9042,
        before: &[],
        ask: |n| cql([4, 7], n, b"\0\0\0\x08SELECT 1\0\x06\0"),
        answer: |n| cql([0x84, 8], n, b"\0\0\0\x01"),
        head: || filled(&cql([4, 7], 1, &[])[..5], b"\0\0\xff\xf0\0\0\xff\xe0SELECT 1 "),
    },
    Speech {
        name: "mqtt",
        port: 1883,
        before: &[b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c", b"\x20\x02\0\0"],
        ask: |n| [b"\x32\x05\0\x01t", &packet_id(n)[..]].concat(),
        answer: |n| [b"\x40\x02", &packet_id(n)[..]].concat(),
        // As many filters as there is room for.
        head: || filled(b"\x82\xff\xff\x03\0\x01", b"\0\x01a\0"),
    },
    Speech {
        name: "fastcgi",
        port: 9000,
        before: &[],
        ask: |n| {
            [
                fastcgi(1, n, b"\0\x01\x01\0\0\0\0\0"),
                fastcgi(4, n, b"\x0e\x03REQUEST_METHODGET"),
                fastcgi(4, n, b""),
                fastcgi(5, n, b""),
            ]
            .concat()
        },
        answer: |n| {
            [fastcgi(6, n, b"Status: 200\r\n\r\n"), fastcgi(3, n, b"\0\0\0\0\0\0\0\0")].concat()
        },
        head: || {
            let begin =
                [&fastcgi(1, 1, b"\0\x01\x01\0\0\0\0\0")[..], b"\x01\x04\0\x01\xff\xff\0\0"]
                    .concat();
            filled(&begin, b"\x01\x01ab")
        },
    },
    Speech {
        name: "nats",
        port: 4222,
        before: &[],
        ask: |n| format!("PUB a _INBOX.{n} 0\r\n\r\n").into_bytes(),
        answer: |n| format!("MSG _INBOX.{n} 1 0\r\n\r\n").into_bytes(),
        head: || filled(b"CONNECT {\"a\":\"", b"a"),
    },
    Speech {
        name: "redis",
        port: 6379,
        before: &[],
        ask: |_| b"*1\r\n$4\r\nPING\r\n".to_vec(),
        answer: |_| b"+OK\r\n".to_vec(),
        head: || filled(b"GET ", b"a "),
    },
    Speech {
        name: "memcached",
        port: 11_211,
        before: &[],
        ask: |_| b"get a\r\n".to_vec(),
        answer: |_| b"END\r\n".to_vec(),
        head: || filled(b"get ", b"a "),
    },
    Speech {
        name: "zookeeper",
        port: 2181,
        before: &[],
        ask: |n| framed(&[&be32(n % (1 << 30) + 1), b"\0\0\0\x04\0\0\0\x02/a\x01"]),
        answer: |n| framed(&[&be32(n % (1 << 30) + 1), b"\0\0\0\0\0\0\0\x09\0\0\0\0"]),
        head: || {
            filled(b"\0\0\xff\xf0\0\0\0\x01\0\0\0\x0e", b"\0\0\0\x0d\0\0\0\0\0\0\0\0\x01a\0\0\0\0")
        },
    },
    Speech {
        name: "thrift",
        port: 9090,
        before: &[],
        ask: |n| thrift(1, n, b"\0"),
        answer: |n| thrift(2, n, b"\0"),
        head: thrift_head,
    },
];
