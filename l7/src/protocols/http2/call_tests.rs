//! gRPC calls on HTTP/2.

use super::testing::{
    END_STREAM, begun, call, called, data, frame, headers, message, pass, status,
};
use crate::testing::{Talk, int, text};
use fact::{Outcome, Protocol};

#[test]
fn calls_have_their_method_status_and_messages() {
    let mut t = begun();
    t.c([call(1, "Get"), data(1, END_STREAM, &message(3))].concat());
    t.s([called(1), data(1, 0, &message(300)), status(1, "0")].concat());
    // Messages over frames, and frames with many messages.
    let many = [message(5), message(0), message(2000), message(1)].concat();
    t.c([
        call(3, "Put"),
        data(3, 0, &many[..3]),
        data(3, 0, &many[3..1000]),
        data(3, END_STREAM, &many[1000..]),
    ]
    .concat());
    t.s([called(3), data(3, 0, &many), data(3, 0, &many), status(3, "13")].concat());
    t.c([call(5, "Del"), data(5, END_STREAM, &message(1))].concat());
    t.s(headers(
        5,
        END_STREAM,
        &[&[0x88][..], &pass("content-type", "application/grpc"), &pass("grpc-status", "5")]
            .concat(),
    ));
    t.c([call(7, "Wait"), data(7, END_STREAM, &message(1))].concat())
        .c(frame(3, 0, 7, &[0, 0, 0, 8]))
        .s(status(7, "1"));
    let told: Vec<_> =
        t.found.exchanges.iter().map(|e| (e.protocol, e.operation.as_str(), e.outcome)).collect();
    let grpc = Protocol::new("grpc");
    assert_eq!(
        told,
        [
            (grpc, "Get", Outcome::Ok),
            (grpc, "Put", Outcome::ServerError),
            (grpc, "Del", Outcome::ClientError),
            (grpc, "Wait", Outcome::Reset)
        ]
    );
    let [e, put, del, wait] = t.found.exchanges.as_slice() else { panic!() };
    for (key, value) in [
        ("rpc.system", "grpc"),
        ("rpc.service", "shop.v1.Cart"),
        ("rpc.method", "Get"),
        ("rpc.response.status_code", "OK"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    assert_eq!((int(e, "rpc.grpc.status_code"), int(e, "rpc.status_code")), (Some(0), Some(0)));
    let count = |e, side| int(e, &format!("wirespan.rpc.{side}.messages"));
    assert_eq!((count(e, "request"), count(e, "response")), (Some(1), Some(1)));
    assert_eq!((count(put, "request"), count(put, "response")), (Some(4), Some(8)));
    assert_eq!((count(del, "request"), int(del, "rpc.grpc.status_code")), (Some(1), Some(5)));
    assert_eq!(text(put, "rpc.response.metadata.grpc-message"), "not here");
    assert_eq!(
        (text(wait, "error.type"), int(wait, "rpc.grpc.status_code")),
        ("CANCEL".into(), None)
    );
}

#[test]
fn a_call_whose_end_cannot_be_known_is_not_guessed() {
    let mut t = begun();
    t.c([call(1, "Get"), data(1, END_STREAM, &message(3))].concat());
    t.s([called(1), data(1, 0, &message(3)), headers(1, END_STREAM, &[0xbe])].concat());
    assert_eq!(t.found.exchanges[0].outcome, Outcome::LostBytes);
    // Joined in the middle: the name of the status field tells that this is a call. Its path is
    // unknown.
    let mut t = Talk::tcp(50051);
    t.c([headers(9, 0, &[0x83, 0x86, 0xc1, 0xc0]), data(9, END_STREAM, &message(3))].concat());
    t.s([headers(9, 0, &[0x88, 0xbf]), data(9, 0, &message(3)), status(9, "5")].concat());
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.protocol, e.operation.as_str(), e.outcome),
        (Protocol::new("grpc"), "", Outcome::ClientError)
    );
}

#[test]
fn grpc_web_has_its_status_in_the_content() {
    let mut t = begun();
    let web = [
        &[0x83, 0x86][..],
        &pass(":path", "/a.B/C"),
        &pass("content-type", "application/grpc-web-text"),
    ]
    .concat();
    t.c([headers(1, 0, &web), data(1, END_STREAM, b"AAAAAAA=")].concat());
    t.s(headers(1, 0, &[&[0x88][..], &pass("content-type", "application/grpc-web-text")].concat()));
    t.s([
        data(1, 0, b"AAAAAANhYmMBAAAAAAAAAAABeA==gA"),
        data(1, END_STREAM, b"AAACFncnBjLXN0YXR1czogNQ0KZ3JwYy1tZXNzYWdlOm5vDQo="),
    ]
    .concat());
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.operation.as_str(), e.outcome, int(e, "rpc.grpc.status_code")),
        ("C", Outcome::ClientError, Some(5))
    );
    assert_eq!(int(e, "wirespan.rpc.response.messages"), Some(3));
}
