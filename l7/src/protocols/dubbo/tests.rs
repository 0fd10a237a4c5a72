//! Messages in pieces of any size, with gaps, and the exchanges that come of them.

use super::header::Header;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::Outcome;

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

fn message(flags: u8, status: u8, id: u64, body: &[u8]) -> Vec<u8> {
    [&[0xda, 0xbb, flags, status][..], &id.to_be_bytes(), &(body.len() as u32).to_be_bytes(), body]
        .concat()
}

const CALL: &[u8] =
    b"\x052.0.2\x06a.Echo\x050.0.0\x03say\x30\x24Ljava/lang/String;Ljava/lang/Object;";
const REQUEST: u8 = 0xc2;
const ONE_WAY: u8 = 0x82;
const HEARTBEAT: u8 = 0xe2;

fn call(id: u64, rest: &[u8]) -> Vec<u8> {
    message(REQUEST, 0, id, &[CALL, rest].concat())
}

/// A call with its response, of a real client and server.
const REAL: [&str; 2] = [
    "dabbc2000000000000005958000000f805322e302e321b6d792e64656d6f2e736572766963652e5573657253657276696365
     05302e302e30056c6f67696e30244c6a6176612f6c616e672f537472696e673b4c6a6176612f6c616e672f537472696e673b
     0b3133373830343037363037067833235539264804706174681b6d792e64656d6f2e736572766963652e55736572536572
     766963651272656d6f74652e6170706c69636174696f6e0873686f702d776562057377382d780130037377380 00f7377382d
     636f7272656c6174696f6e0009696e746572666163651b6d792e64656d6f2e736572766963652e5573657253657276696365
     0776657273696f6e05302e302e305a",
    "dabb02140000000000005958000000bf94431d6d792e64656d6f2e736572766963652e53657276696365526573756c74
     9306726573756c74076d657373616765077375636365737360431 36d792e64656d6f2e656e746974792e5573657296
     0a6c61737455706461746509637265617465644174",
];

fn real() -> [(wire::Direction, Vec<u8>); 2] {
    let [request, response] = REAL.map(hex);
    // The end of the response, which nobody looks at, is left out.
    let mut response = response;
    let body = (response.len() - 16) as u32;
    response[12..16].copy_from_slice(&body.to_be_bytes());
    [(C, request), (S, response)]
}

pub(crate) fn scripts() -> Vec<Script> {
    let failed = b"\x90C\x0aa.NotFound\x91\x03msg\x60\x02no";
    vec![
        Script::new(20_880, 1, &real()),
        Script::new(
            4000,
            4,
            &[
                (
                    C,
                    [
                        call(1, b"\x02hi\x93H\x03sw8\x051-a-bZ"),
                        call(2, b"NNHZ"),
                        message(HEARTBEAT, 0, 3, b"N"),
                    ]
                    .concat(),
                ),
                (
                    S,
                    [
                        message(0x22, 20, 3, b"N"),
                        message(2, 20, 2, failed),
                        message(2, 20, 1, b"\x91\x02yo"),
                    ]
                    .concat(),
                ),
                (C, [message(ONE_WAY, 0, 4, CALL), call(5, &[b'x'; 9000])].concat()),
                (S, message(2, 60, 5, b"\x07missing")),
            ],
        ),
    ]
}

#[test]
fn a_call_is_told_with_service_method_and_status() {
    let mut t = Talk::tcp(20_880);
    for (direction, bytes) in real() {
        t.send(direction, &bytes);
    }
    let e = &t.found.exchanges[0];
    assert_eq!((e.operation.as_str(), e.outcome), ("login", Outcome::Ok));
    assert_eq!(text(e, "rpc.service"), "my.demo.service.UserService");
    assert_eq!(text(e, "rpc.method"), "login");
    assert_eq!(text(e, "rpc.dubbo.parameter_types"), "Ljava/lang/String;Ljava/lang/String;");
    assert_eq!(
        (int(e, "rpc.status_code"), text(e, "rpc.response.status_code")),
        (Some(20), "OK".into())
    );
    assert_eq!(text(e, "rpc.dubbo.client.application"), "shop-web");
    assert!(!format!("{e:?}").contains("13780407607"), "arguments are not kept");
}

#[test]
fn attachments_stand_behind_whatever_is_passed() {
    let mut t = Talk::tcp(4000);
    let object = b"C\x05a.Big\x92\x01a\x01b\x60\x57\x90\x91Z\x78";
    t.c(call(
        1,
        &[
            &b"\x02hi"[..],
            object,
            b"H\x04path\x01x\x05sizes\x92\x0btraceparent\x0500-ab\x03sw8\x051-a-bZ",
        ]
        .concat(),
    ));
    t.s(message(2, 20, 1, b"\x92"));
    let e = &t.found.exchanges[0];
    assert_eq!(text(e, "rpc.request.metadata.sw8"), "1-a-b");
    assert_eq!(text(e, "rpc.request.metadata.traceparent"), "00-ab");
}

#[test]
fn dubbox_has_a_number_before_the_types() {
    let mut t = Talk::tcp(4000);
    let call = b"\x052.8.4\x06a.Echo\x050.0.0\x03say\x8f\x01I\x91H\x03sw8\x051-a-bZ";
    t.c(message(REQUEST, 0, 1, call)).s(message(2, 20, 1, b"\x92"));
    assert_eq!(text(&t.found.exchanges[0], "rpc.request.metadata.sw8"), "1-a-b");
}

#[test]
fn answers_find_their_calls_and_say_what_went_wrong() {
    let mut t = Talk::tcp(4000);
    for (direction, bytes) in &scripts()[1].turns {
        t.send(*direction, bytes);
    }
    assert_eq!(t.told(), ["say server_error", "say ok", "say ok", "say client_error"]);
    let kinds: Vec<_> = t.found.exchanges.iter().map(|e| text(e, "error.type")).collect();
    assert_eq!(kinds, ["a.NotFound", "", "", "SERVICE_NOT_FOUND"]);
    assert_eq!(t.found.exchanges[2].response, None);
}

#[test]
fn a_server_can_call_back() {
    let mut t = Talk::tcp(20_880);
    t.c(message(HEARTBEAT, 0, 1, b"N")).s(message(0x22, 20, 1, b"N"));
    t.c(call(2, b"NNHZ"))
        .s(call(2, b"NNHZ"))
        .c(message(2, 20, 2, b"\x92"))
        .s(message(2, 20, 2, b"\x92"));
    let sides: Vec<_> = t.found.exchanges.iter().map(|e| e.server.port).collect();
    assert_eq!(sides, [40_000, 20_880]);
}

#[test]
fn json_is_read_and_other_forms_are_named() {
    let mut t = Talk::tcp(4000);
    let json =
        b"\"2.0.2\"\n\"a.Echo\"\n\"1.0\"\n\"say\"\n\"Ljava/lang/String;\"\n\"secret\"\n{\"path\":\"x\"}\n";
    t.c(message(0xc6, 0, 1, json)).s(message(6, 20, 1, b"0\n{}\n"));
    t.c(message(0xc8, 0, 2, &[1, 2, 3])).s(message(8, 20, 2, &[1]));
    assert_eq!(t.told(), ["say server_error", "ok"]);
    assert_eq!(text(&t.found.exchanges[0], "rpc.service"), "a.Echo");
    assert_eq!(text(&t.found.exchanges[1], "rpc.dubbo.serialization"), "kryo");
    assert!(!format!("{:?}", t.found.exchanges).contains("secret"));
}

#[test]
fn calls_are_found_in_the_middle_and_behind_holes() {
    let mut t = Talk::tcp(4000);
    t.c([7; 90])
        .c(call(7, b"NNHZ"))
        .s([&b"of an answer"[..], &message(2, 20, 7, b"\x92")].concat());
    t.gap(C, 99)
        .c([&[0xda, 0xbb, 0][..], &call(8, b"NNHZ")].concat())
        .s(message(2, 20, 8, b"\x92"));
    assert_eq!(t.told(), ["say ok", "say ok"]);
    let large = message(2, 20, 9, &[0x91; 3 << 20]);
    t.c(call(9, b"NNHZ"));
    large.chunks(9999).for_each(|piece| {
        t.s(piece);
    });
    assert_eq!(t.told().len(), 3);
    assert!(t.conversation.bytes() < 50_000, "{}", t.conversation.bytes());
}

#[test]
fn heads_that_cannot_be_are_refused() {
    assert!(Header::read(&message(REQUEST, 0, 1, b"")).is_some());
    for (flags, status) in [(0xc0, 0), (0xdf, 0), (2, 0), (2, 21)] {
        assert!(Header::read(&message(flags, status, 1, b"")).is_none(), "{flags} {status}");
    }
    assert!(Header::read(&[0xda, 0xbb, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0]).is_none());
}
