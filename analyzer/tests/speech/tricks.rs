//! Messages that say little in many bytes, or much in few.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// What is done to one connection.
pub(crate) struct Trick {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    /// What is said before, in turns: the client begins.
    pub(crate) before: &'static [&'static [u8]],
    /// Bytes of each direction are missing before the trick.
    pub(crate) after_hole: bool,
    pub(crate) to_server: fn() -> Vec<u8>,
    pub(crate) to_client: fn() -> Vec<u8>,
    /// Bytes of a segment.
    pub(crate) size: usize,
}

const JUMBO: usize = 32_000;

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    compress_to_vec(plain, CompressionLevel::Fastest)
}

/// Compressed packets of MySQL, `count` times the same.
fn mysql(plain: &[u8], compress: fn(&[u8]) -> Vec<u8>, count: usize) -> Vec<u8> {
    numbered(0, plain, compress).repeat(count)
}

fn numbered(sequence: u8, plain: &[u8], compress: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let body = compress(plain);
    let (packed, whole) = ((body.len() as u32).to_le_bytes(), (plain.len() as u32).to_le_bytes());
    [&packed[..3], &[sequence], &whole[..3], &body].concat()
}

fn pings() -> Vec<u8> {
    b"\x01\0\0\0\x0e".repeat(1 << 20)
}

/// A packet of nothing that is nearly as large as can be, and another behind it.
fn blob() -> Vec<u8> {
    let mut plain = vec![0; 12 << 20];
    plain[..5].copy_from_slice(b"\0\0\xb0\0\x03");
    plain
}

/// Rows of a result that was asked for.
fn rows() -> Vec<u8> {
    let begin = b"\x01\0\0\x01\x01\x17\0\0\x02\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0\x05\0\0\x03\xfe\0\0\x02\0";
    let mut plain = begin.to_vec();
    (0..2_000_000u32).for_each(|n| plain.extend([1, 0, 0, n as u8, 0]));
    plain
}

/// Compressed messages of MongoDB.
fn mongodb(compressor: u8, body: &[u8], count: usize) -> Vec<u8> {
    let length = (25 + body.len() as u32).to_le_bytes();
    let head =
        [&length[..], b"\x07\0\0\0\0\0\0\0\xdc\x07\0\0\xdd\x07\0\0\0\0\x01\0", &[compressor]]
            .concat();
    [head, body.to_vec()].concat().repeat(count)
}

/// A message of many small elements, as long as is looked at and longer.
fn elements() -> Vec<u8> {
    let mut plain = b"\0\0\0\0\0\xfb\xff\xff\x01\x02find\0\x02\0\0\0a\0".to_vec();
    plain.resize(64 << 10, 0);
    plain[22..].chunks_exact_mut(3).for_each(|element| element.copy_from_slice(b"\x0aa\0"));
    plain
}

fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0x0087_5060;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            crc ^= if crc & 0x0100_0000 != 0 { 0x0197_4f0b } else { 0 };
        }
    }
    crc
}

/// Segments of Cassandra, each with one envelope thousands of times, compressed by LZ4.
fn cassandra() -> Vec<u8> {
    let envelope = b"\x05\0\0\x01\x05\0\0\0\0";
    let mut block = [&[0x9f], &envelope[..], &[9, 0]].concat();
    block.resize(block.len() + 512, 0xff);
    block.push(0);
    let unpacked = 9 + 15 + 512 * 255 + 4;
    let bits = block.len() as u64 | unpacked << 17 | 1 << 34;
    let head = &bits.to_le_bytes()[..5];
    let segment = [head, &crc24(head).to_le_bytes()[..3], &block, &[0; 4]].concat();
    segment.repeat(100)
}

fn http(fields: &str, count: usize) -> Vec<u8> {
    format!("GET /a HTTP/1.1\r\n{fields}\r\n").into_bytes().repeat(count)
}

fn fat_fields() -> String {
    let value = "v".repeat(1000);
    let names = ["host", "b3", "sw8", "user-agent", "traceparent", "x-request-id", "content-type"];
    names.iter().map(|name| format!("{name}: {value}\r\n")).collect()
}

fn http2(kind: u8, flags: u8, number: u32, payload: &[u8]) -> Vec<u8> {
    let stream = (number * 2 + 1).to_be_bytes();
    [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags], &stream, payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// Large fields that are said once, and then by a byte each, of requests that do not end.
fn fat_streams() -> Vec<u8> {
    let mut first = b"\x3f\xe1\xff\x03\x82\x86\x84".to_vec();
    for name in ["b3", "sw8", "user-agent", "traceparent", "x-request-id", "content-type"] {
        first.extend([0x40, name.len() as u8]);
        first.extend(name.as_bytes());
        first.extend([0x7f, 0xe9, 0x06]);
        first.extend([b'v'; 1000]);
    }
    let next = b"\x82\x86\x84\xbe\xbf\xc0\xc1\xc2\xc3";
    let rest = (1..20_000).flat_map(|n| http2(1, 4, n, next));
    http2(1, 4, 0, &first).into_iter().chain(rest).collect()
}

fn amqp(channel: u16, method: &[u8]) -> Vec<u8> {
    let size = (method.len() as u32).to_be_bytes();
    [b"\x01", &channel.to_be_bytes()[..], &size, method, b"\xce"].concat()
}

/// Consumers with long names on many channels.
fn consumers() -> Vec<u8> {
    let one = |n: u32| {
        let tag = format!("{n:0255}");
        let names = [&[255], tag.as_bytes(), &[255], tag.as_bytes()].concat();
        amqp(1 + (n % 250) as u16, &[b"\0\x3c\0\x14\0\0", &names[..], b"\x08\0\0\0\0"].concat())
    };
    (0..20_000).flat_map(one).collect()
}

/// A content whose header comes again and again.
fn headers() -> Vec<u8> {
    let publish = amqp(1, b"\0\x3c\0\x28\0\0\x01e\x01k\0");
    let header = b"\x02\0\x01\0\0\0\x12\0\x3c\0\0\0\0\0\0\0\0\0\x09\x80\0\x03a/b\xce";
    [publish, header.repeat(40_000)].concat()
}

/// Parameters of one request without end.
fn parameters() -> Vec<u8> {
    let record = [&b"\x01\x04\0\x01\x03\xd4\0\0"[..], &b"\x07\x05HTTP_B3aaaaa".repeat(70)].concat();
    [&b"\x01\x01\0\x01\0\x08\0\0\0\x01\x01\0\0\0\0\0"[..], &record.repeat(4000)].concat()
}

/// Prepared statements, each under a long name of its own.
fn statements() -> Vec<u8> {
    let one = |n: u32| {
        let body = [format!("{n:0200}").as_bytes(), b"\0SELECT 1\0\0\0"].concat();
        [b"P", &(body.len() as u32 + 4).to_be_bytes()[..], &body].concat()
    };
    (0..20_000).flat_map(one).collect()
}

/// Requests behind a CONNECT that is not answered, and as many as wait for its answer.
fn connect() -> Vec<u8> {
    [b"CONNECT a:1 HTTP/1.1\r\n\r\n".to_vec(), http("", 3000)].concat()
}

fn nothing() -> Vec<u8> {
    Vec::new()
}

fn topics() -> Vec<u8> {
    [&b"xx"[..], &b"0\xc3\xb00\x30\x30".repeat(10_000)].concat()
}

/// Answers with as many aliases as there is room for, each the name of the next.
fn aliases() -> Vec<u8> {
    let mut message = b"\0\x07\x81\x80\0\x01\xff\xff\0\0\0\0\x01a\0\0\x01\0\x01".to_vec();
    while message.len() < 4090 {
        let at = (message.len() as u16 - 2) | 0xc000;
        let name = if message.len() < 25 { 0xc00c } else { at };
        message.extend(name.to_be_bytes());
        message.extend(b"\0\x05\0\x01\0\0\0\0\0\x04\x01b");
        message.extend([0xc0, 0x0c]);
    }
    [&(message.len() as u16).to_be_bytes()[..], &message].concat().repeat(100)
}

/// A hello and then alerts that are only warnings.
fn alerts() -> Vec<u8> {
    [
        include_bytes!("../../benches/data/tls_retry.bin"),
        &b"\x15\x03\x03\0\x02\x01\x5a".repeat(50_000)[..],
    ]
    .concat()
}

/// Errors that end nothing.
fn errors() -> Vec<u8> {
    b"E\0\0\0\x15SERROR\0C42601\0\0".repeat(50_000)
}

const NEITHER: Trick = Trick {
    name: "",
    port: 40_000,
    before: &[],
    after_hole: false,
    to_server: nothing,
    to_client: nothing,
    size: 1400,
};
const MYSQL: Trick = Trick { port: 3306, ..NEITHER };
const HTTP: Trick = Trick { port: 8080, ..NEITHER };
const UNKNOWN: Trick = Trick { size: 1, ..NEITHER };

pub(crate) const TRICKS: &[Trick] = &[
    Trick { name: "mysql: commands in zlib", to_server: || mysql(&pings(), zlib, 4), ..MYSQL },
    Trick { name: "mysql: commands in zstd", to_server: || mysql(&pings(), zstd, 4), ..MYSQL },
    Trick { name: "mysql: nothing in zlib", to_server: || mysql(&blob(), zlib, 4), ..MYSQL },
    Trick { name: "mysql: nothing in zstd", to_server: || mysql(&blob(), zstd, 40), ..MYSQL },
    Trick {
        name: "mysql: rows in zlib",
        to_server: || mysql(b"\x09\0\0\0\x03SELECT 1 FROM aaaaaaaaaaaaaaaaaaaa", zlib, 1),
        to_client: || numbered(1, &rows(), zlib),
        ..MYSQL
    },
    Trick {
        name: "mysql: rows in zstd",
        to_server: || mysql(b"\x09\0\0\0\x03SELECT 1 FROM aaaaaaaaaaaaaaaaaaaa", zstd, 1),
        to_client: || numbered(1, &rows(), zstd),
        ..MYSQL
    },
    Trick {
        name: "mongodb: elements in zlib",
        port: 27_017,
        to_server: || mongodb(2, &zlib(&elements()), 500),
        ..NEITHER
    },
    Trick {
        name: "mongodb: elements in zstd",
        port: 27_017,
        to_server: || mongodb(3, &zstd(&elements()), 500),
        ..NEITHER
    },
    Trick {
        name: "cassandra: envelopes in LZ4",
        port: 9042,
        before: &[b"\x05\0\0\x01\x01\0\0\0\x02\0\0", b"\x85\0\0\x01\x02\0\0\0\0"],
        to_server: cassandra,
        ..NEITHER
    },
    Trick {
        name: "http: fat requests",
        to_server: || http(&fat_fields(), 6000),
        size: JUMBO,
        ..HTTP
    },
    Trick {
        name: "http: a field repeated",
        to_server: || http(&"b3: a\r\n".repeat(8000), 100),
        size: JUMBO,
        ..HTTP
    },
    Trick {
        name: "http: lines byte by byte",
        to_server: || http(&"b: a\r\n".repeat(8000), 1),
        size: 1,
        ..HTTP
    },
    Trick {
        name: "http: behind CONNECT",
        to_server: connect,
        to_client: || b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
        size: 20,
        ..HTTP
    },
    Trick {
        name: "http2: fat streams",
        before: &[PREFACE, SETTINGS],
        to_server: fat_streams,
        ..HTTP
    },
    Trick {
        name: "http2: blocks in each other",
        before: &[PREFACE, SETTINGS],
        after_hole: true,
        to_server: || b"\0\x10\0\x01\x04\0\0\0\x01".repeat(7000),
        size: JUMBO,
        ..HTTP
    },
    Trick { name: "amqp: consumers", port: 5672, to_server: consumers, ..NEITHER },
    Trick { name: "amqp: headers", port: 5672, to_server: headers, ..NEITHER },
    Trick { name: "fastcgi: parameters", port: 9000, to_server: parameters, ..NEITHER },
    Trick { name: "postgresql: statements", port: 5432, to_server: statements, ..NEITHER },
    Trick {
        name: "mqtt: topics in each other",
        port: 1883,
        before: &[b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c", b"\x20\x02\0\0"],
        after_hole: true,
        to_server: topics,
        size: JUMBO,
        ..NEITHER
    },
    Trick {
        name: "dns: aliases",
        port: 53,
        before: &[b"\0\x13\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01"],
        to_client: aliases,
        ..NEITHER
    },
    Trick {
        name: "tls: alerts",
        port: 443,
        to_server: || include_bytes!("../../benches/data/tls_client_hello.bin").to_vec(),
        to_client: alerts,
        ..NEITHER
    },
    Trick {
        name: "postgresql: errors",
        port: 5432,
        before: &[b"Q\0\0\0\x0dSELECT 1\0"],
        to_client: errors,
        ..NEITHER
    },
    Trick {
        name: "unknown: a line",
        to_server: || [&b"FOO "[..], &[b'a'; 200_000]].concat(),
        ..UNKNOWN
    },
    Trick { name: "unknown: ends of lines", to_server: || vec![b'\n'; 200_000], ..UNKNOWN },
    Trick { name: "unknown: zeroes", to_server: || vec![0; 200_000], ..UNKNOWN },
    Trick { name: "unknown: stars", to_server: || vec![b'*'; 200_000], ..UNKNOWN },
    Trick {
        name: "unknown: a preface",
        to_server: || b"PRI * HTTP/2.0\r\n".repeat(10_000),
        ..UNKNOWN
    },
];
