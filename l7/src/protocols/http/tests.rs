//! Messages of HTTP/1 in pieces of any size, with gaps, and the exchanges that come of them.

use crate::input::End;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Inference, Outcome, Protocol, Unanswered};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h.example:8080\r\n\r\n")
}

#[test]
fn an_exchange_says_what_was_asked_and_answered() {
    let mut t = Talk::tcp(8080);
    t.c("POST /a/b?x=1&token=abc HTTP/1.1\r\nHost: h.example:8080\r\nUser-Agent: curl/8\r\nContent-Type: text/plain\r\n\
         Authorization: Bearer s3cret\r\nCookie: s3cret\r\ntraceparent: 00-1-2-01\r\nX-Request-ID: r1\r\nContent-Length: 3\r\n\r\nabc");
    t.s("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nSet-Cookie: s3cret\r\nContent-Length: 2\r\n\r\n{}");
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.protocol, e.operation.as_str(), e.outcome),
        (Protocol::new("http"), "POST", Outcome::Ok)
    );
    for (key, value) in [
        ("http.request.method", "POST"),
        ("url.path", "/a/b"),
        ("url.query", "x=1&token=REDACTED"),
        ("url.scheme", "http"),
        ("server.address", "h.example"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "curl/8"),
        ("http.request.header.content-type", "text/plain"),
        ("http.response.header.content-type", "application/json"),
        ("http.request.header.traceparent", "00-1-2-01"),
        ("http.request.header.x-request-id", "r1"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    assert_eq!(int(e, "server.port"), Some(8080));
    assert_eq!(int(e, "http.response.status_code"), Some(201));
    assert_eq!(int(e, "http.request.body.size"), Some(3));
    assert_eq!(int(e, "http.response.body.size"), Some(2));
    assert!(!format!("{:?}", e.attributes).contains("s3cret"));
}

#[test]
fn sequence_ranges_and_times_are_those_of_the_first_and_last_byte() {
    let mut t = Talk::tcp(80);
    t.c("GET / HT").c("TP/1.1\r\n\r").c("\n").s(&OK[..30]).s(&OK[30..]);
    let e = &t.found.exchanges[0];
    let request = e.request.unwrap();
    assert_eq!((request.seq.start.0, request.seq.end.0, request.bytes), (1000, 1018, 18));
    assert_eq!((request.first.as_nanos(), request.last.as_nanos()), (1000, 3000));
    let response = e.response.unwrap();
    assert_eq!((response.seq.start.0, response.seq.end.0), (u32::MAX - 9, (OK.len() - 10) as u32));
    assert_eq!((response.first.as_nanos(), response.last.as_nanos()), (4000, 5000));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut t = Talk::tcp(80);
    t.c(get("/1") + &get("/2") + &get("/3"));
    t.s(format!(
        "{OK}HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
    ));
    assert_eq!(t.told(), ["GET /1 200 ok", "GET /2 404 client_error", "GET /3 503 server_error"]);
}

#[test]
fn bodies_end_as_rfc_9112_says() {
    let mut t = Talk::tcp(80);
    t.c(get("/chunked")).s("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;x=\"y\"\r\nab\r\nc\r\n0\r\nTrailer: 1\r\n\r\n");
    t.c("HEAD /head HTTP/1.1\r\n\r\n").s("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
    t.c(get("/304")).s("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n");
    t.c(get("/204")).s("HTTP/1.1 204 No Content\r\n\r\n");
    t.c(get("/0")).s("HTTP/1.1 200 OK\nContent-Length: 0\n\n");
    t.c("PUT /put HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nx\r\n0\r\n\r\n")
        .s(OK);
    t.c(get("/close")).s("HTTP/1.0 200 OK\r\n\r\nuntil").s("the end").end(End::Fin(S));
    let all =
        ["GET /chunked", "HEAD /head", "GET /304", "GET /204", "GET /0", "PUT /put", "GET /close"];
    let told = t.told();
    assert_eq!(told.len(), all.len(), "{told:?}");
    assert!(told.iter().zip(all).all(|(t, a)| t.starts_with(a) && t.ends_with("ok")), "{told:?}");
    assert_eq!(int(&t.found.exchanges[0], "http.response.body.size"), Some(5));
    assert_eq!(int(&t.found.exchanges[6], "http.response.body.size"), Some(12));
    assert_eq!(t.found.exchanges[6].response.unwrap().bytes, 31);
}

#[test]
fn interim_responses_are_not_the_answer() {
    let mut t = Talk::tcp(80);
    t.c("POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    t.s("HTTP/1.1 100 Continue\r\n\r\n")
        .c("ab")
        .s(format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{OK}"));
    assert_eq!(t.told(), ["POST /p 200 ok"]);
}

#[test]
fn a_response_may_come_before_its_request_is_whole() {
    let mut t = Talk::tcp(80);
    t.c("POST /p HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
        .s("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
    assert!(t.told().is_empty());
    t.c("cd").c(get("/2")).s(OK);
    assert_eq!(t.told(), ["POST /p 413 client_error", "GET /2 200 ok"]);
    assert_eq!(t.found.exchanges[0].request.unwrap().last.as_nanos(), 3000);
}

#[test]
fn any_token_is_a_method_and_every_form_of_target_is_read() {
    let mut t = Talk::tcp(80);
    for request in [
        "PROPFIND /dav HTTP/1.1\r\n\r\n",
        "x-foo! /x HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "GET http://u:p@other.example/abs?q HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /folded HTTP/1.1\r\nUser-Agent: a\r\n b\r\nHost: f\r\n\r\n",
    ] {
        t.c(request).s(OK);
    }
    let all = &t.found.exchanges;
    assert_eq!(all.len(), 5);
    assert_eq!(
        (all[0].operation.as_str(), text(&all[0], "http.request.method")),
        ("PROPFIND", "_OTHER".into())
    );
    assert_eq!(text(&all[0], "http.request.method_original"), "PROPFIND");
    assert_eq!(all[1].operation, "x-foo!");
    assert_eq!(text(&all[2], "url.path"), "*");
    assert_eq!(
        (text(&all[3], "server.address"), text(&all[3], "url.path")),
        ("other.example".into(), "/abs".into())
    );
    assert_eq!(text(&all[4], "server.address"), "f");
    assert_eq!(text(&all[4], "user_agent.original"), "a b");
}

#[test]
fn behind_an_upgrade_nothing_is_read() {
    let mut t = Talk::tcp(80);
    t.c("GET /tcp HTTP/1.1\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n");
    t.s("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\x01\x02");
    assert_eq!(t.told(), ["GET /tcp 101 ok"]);
    assert!(!t.conversation.wants_payload());
    assert_eq!(t.c(get("/no")).over().len(), 1);
}

#[test]
fn a_tunnel_may_hold_anything() {
    let mut t = Talk::tcp(3128);
    t.c("CONNECT in.example:80 HTTP/1.1\r\nHost: in.example:80\r\n\r\n").c(get("/early"));
    t.s(format!("HTTP/1.1 200 Connection established\r\n\r\n{OK}")).c(get("/inside")).s(OK);
    assert_eq!(t.told(), ["CONNECT 200 ok", "GET /early 200 ok", "GET /inside 200 ok"]);
    let mut t = Talk::tcp(3128);
    t.c("CONNECT in.example:443 HTTP/1.1\r\n\r\n")
        .s("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
        .c(get("/2"))
        .s(OK);
    assert_eq!(t.told(), ["CONNECT 407 client_error", "GET /2 200 ok"]);
}

#[test]
fn requests_without_answer_come_out_at_the_end() {
    for (why, outcome) in [
        (Unanswered::Reset, Outcome::Reset),
        (Unanswered::Closed, Outcome::NoResponse),
        (Unanswered::InputEnd, Outcome::NoResponse),
    ] {
        let mut t = Talk::tcp(80);
        t.c(get("/1")).s(OK).c(get("/2")).end(End::Over(why));
        assert_eq!(t.found.exchanges[1].outcome, outcome);
        assert_eq!(text(&t.found.exchanges[1], "wirespan.unanswered"), why.as_str());
        assert_eq!(t.found.exchanges[1].response, None);
    }
    let mut t = Talk::tcp(80);
    t.c(get("/1")).end(End::Fin(S)).over();
    assert_eq!(
        text(&t.found.exchanges[0], "wirespan.unanswered"),
        "closed",
        "nobody is left to answer"
    );
    let mut t = Talk::tcp(80);
    t.c(get("/1")).wait(121_000_000_000);
    assert_eq!(text(&t.found.exchanges[0], "wirespan.unanswered"), "timed_out");
    let mut t = Talk::tcp(80);
    t.c(get("/1"))
        .s("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        .end(End::Over(Unanswered::Reset));
    assert_eq!(t.told(), ["GET /1 200 reset"]);
    assert_eq!(t.found.exchanges[0].response.unwrap().bytes, 40);
}

#[test]
fn a_late_answer_does_not_become_the_next_ones() {
    let mut t = Talk::tcp(80);
    t.c(get("/slow")).wait(121_000_000_000);
    assert_eq!(t.told(), ["GET /slow no_response"]);
    t.c(get("/2")).s("HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n").s(OK);
    assert_eq!(t.told()[1..], ["504 no_request", "GET /2 200 ok"]);
}

#[test]
fn joined_in_the_middle_of_a_body() {
    let mut t = Talk::tcp(80);
    t.s("rest of a body that was there before")
        .s("\0\x01more")
        .c(get("/1"))
        .s("tail")
        .s(OK)
        .c(get("/2"))
        .s(OK);
    assert_eq!(t.told(), ["GET /1 200 ok", "GET /2 200 ok"]);
}

/// Which messages are whole, by exchange; `None` where there is none.
fn whole(t: &Talk) -> Vec<(Option<bool>, Option<bool>)> {
    t.found
        .exchanges
        .iter()
        .map(|e| (e.request.map(|m| m.whole), e.response.map(|m| m.whole)))
        .collect()
}

const WHOLE: (Option<bool>, Option<bool>) = (Some(true), Some(true));

#[test]
fn a_body_of_known_length_goes_on_behind_a_gap() {
    let mut t = Talk::tcp(80);
    t.c(get("/1"))
        .s("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")
        .gap(S, 5)
        .s("xyz")
        .c(get("/2"));
    t.s("HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\n").gap(S, 4).c(get("/3")).s(OK);
    assert_eq!(t.told(), ["GET /1 200 lost_bytes", "GET /2 404 client_error", "GET /3 200 ok"]);
    assert_eq!(whole(&t), [(Some(true), Some(false)), (Some(true), Some(false)), WHOLE]);
    assert_eq!(t.found.exchanges[0].tcp.missing_bytes, 5);
}

#[test]
fn what_the_snap_length_cut_is_not_missed() {
    let mut t = Talk::tcp(80);
    t.c(get("/1")).s("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab").snap(S, 8);
    t.c("PUT /2 HTTP/1.1\r\nContent-Length: 9\r\n\r\n").snap(C, 9).s(OK);
    assert_eq!(t.told(), ["GET /1 200 ok", "PUT /2 200 ok"]);
    assert_eq!(whole(&t), [WHOLE, WHOLE]);
}

#[test]
fn a_message_that_still_runs_at_the_end_is_not_whole() {
    for head in ["Content-Length: 5", "Transfer-Encoding: chunked", "Server: s"] {
        let mut t = Talk::tcp(80);
        t.c(get("/")).s(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n3\r\n")).over();
        assert_eq!(
            (t.told(), whole(&t)),
            (vec!["GET / 200 lost_bytes".into()], vec![(Some(true), Some(false))])
        );
    }
    let mut t = Talk::tcp(80);
    t.c(get("/")).s("HTTP/1.0 200 OK\r\n\r\nall").end(End::Fin(S));
    t.c("PUT /2 HTTP/1.1\r\nContent-Length: 9\r\n\r\n").over();
    assert_eq!(whole(&t), [WHOLE, (Some(false), None)]);
    let mut t = Talk::tcp(80);
    t.c(get("/")).s("HTTP/1.0 200 OK\r\n\r\nall").gap(S, 9).s("rest").end(End::Fin(S));
    assert_eq!(
        (t.told(), whole(&t)),
        (vec!["GET / 200 lost_bytes".into()], vec![(Some(true), Some(false))])
    );
}

#[test]
fn an_answer_lost_in_a_gap_does_not_shift_the_others() {
    let mut t = Talk::tcp(80);
    t.c(get("/1")).s("HTTP/1.1 200 OK\r\nConte").gap(S, 30).c(get("/2")).s(OK).c(get("/3")).s(OK);
    assert_eq!(t.told(), ["GET /1 200 lost_bytes", "GET /2 200 ok", "GET /3 200 ok"]);
}

#[test]
fn an_answer_of_which_nothing_is_left_is_lost() {
    let mut t = Talk::tcp(80);
    t.c(get("/1")).s(OK).c(get("/2")).gap(S, 60).c(get("/3")).s(OK);
    assert_eq!(t.told(), ["GET /1 200 ok", "GET /2 lost_bytes", "GET /3 200 ok"]);
}

#[test]
fn a_request_lost_in_a_gap_leaves_its_answer_alone() {
    let mut t = Talk::tcp(80);
    t.c(get("/1")).s(OK).gap(C, 40).s(OK).c(get("/3")).s(OK);
    assert_eq!(t.told(), ["GET /1 200 ok", "200 no_request", "GET /3 200 ok"]);
}

#[test]
fn answers_that_may_be_to_another_request_are_not_told_as_its_own() {
    let ask =
        |range: std::ops::Range<u32>| range.map(|n| get(&format!("/{n}"))).collect::<String>();
    // A client that waits for all answers before it asks again.
    let mut t = Talk::tcp(80);
    t.c(get("/first")).s(OK);
    t.c(ask(0..3)).s(OK).gap(S, 40).s(OK).c(ask(3..5)).s(OK).s(OK);
    let lost = ["GET /1 lost_bytes", "200 no_request", "GET /2 lost_bytes"];
    assert_eq!(
        t.told()[1..],
        [&["GET /0 200 ok"], &lost[..], &["GET /3 200 ok", "GET /4 200 ok"]].concat()
    );
    // One that keeps three under way: until it pauses nobody knows which answer is whose.
    for missing in [S, C] {
        let mut t = Talk::tcp(80);
        t.c(ask(0..3)).s(OK).c(ask(3..4)).s(OK).c(ask(4..5)).gap(missing, 40);
        (5..9).for_each(|n| _ = t.s(OK).c(get(&format!("/{n}"))));
        (0..3).for_each(|_| _ = t.s(OK));
        t.wait(6_000_000_000).c(ask(9..11)).s(OK).s(OK).over();
        let told = t.told();
        let good = |from: usize| told[from..].iter().filter(|line| line.ends_with(" ok")).count();
        assert_eq!(good(5), 2, "{told:#?}");
        assert!(
            !told[5..told.len() - 2]
                .iter()
                .any(|line| line.contains("GET") && line.contains("200"))
        );
        assert_eq!(told[told.len() - 2..], ["GET /9 200 ok", "GET /10 200 ok"]);
    }
}

#[test]
fn the_end_of_a_body_before_the_join_rules_nothing_out() {
    let mut t = Talk::tcp(8080);
    t.c(b"\0\0\0\0\x013").s(OK).c(get("/2")).s(OK);
    assert_eq!(t.told(), ["200 no_request", "GET /2 200 ok"]);
}

#[test]
fn a_reset_after_a_hole_does_not_say_that_nothing_was_answered() {
    let mut t = Talk::tcp(80);
    t.c(get("/1")).gap(S, 60).end(End::Over(Unanswered::Reset));
    assert_eq!(t.told(), ["GET /1 lost_bytes"]);
}

#[test]
fn a_chunked_body_with_a_gap_ends_there_and_the_next_head_is_found() {
    let mut t = Talk::tcp(80);
    t.c(get("/1"))
        .s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
        .gap(S, 300)
        .s(format!("xx\r\n0\r\n\r\n{OK}"));
    t.c(get("/2")).s(OK);
    assert_eq!(t.told(), ["GET /1 200 lost_bytes", "200 no_request", "GET /2 200 ok"]);
}

#[test]
fn client_and_server_are_told_by_what_they_say() {
    let mut t = Talk::tcp(80);
    t.s(get("/1")).c(OK);
    assert_eq!(t.told(), ["GET /1 200 ok"]);
    assert!(t.conversation.is_reversed());
    assert_eq!(t.found.exchanges[0].client, t.cx.server);
}

#[test]
fn what_only_begins_like_http_is_given_up() {
    let mut t = Talk::tcp(80);
    t.c("OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n").s("RTSP/1.0 200 OK\r\n\r\n");
    for _ in 0..20_000 {
        t.c([0x80u8; 64]);
    }
    assert!(t.over().is_empty());
    assert!(!t.conversation.wants_payload());
}

#[test]
fn a_head_that_was_cut_off_tells_what_is_left_of_it() {
    let mut t = Talk::tcp(80);
    t.c("GET /cut HTTP/1.1\r\nHost: h.example\r\nCook")
        .gap(C, 100)
        .s("HTTP/1.1 200 OK\r\nCont")
        .gap(S, 2000);
    t.c("GET /2 HTTP/1.1\r\nCook").gap(C, 100).s("HTTP/1.1 500 No\r\nCont").gap(S, 2000).over();
    assert_eq!(t.told(), ["GET /cut 200 lost_bytes", "GET /2 500 server_error"]);
    assert_eq!(text(&t.found.exchanges[0], "server.address"), "h.example");
}

#[test]
fn requests_that_servers_refuse_are_requests() {
    let mut t = Talk::tcp(80);
    t.c("GET /HTTP/1.1\r\nHost: h\r\n\r\n")
        .s("HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(t.told(), ["GET /HTTP/1.1 400 client_error"]);
}

#[test]
fn a_line_with_control_characters_asks_for_nothing() {
    let mut t = Talk::tcp(80);
    t.c("GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n").s(OK);
    t.c(get("/2")).s(OK).c("GET /3 HTTP/1.1\x7f\r\n\r\n").c(get("/4")).s(OK).over();
    // What a server answers to that line comes before its response to the next.
    let last = ["GET /4 lost_bytes", "200 no_request"];
    assert_eq!(t.told(), [&["200 no_request", "GET /2 200 ok"], &last[..]].concat());
}

#[test]
fn what_was_believed_and_revised_is_counted() {
    let mut t = Talk::tcp(80);
    t.c(get("/1")).s(OK);
    assert_eq!(t.found.inferred, [(Inference::Guess, 1)]);
    let mut t = Talk::tcp(80);
    t.c("GET /x HTTP/1.1").c("\0\r\n\r\n").c([0x80; 64]);
    assert_eq!(t.found.inferred, [(Inference::Guess, 1), (Inference::Revision, 1)]);
    for _ in 0..20_000 {
        t.c([0x80u8; 64]);
    }
    assert_eq!(t.found.inferred[2..], [(Inference::GaveUp, 1)]);
    let mut t = Talk::tcp(80);
    t.c("GET /ws HTTP/1.1\r\n\r\n").s("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    assert_eq!(t.found.inferred, [(Inference::Guess, 1)]);
}

#[test]
fn what_waits_is_counted_with_its_memory() {
    let mut t = Talk::tcp(80);
    let empty = t.conversation.bytes();
    t.c(get("/1") + &get("/2") + &get("/3"));
    assert_eq!(t.conversation.pending(), 3);
    let three = t.conversation.bytes();
    assert!(three > empty + 3 * size_of::<fact::Exchange>(), "{three}");
    t.c("GET /4 HTTP/1.1\r\nCookie: ".to_owned() + &"x".repeat(20_000));
    assert!(t.conversation.bytes() >= three + 20_000);
    t.s(OK);
    assert_eq!(t.conversation.pending(), 2);
    t.over();
    assert_eq!(t.conversation.pending(), 0);
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let kept = [
        (
            C,
            "\r\nGET /1?a=b HTTP/1.1\r\nHost: h:81\r\nUser-Agent: a\r\n  folded\r\n\r\nHEAD /2 HTTP/1.1\nHost: h\n\nPUT /3 HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde",
        ),
        (
            S,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;e=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        ),
        (
            S,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 12\r\n\r\nHTTP/1.1 500",
        ),
        (
            C,
            "POST /4 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\nBREW /5 HTTP/1.1\r\n\r\n",
        ),
        (
            S,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n.HTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil the end",
        ),
    ];
    let tunnel = [
        (C, "CONNECT a:80 HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 200 OK\r\n\r\n"),
        (C, "GET /in HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 204 No Content\r\n\r\n"),
        (C, "GET /ws HTTP/1.1\r\nUpgrade: tcp\r\n\r\n"),
        (
            S,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n\r\n\u{81}\u{5}GET / HTTP/1.1\r\n\r\n",
        ),
    ];
    vec![Script::new(80, 3, &kept), Script::new(3128, 3, &tunnel)]
}
