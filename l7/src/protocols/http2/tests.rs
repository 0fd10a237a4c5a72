//! Frames in pieces of any size, with gaps, and the exchanges that come of them.

use super::testing::{
    END_HEADERS, END_STREAM, PREFACE, add, answered, asked, begun, call, called, data, frame, get,
    headers, message, pass, settings, status,
};
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Outcome, Protocol};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn an_exchange_says_what_was_asked_and_answered() {
    let mut t = begun();
    let fields = [
        vec![0x83, 0x87],
        pass(":path", "/a/b?x=1&token=abc"),
        pass(":authority", "h.example:8443"),
        add("user-agent", "curl/8"),
        pass("content-type", "text/plain"),
        add("authorization", "Bearer s3cret"),
        add("cookie", "s3cret"),
        pass("traceparent", "00-1-2-01"),
        pass("x-request-id", "r1"),
        pass("b3", "b"),
        pass("sw8", "s"),
    ];
    t.c(headers(1, 0, &fields.concat())).c(data(1, END_STREAM, b"abc"));
    let fields = [
        pass(":status", "201"),
        pass("content-type", "application/json"),
        add("set-cookie", "s3cret"),
    ];
    t.s([headers(1, 0, &fields.concat()), data(1, 0, b"{"), data(1, END_STREAM, b"}")].concat());
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.protocol, e.operation.as_str(), e.outcome),
        (Protocol::new("http2"), "POST", Outcome::Ok)
    );
    for (key, value) in [
        ("http.request.method", "POST"),
        ("url.scheme", "https"),
        ("url.path", "/a/b"),
        ("url.query", "x=1&token=REDACTED"),
        ("server.address", "h.example"),
        ("network.protocol.version", "2"),
        ("user_agent.original", "curl/8"),
        ("http.request.header.content-type", "text/plain"),
        ("http.response.header.content-type", "application/json"),
        ("http.request.header.traceparent", "00-1-2-01"),
        ("http.request.header.x-request-id", "r1"),
        ("http.request.header.b3", "b"),
        ("http.request.header.sw8", "s"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    assert_eq!(int(e, "server.port"), Some(8443));
    assert_eq!(int(e, "http.response.status_code"), Some(201));
    assert_eq!(
        (int(e, "http.request.body.size"), int(e, "http.response.body.size")),
        (Some(3), Some(2))
    );
    assert_eq!(int(e, "wirespan.unknown_fields"), None);
    assert!(!format!("{:?} {:?}", e.attributes, t.conversation).contains("s3cret"));
}

#[test]
fn streams_are_interleaved_and_answered_in_any_order() {
    let mut t = begun();
    t.c([asked(1, "/1"), asked(3, "/3"), headers(5, 0, &get("/5"))].concat());
    t.s([headers(3, 0, &[0x8d]), headers(1, 0, &[0x88]), data(1, 0, &[b'x'; 100])].concat());
    t.c(data(5, 0, b"a"))
        .s(data(3, END_STREAM, b"no"))
        .s(data(1, END_STREAM, b""))
        .c(data(5, END_STREAM, b"b"));
    t.s(headers(5, END_STREAM, &[0x8e]));
    assert_eq!(t.told(), ["GET /3 404 client_error", "GET /1 200 ok", "GET /5 500 server_error"]);
    // Frames of other streams between those of a message are none of its bytes.
    assert_eq!(t.found.exchanges[1].response.unwrap().bytes, 10 + 109 + 9);
    assert!(
        t.found.exchanges.iter().all(|e| e.request.unwrap().whole && e.response.unwrap().whole)
    );
}

#[test]
fn padding_priority_unknown_frames_and_interim_responses_are_passed_over() {
    let mut t = begun();
    let block = [&[7, 0x80, 0, 0, 0, 15][..], &get("/p"), &[0; 7]].concat();
    let priority = frame(2, 0, 3, &[0, 0, 0, 1, 9]);
    t.c([priority, frame(1, 0x08 | 0x20 | END_HEADERS, 3, &block)].concat());
    t.c([frame(0xee, 0xff, 3, b"whatever"), frame(0, 0x08 | END_STREAM, 3, b"\x04body\0\0\0\0")]
        .concat());
    t.s([
        headers(3, 0, &pass(":status", "100")),
        headers(3, 0, &pass(":status", "103")),
        frame(6, 0, 0, &[1; 8]),
    ]
    .concat());
    t.s([headers(3, 0, &[0x88]), frame(8, 0, 3, &[0, 0, 1, 0]), frame(0, 0x08, 3, b"\x02ok\0\0")]
        .concat());
    t.s(headers(3, END_STREAM, &add("x-checksum", "1")));
    assert_eq!(t.told(), ["GET /p 200 ok"]);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (int(e, "http.request.body.size"), int(e, "http.response.body.size")),
        (Some(4), Some(2))
    );
}

#[test]
fn a_head_request_and_one_answered_before_its_end() {
    let mut t = begun();
    let head = [pass(":method", "HEAD"), get("/h")[2..].to_vec()].concat();
    t.c(headers(1, END_STREAM, &head)).s(headers(
        1,
        END_STREAM,
        &[&[0x88][..], &pass("content-length", "99")].concat(),
    ));
    t.c(headers(3, 0, &get("/early"))).s(headers(3, END_STREAM, &pass(":status", "413")));
    assert_eq!(t.told(), ["HEAD /h 200 ok"]);
    t.c(data(3, END_STREAM, b"late"));
    t.c(headers(5, 0, &get("/enough")))
        .s([answered(5), frame(3, 0, 5, &[0; 4])].concat())
        .c(data(5, 0, b"late"));
    assert_eq!(t.told()[1..], ["GET /early 413 client_error", "GET /enough 200 ok"]);
    assert_eq!(text(&t.found.exchanges[2], "error.type"), "");
}

#[test]
fn either_side_resets_a_stream() {
    let mut t = begun();
    t.c([asked(1, "/1"), asked(3, "/3"), asked(5, "/5")].concat());
    t.s([headers(1, 0, &[0x88]), data(1, 0, b"part"), frame(3, 0, 3, &[0, 0, 0, 7])].concat());
    t.c(frame(3, 0, 1, &[0, 0, 0, 8])).s(data(1, END_STREAM, b"in flight")).c(frame(
        3,
        0,
        5,
        &[0, 0, 0, 8],
    ));
    t.s(answered(5)).over();
    assert_eq!(t.told(), ["GET /3 reset", "GET /1 200 reset", "GET /5 reset"]);
    let by = |n: usize| {
        (
            text(&t.found.exchanges[n], "error.type"),
            text(&t.found.exchanges[n], "wirespan.reset_by"),
        )
    };
    assert_eq!(by(0), ("REFUSED_STREAM".into(), "server".into()));
    assert_eq!(by(1), ("CANCEL".into(), "client".into()));
    assert_eq!(int(&t.found.exchanges[1], "http.response.body.size"), Some(4));
}

#[test]
fn what_a_server_that_goes_away_will_not_do() {
    let mut t = begun();
    t.c([asked(1, "/1"), asked(3, "/3")].concat());
    t.s(frame(7, 0, 0, &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])).s(frame(
        7,
        0,
        0,
        b"\0\0\0\x01\0\0\0\x0benough",
    ));
    assert_eq!(t.told(), ["GET /3 no_response"]);
    assert_eq!(text(&t.found.exchanges[0], "error.type"), "ENHANCE_YOUR_CALM");
    t.s(answered(1));
    assert_eq!(t.told()[1..], ["GET /1 200 ok"]);
}

#[test]
fn a_push_is_an_exchange_of_its_own() {
    let mut t = begun();
    t.c(asked(1, "/"));
    t.s([frame(5, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &get("/style.css")].concat()), answered(1)]
        .concat());
    t.s([headers(2, 0, &[0x88]), data(2, END_STREAM, b"css")].concat());
    t.s(frame(5, END_HEADERS, 1, &[&[0, 0, 0, 4][..], &get("/unwanted")].concat())).c(frame(
        3,
        0,
        4,
        &[0, 0, 0, 8],
    ));
    assert_eq!(t.told(), ["GET / 200 ok", "GET /style.css 200 ok", "GET /unwanted reset"]);
    let e = &t.found.exchanges[1];
    assert!(e.request.unwrap().whole && e.response.is_none());
    assert_eq!(
        (int(e, "http.request.body.size"), int(e, "http.response.body.size")),
        (None, Some(3))
    );
    assert_eq!(
        e.request.unwrap().bytes,
        frame(5, 0, 1, &[&[0; 4][..], &get("/style.css")].concat()).len() as u64 + 10 + 12
    );
}

#[test]
fn fields_are_remembered_across_blocks() {
    let mut t = begun();
    let first = [&[0x82, 0x86][..], &add(":path", "/same"), &add(":authority", "h")].concat();
    t.c(headers(1, END_STREAM, &first))
        .s(answered(1))
        .c(headers(3, END_STREAM, &[0x82, 0x86, 0xbf, 0xbe]))
        .s(answered(3));
    assert_eq!(t.told(), ["GET /same 200 ok", "GET /same 200 ok"]);
    assert_eq!(text(&t.found.exchanges[1], "server.address"), "h");
    // The size goes to 0 and back: what was there is gone, and what comes is remembered.
    t.c(headers(
        5,
        END_STREAM,
        &[&[0x20, 0x3f, 0xe1, 0x1f, 0x82, 0x86][..], &add(":path", "/new")].concat(),
    ))
    .s(answered(5));
    t.c(headers(7, END_STREAM, &[0x82, 0x86, 0xbe])).s(answered(7));
    assert_eq!(t.told()[2..], ["GET /new 200 ok", "GET /new 200 ok"]);
    // An entry is evicted when 4096 bytes are full.
    let large = "x".repeat(126);
    let fill: Vec<u8> = (0..30).flat_map(|_| add("x-fill", &large)).collect();
    t.c(headers(9, END_STREAM, &[&get("/fill")[..], &fill].concat())).s(answered(9));
    t.c(headers(11, END_STREAM, &[0x82, 0x86, 0x80 | (62 + 30)])).s(answered(11));
    assert_eq!(t.told()[4..], ["GET /fill 200 ok", "GET 200 ok"]);
    assert_eq!(int(&t.found.exchanges[5], "wirespan.unknown_fields"), Some(1));
}

#[test]
fn joined_in_the_middle_what_cannot_be_known_is_not_guessed() {
    let mut t = Talk::tcp(8080);
    t.s(&b"rest of a body that was there before"[..]).s(frame(0, END_STREAM, 7, &[b'x'; 40]));
    t.c(headers(9, END_STREAM, &[0x82, 0x86, 0xc1, 0xc0, 0xbf])).s([
        headers(9, 0, &[0x88, 0xc5]),
        data(9, END_STREAM, b"hi"),
    ]
    .concat());
    t.c(headers(11, END_STREAM, &[&[0x82, 0x86, 0xc0][..], &add(":path", "/known")].concat()))
        .s(answered(11));
    t.c(headers(13, END_STREAM, &[0x82, 0x86, 0xbe, 0xc1])).s(answered(13)).over();
    assert_eq!(t.told(), ["GET 200 ok", "GET /known 200 ok", "GET /known 200 ok"]);
    let unknown = |n: usize| int(&t.found.exchanges[n], "wirespan.unknown_fields");
    assert_eq!((unknown(0), unknown(1), unknown(2)), (Some(4), Some(1), Some(1)));
}

#[test]
fn a_hole_in_a_body_hurts_its_stream_only() {
    let mut t = begun();
    t.c([asked(1, "/1"), asked(3, "/3")].concat()).s([
        headers(1, 0, &[0x88]),
        headers(3, 0, &[0x88]),
    ]
    .concat());
    let large = data(1, END_STREAM, &[b'x'; 1000]);
    t.s(&large[..100]).gap(S, 500).s(&large[600..]).s(data(3, END_STREAM, b"ok"));
    assert_eq!(t.told(), ["GET /1 200 lost_bytes", "GET /3 200 ok"]);
    assert_eq!(int(&t.found.exchanges[0], "http.response.body.size"), Some(1000));
    t.c(asked(5, "/5")).s(answered(5));
    assert_eq!(t.told()[2], "GET /5 200 ok");
}

#[test]
fn behind_a_hole_in_headers_the_next_frame_is_found() {
    let mut t = begun();
    let remembered = [&[0x82, 0x86][..], &add(":path", "/old")].concat();
    t.c(headers(1, END_STREAM, &remembered)).s(answered(1));
    let lost = headers(3, END_STREAM, &get("/lost"));
    t.c(&lost[..15])
        .gap(C, lost.len() as u64 - 25)
        .c([&lost[lost.len() - 10..], &asked(5, "/5")].concat());
    t.s([answered(3), answered(5)].concat())
        .c(headers(7, END_STREAM, &[0x82, 0x86, 0xbe]))
        .s(answered(7));
    // What began is reported as far as it was captured. An index from before the gap means nothing
    // any more.
    assert_eq!(t.told(), ["GET /old 200 ok", "GET 200 ok", "GET /5 200 ok", "GET 200 ok"]);
    assert!(!t.found.exchanges[1].request.unwrap().whole);
}

#[test]
fn responses_lost_in_a_hole_leave_the_others_alone() {
    let mut t = begun();
    t.c([asked(1, "/1"), asked(3, "/3"), asked(5, "/5")].concat());
    let both = [
        headers(1, 0, &[0x88]),
        data(1, 0, b"begin"),
        headers(3, 0, &[0x88]),
        data(3, END_STREAM, b"gone"),
    ]
    .concat();
    t.s(&both[..24]).gap(S, both.len() as u64 - 24);
    t.s([data(1, END_STREAM, b"end"), answered(5)].concat()).over();
    assert_eq!(t.told(), ["GET /1 200 lost_bytes", "GET /5 200 ok", "GET /3 lost_bytes"]);
}

#[test]
fn huge_headers_are_told_as_far_as_they_are_looked_at() {
    let mut t = begun();
    let long = |n: usize| {
        [
            &[0x00, 1][..],
            b"x",
            &[
                0x7f,
                0x80 | ((n - 127) & 0x7f) as u8,
                0x80 | ((n - 127) >> 7 & 0x7f) as u8,
                ((n - 127) >> 14) as u8,
            ],
            &vec![b'v'; n],
        ]
        .concat()
    };
    let block = [get("/30k"), long(30_000)].concat();
    let (one, two) = block.split_at(16_384);
    t.c([frame(1, END_STREAM, 1, one), frame(9, END_HEADERS, 1, two)].concat()).s(answered(1));
    let block = [get("/100k"), long(100_000)].concat();
    let pieces: Vec<&[u8]> = block.chunks(16_384).collect();
    let last = pieces.len() - 1;
    for (n, piece) in pieces.into_iter().enumerate() {
        let flags = if n == last { END_HEADERS } else { 0 };
        t.c(if n == 0 { frame(1, END_STREAM, 3, piece) } else { frame(9, flags, 3, piece) });
    }
    t.s(answered(3))
        .c(headers(5, END_STREAM, &[get("/frame"), long(200_000)].concat()))
        .s(answered(5));
    t.c(asked(7, "/7")).s(answered(7));
    assert_eq!(
        t.told(),
        ["GET /30k 200 ok", "GET /100k 200 ok", "GET /frame 200 ok", "GET /7 200 ok"]
    );
    let unknown = |n: usize| int(&t.found.exchanges[n], "wirespan.unknown_fields");
    assert_eq!((unknown(0), unknown(1), unknown(2), unknown(3)), (None, Some(1), Some(1), None));
}

#[test]
fn a_head_that_the_snap_length_cut_tells_what_is_left_of_it() {
    let mut t = begun();
    let request = headers(1, END_STREAM, &[get("/cut"), pass("x", &"y".repeat(100))].concat());
    t.c(&request[..60]).snap(C, request.len() as u64 - 60);
    t.s(answered(1)).c(asked(3, "/3")).s(answered(3));
    assert_eq!(t.told(), ["GET /cut 200 ok", "GET /3 200 ok"]);
}

#[test]
fn client_and_server_are_told_by_what_they_say() {
    let mut t = Talk::tcp(50051);
    t.s([PREFACE, &settings(), &asked(1, "/1")].concat()).c([settings(), answered(1)].concat());
    assert_eq!((t.told(), t.conversation.is_reversed()), (vec!["GET /1 200 ok".into()], true));
    let mut t = Talk::tcp(50051);
    t.c(frame(8, 0, 0, &[0, 0, 1, 0])).s(asked(9, "/9")).c(answered(9));
    assert_eq!((t.told(), t.conversation.is_reversed()), (vec!["GET /9 200 ok".into()], true));
}

#[test]
fn other_bytes_are_not_taken_for_frames() {
    for bytes in [
        &b"\0\0\x04\x08\0\0\0\0\0\0\x07client\xff\xff"[..],
        b"\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"PRI * HTTP/1.1\r\n\r\n",
    ] {
        let mut t = Talk::tcp(4000);
        t.c(bytes).c([0xa5; 100]).over();
        assert!(
            t.conversation.summary().is_none_or(|s| s.protocol != Protocol::new("http2")),
            "{bytes:?}"
        );
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let mut t = begun();
    for n in 0..5000u32 {
        t.c(headers(
            2 * n + 1,
            0,
            &[&get("/x")[..], &[0x40, 1, b'x', 1, b'y'], &[0xbe; 1000]].concat(),
        ));
    }
    assert!(t.conversation.bytes() < 4 << 20, "{}", t.conversation.bytes());
    let mut t = begun();
    t.c(headers(1, END_STREAM, &get("/x"))).s(headers(1, 0, &[0x88]));
    for _ in 0..2000 {
        t.s(headers(
            1,
            0,
            &[pass("grpc-status", "0"), pass("x-request-id", &"y".repeat(100))].concat(),
        ));
    }
    assert!(t.conversation.bytes() < 100_000, "{}", t.conversation.bytes());
}

#[test]
fn a_request_that_asked_for_the_upgrade_is_answered_in_http2() {
    let script = scripts().remove(3);
    let mut t = Talk::tcp(script.port);
    for (direction, bytes) in &script.turns {
        t.send(*direction, bytes);
    }
    assert_eq!(t.told(), ["GET /up 200 ok", "GET /3 200 ok"]);
    let protocols: Vec<_> = t.found.exchanges.iter().map(|e| e.protocol).collect();
    assert_eq!(protocols, [Protocol::new("http"), Protocol::new("http2")]);
    let up = &t.found.exchanges[0];
    assert_eq!((up.response.unwrap().bytes, int(up, "http.response.body.size")), (21, Some(2)));
}

#[test]
fn a_block_in_continuation_frames_across_segments() {
    let mut t = begun();
    t.c(hex(
        "000023010000000001820484612348ff86418a089d5c0b8170dc780f037a8825b650c3abbafae153032a2f2a",
    ));
    t.c(hex("000034090100000001"));
    t.c(hex("409ca87496a1d25a87496a1d25a87496a1d25a87496a1d25a87496a1d25fc9ee3a2d2f71d1697b8e8b4bdc745a5ee3a2d2f71d16"));
    t.c(hex("000034090400000001"));
    t.c(hex("97b8e8b4bdc745a5ee3a2d2f71d1697b8e8b4bdc745a5ee3a2d2f71d1697b8e8b4bdc745a5ee3a2d2f71d1697b8e8b4bdc745a5f"));
    t.s(answered(1)).s(frame(3, 0, 1, &[0; 4])).over();
    assert_eq!(t.told(), ["GET /tata 200 ok"]);
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let begins = [(C, [PREFACE, &settings()].concat()), (S, settings()), (S, frame(4, 1, 0, &[]))];
    let block = [&[3, 0x80, 0, 0, 0, 15][..], &get("/padded"), &[0; 3]].concat();
    let split = get("/split");
    let plain = [
        (C, [asked(1, "/1"), frame(1, 0x2c, 3, &block), frame(0, 9, 3, b"\x02body\0\0")].concat()),
        (
            C,
            [
                frame(1, 1, 5, &split[..7]),
                frame(9, 0, 5, &split[7..20]),
                frame(9, 4, 5, &split[20..]),
            ]
            .concat(),
        ),
        (
            S,
            [
                headers(3, 0, &pass(":status", "103")),
                headers(3, 0, &[0x8d]),
                answered(1),
                data(3, 0, b"no"),
            ]
            .concat(),
        ),
        (
            S,
            [
                frame(5, 4, 3, &[&[0, 0, 0, 2][..], &get("/pushed")].concat()),
                frame(0xee, 0, 0, b"?"),
            ]
            .concat(),
        ),
        (
            S,
            [headers(3, 1, &add("x-sum", "1")), answered(2), answered(5), frame(3, 0, 1, &[0; 4])]
                .concat(),
        ),
        (
            C,
            [headers(7, 0, &add(":path", "/reset")), frame(3, 0, 7, &[0, 0, 0, 8]), asked(9, "/9")]
                .concat(),
        ),
        (S, [frame(7, 0, 0, &[0, 0, 0, 7, 0, 0, 0, 0])].concat()),
    ];
    let many = [message(5), message(0), message(60), message(1)].concat();
    let calls = [
        (
            C,
            [call(1, "Get"), data(1, 1, &message(30)), call(3, "Put"), data(3, 0, &many[..3])]
                .concat(),
        ),
        (
            S,
            [called(1), data(1, 0, &many), called(3), data(3, 0, &message(2)), status(1, "0")]
                .concat(),
        ),
        (C, [data(3, 0, &many[3..40]), data(3, END_STREAM, &many[40..])].concat()),
        (S, [data(3, 0, &many), status(3, "5")].concat()),
    ];
    let joined = [
        (C, [headers(9, 1, &[0x82, 0x86, 0xc1, 0xc0]), asked(11, "/11")].concat()),
        (S, [headers(9, 0, &[0x88, 0xc1]), data(9, END_STREAM, b"hi"), answered(11)].concat()),
    ];
    let upgrade = [
        (C, b"GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n".to_vec()),
        (S, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".to_vec()),
        (S, [settings(), answered(1)].concat()),
        (C, [PREFACE, &settings(), &asked(3, "/3")].concat()),
        (S, answered(3)),
    ];
    vec![
        Script::new(8080, 6, &[&begins[..], &plain].concat()),
        Script::new(50051, 2, &[&begins[..], &calls].concat()),
        Script::new(50051, 2, &joined),
        Script::new(80, 2, &upgrade),
    ]
}
