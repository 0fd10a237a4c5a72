//! Messages in pieces of any size, with gaps, and the exchanges that come of them.

use super::header::is_request;
use crate::contract::Probe;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::Outcome;

/// Bytes written as hexadecimal digits.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes()[..], body].concat()
}

/// A request of client `c`; `body` begins with the head's tagged fields where there are any.
fn request(key: u8, version: u8, correlation: u8, body: &[u8]) -> Vec<u8> {
    framed(&[&[0, key, 0, version, 0, 0, 0, correlation, 0, 1, b'c'][..], body].concat())
}

fn response(correlation: u8, body: &[u8]) -> Vec<u8> {
    framed(&[&[0, 0, 0, correlation][..], body].concat())
}

/// RequestHeader of a batch of `messages` that is `length` bytes long in all; its records are not
/// there.
fn batch(length: u32, compression: u8, messages: u32) -> Vec<u8> {
    let mut head =
        [&[0; 8][..], &(length - 12).to_be_bytes(), &[0; 4], &[2], &[0; 4], &[0, compression]]
            .concat();
    head.resize(57, 0);
    head.extend(messages.to_be_bytes());
    head
}

/// Produce v7 with a record that has the header `sw8`, and its response, of a real client and
/// broker.
const PRODUCE: [&str; 2] = [
    "00000134 0000 0007 00000001 00176b61666b612d707974686f6e2d70726f64756365722d31 ffff 0001 00007530
     00000001 0011717569636b73746172742d6576656e7473 00000001 00000000
     000000e8 0000000000000000 000000dc 00000000 02 de6839a1 0000 00000000 0000018bd222af15 0000018bd222af15
     ffffffffffffffff ffff ffffffff 00000001 d2020000000a4d794b65791648656c6c6f204b61666b61 02 06737738 9a02
     312d596d49334f575a684d7a51745a44417a5a693030596d4d794c54686d59546b744f546335595759334f4463334e4449322d
     4d475134593255324d5745745a575979595330305a54497a4c5749345a6a51744d6d4d314f57557a5a6a51305a4451342d302d
     5957646c626e51364f6e56702d646a45754d4334772d4c326876625756775957646c2d59584277",
    "00000041 00000001 00000001 0011717569636b73746172742d6576656e7473 00000001 00000000 0000
     0000000000000007 ffffffffffffffff 0000000000000000 00000000",
];

/// OffsetCommit v8 and its response, of a real client and broker.
const COMMIT: [&str; 2] = [
    "000000a9 0008 0008 00ed4de9 0020636f6e73756d65722d6672617564646574656374696f6e736572766963652d31 00
     166672617564646574656374696f6e73657276696365 00000001 46636f6e73756d65722d6672617564646574656374696f6e73
     6572766963652d312d33663666323435312d643139322d346434392d626233622d663436656434396235376139 00
     02 076f7264657273 02 00000000 0000000000000000 ffffffff 01 00 00 00",
    "0000001b 00ed4de9 00 00000000 02 076f7264657273 02 00000000 0000 00 00 00",
];

/// A log-in of Kafka 0.10's days: handshake v0, then tokens without heads.
fn log_in(answer: &[u8]) -> Vec<(wire::Direction, Vec<u8>)> {
    vec![
        (C, request(17, 0, 1, b"\0\x05PLAIN")),
        (S, response(1, b"\0\0\0\0\0\x01\0\x05PLAIN")),
        (C, framed(b"\0alice\0wonder-land")),
        (S, framed(answer)),
        (C, request(3, 1, 2, b"\0\0\0\0")),
        (S, response(2, &[0; 12])),
    ]
}

pub(crate) fn scripts() -> Vec<Script> {
    let turns = |pair: [&str; 2]| [(C, hex(pair[0])), (S, hex(pair[1]))];
    let fetched = [
        &[0; 10][..],
        &[0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1],
        &[0; 14],
        &[0; 20],
        &[0, 0, 2, 0],
        &batch(300, 1, 7),
        &[9; 239],
        &batch(212, 0, 5),
        &[1; 151],
    ]
    .concat();
    let mut fetch = vec![0; 29];
    fetch.extend([0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1]);
    fetch.extend([0; 28]);
    vec![
        Script::new(36_333, 1, &turns(PRODUCE)),
        Script::new(9092, 1, &turns(COMMIT)),
        Script::new(9092, 1, &[(C, request(1, 7, 5, &fetch)), (S, response(5, &fetched))]),
        Script::new(9092, 2, &log_in(b"")),
        Script::new(
            9092,
            3,
            &[
                (
                    C,
                    [request(18, 3, 1, b"\0\x08rdkafka\x061.2.3\0"), request(12, 0, 2, b"\0\x01g")]
                        .concat(),
                ),
                (S, response(2, &[0, 27])),
                (S, response(1, b"\0\x23\0\0\0\0")),
                (C, request(0, 3, 3, &[255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
            ],
        ),
    ]
}

#[test]
fn a_produced_record_is_told_with_its_headers() {
    let mut t = Talk::tcp(36_333);
    t.c(hex(PRODUCE[0])).s(hex(PRODUCE[1]));
    let e = &t.found.exchanges[0];
    assert_eq!((e.operation.as_str(), e.outcome), ("Produce", Outcome::Ok));
    assert_eq!(text(e, "messaging.destination.name"), "quickstart-events");
    assert_eq!(text(e, "messaging.destination.partition.id"), "0");
    assert_eq!(text(e, "messaging.client.id"), "kafka-python-producer-1");
    assert_eq!(text(e, "messaging.operation.type"), "send");
    assert_eq!(int(e, "messaging.batch.message_count"), Some(1));
    assert_eq!(int(e, "messaging.kafka.acks"), Some(1));
    assert!(text(e, "messaging.message.header.sw8").starts_with("1-YmI3OWZhMzQt"), "{e:?}");
    assert_eq!((e.request.unwrap().bytes, e.response.unwrap().bytes), (312, 69));
}

#[test]
fn flexible_versions_are_read() {
    let mut t = Talk::tcp(9092);
    t.c(hex(COMMIT[0])).s(hex(COMMIT[1]));
    let e = &t.found.exchanges[0];
    assert_eq!((e.operation.as_str(), e.outcome), ("OffsetCommit", Outcome::Ok));
    assert_eq!(text(e, "messaging.consumer.group.name"), "frauddetectionservice");
    assert_eq!(text(e, "messaging.destination.name"), "orders");
    assert_eq!(int(e, "messaging.kafka.correlation_id"), Some(15_551_977));
}

#[test]
fn answers_come_in_any_order_with_their_errors() {
    let mut t = Talk::tcp(9092);
    t.c(request(18, 3, 1, b"\0\x08rdkafka\x061.2.3\0")).c(request(
        12,
        0,
        2,
        b"\0\x01g\0\0\0\0\0\0",
    ));
    t.c(request(12, 0, 3, b"\0\x01g\0\0\0\0\0\0"));
    t.s(response(3, &[0, 15])).s(response(2, &[0, 27])).s(response(1, b"\0\x23\0\0\0\0"));
    assert_eq!(
        t.told(),
        ["Heartbeat server_error", "Heartbeat client_error", "ApiVersions client_error"]
    );
    let errors: Vec<_> = t.found.exchanges.iter().map(|e| text(e, "error.type")).collect();
    assert_eq!(
        errors,
        ["COORDINATOR_NOT_AVAILABLE", "REBALANCE_IN_PROGRESS", "UNSUPPORTED_VERSION"]
    );
    assert_eq!(text(&t.found.exchanges[2], "user_agent.name"), "rdkafka");
}

#[test]
fn nobody_answers_a_producer_that_wants_no_acks() {
    let mut t = Talk::tcp(9092);
    let body = [
        &[255, 255, 0, 0][..],
        &[0; 4],
        b"\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x02\0\0\0\x3d",
        &batch(61, 2, 9),
    ];
    t.c(request(0, 3, 3, &body.concat()));
    let e = &t.found.exchanges[0];
    assert_eq!((e.operation.as_str(), e.outcome, e.response), ("Produce", Outcome::Ok, None));
    assert_eq!(int(e, "messaging.batch.message_count"), Some(9));
    assert_eq!(text(e, "messaging.destination.partition.id"), "2");
}

/// Fetch v13 of the topic of which metadata told the id, with a response of 4 MiB in two batches.
#[test]
fn records_are_passed_over_and_topics_known_by_their_ids() {
    let id = [7; 16];
    let topic = [&[2, 0, 0, 3, b'o', b'k'][..], &id, &[0, 1, 0, 0, 0, 0, 0], &[0, 0]].concat();
    let mut t = Talk::tcp(9092);
    t.c(request(3, 12, 1, &[0, 0, 1, 0, 0]));
    t.s(response(1, &[&[0][..], &[0; 4], &[1, 0, 0, 0, 0, 0], &topic].concat()));
    assert_eq!(t.told(), ["Metadata ok"]);
    let fetched = [&[2][..], &id, &[2], &[0; 32], &[0, 1, 1]].concat();
    t.c(request(1, 13, 2, &[&[0][..], &[0; 25], &fetched].concat()));
    let size = 2 << 20;
    let batches: Vec<u8> = [11, 12]
        .into_iter()
        .flat_map(|messages| {
            let mut batch = batch(size, 0, messages);
            batch.resize(size as usize, 1);
            batch
        })
        .collect();
    let length = hex("81808002");
    let partition =
        [&[2][..], &[0; 4 + 2 + 24], &[0, 0, 0, 0, 0], &length, &batches, &[0, 0, 0]].concat();
    let body = [&[0][..], &[0; 10], &[2], &id, &partition].concat();
    for piece in response(2, &body).chunks(10_000) {
        t.s(piece);
    }
    let e = &t.found.exchanges[1];
    assert_eq!((e.operation.as_str(), e.outcome), ("Fetch", Outcome::Ok));
    assert_eq!(text(e, "messaging.destination.name"), "ok");
    assert_eq!(int(e, "messaging.batch.message_count"), Some(23));
    assert!(t.conversation.bytes() < 100_000, "{}", t.conversation.bytes());
}

#[test]
fn lost_bytes_inside_a_message_lose_nothing_else() {
    let mut t = Talk::tcp(36_333);
    let produce = hex(PRODUCE[0]);
    t.c(&produce[..100]).gap(C, 150).c(&produce[250..]).s(hex(PRODUCE[1]));
    t.c(request(12, 0, 2, b"\0\x01g\0\0\0\0\0\0")).s(response(2, &[0, 0]));
    assert_eq!(t.told(), ["Produce ok", "Heartbeat ok"]);
    assert!(!t.found.exchanges[0].request.unwrap().whole);
}

#[test]
fn the_next_request_is_found_behind_a_hole() {
    let mut t = Talk::tcp(9092);
    let beat = |n| request(12, 0, n, b"\0\x01g\0\0\0\0\0\0");
    t.c(beat(1))
        .s(response(1, &[0, 0]))
        .c(beat(2))
        .gap(C, 500)
        .c([&[0, 0, 0, 9, 1][..], &beat(7)].concat());
    t.gap(S, 40)
        .s([&[0, 0, 0, 0, 0, 1][..], &response(7, &[0, 0])].concat())
        .c(beat(8))
        .s(response(8, &[0, 0]));
    t.over();
    assert_eq!(t.told(), ["Heartbeat ok", "Heartbeat ok", "Heartbeat ok", "Heartbeat lost_bytes"]);
}

#[test]
fn tokens_of_a_log_in_are_passed_over() {
    let mut t = Talk::tcp(9092);
    for (direction, bytes) in log_in(b"v=secret") {
        t.send(direction, &bytes);
    }
    assert_eq!(t.told(), ["SaslHandshake ok", "Metadata ok"]);
    assert_eq!(text(&t.found.exchanges[0], "messaging.kafka.sasl.mechanism"), "PLAIN");
    let all = format!("{:?}", t.found.exchanges);
    assert!(!all.contains("wonder") && !all.contains("secret"), "{all}");
    let mut t = Talk::tcp(9092);
    t.c(request(36, 1, 4, b"\0\0\0\x12\0alice\0wonder-land"))
        .s(response(4, b"\0\x3a\0\x03bad\0\0\0\0"));
    assert_eq!(t.told(), ["SaslAuthenticate client_error"]);
    assert_eq!(text(&t.found.exchanges[0], "error.type"), "SASL_AUTHENTICATION_FAILED");
    assert!(!format!("{:?}", t.found.exchanges).contains("wonder"));
}

#[test]
fn other_protocols_are_not_taken_for_it() {
    let zookeeper = hex(
        "0000002d 00000000 0000000000014142 00007530 0000000000000000 00000010 0000000000000000",
    );
    let settings = hex("000012 04 00 00000000 0003 00000064 0004 00100000 0006 00004000");
    let startup =
        hex("00000029 00030000 7573657200706f7374677265730064617461626173650074657374000000000000");
    let rocketmq = hex("0000009b 0000008f 7b22636f6465223a3130");
    let cassandra = hex("04000000 05000000 00000000");
    let dns = hex("001d 0007 0000 0001 0000 0000 0000 03777777 07657861");
    for bytes in [zookeeper, settings, startup, rocketmq, cassandra, dns] {
        assert_ne!(is_request(&bytes, false), Probe::Yes, "{bytes:?}");
        assert_ne!(is_request(&bytes, true), Probe::Yes, "{bytes:?}");
    }
    let anonymous = framed(&[0, 18, 0, 0, 0, 0, 0, 1, 255, 255]);
    assert_eq!(
        (is_request(&anonymous, true), is_request(&anonymous, false)),
        (Probe::Yes, Probe::No)
    );
}
