//! Frames and header blocks made by hand, for tests.

use crate::testing::Talk;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const END_STREAM: u8 = 1;

pub(super) const END_HEADERS: u8 = 4;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

pub(super) fn settings() -> Vec<u8> {
    frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])
}

/// A literal field that goes into the table.
pub(super) fn add(name: &str, value: &str) -> Vec<u8> {
    [&[0x40, name.len() as u8][..], name.as_bytes(), &[value.len() as u8], value.as_bytes()]
        .concat()
}

/// The same, and the table stays as it is.
pub(super) fn pass(name: &str, value: &str) -> Vec<u8> {
    [&[0, name.len() as u8][..], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

pub(super) fn get(path: &str) -> Vec<u8> {
    [&[0x82, 0x86][..], &pass(":path", path), &pass(":authority", "h.example:8080")].concat()
}

pub(super) fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(1, flags | END_HEADERS, stream, block)
}

pub(super) fn data(stream: u32, flags: u8, content: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, content)
}

pub(super) fn asked(stream: u32, path: &str) -> Vec<u8> {
    headers(stream, END_STREAM, &get(path))
}

/// A response with status 200 and a content of 2 bytes.
pub(super) fn answered(stream: u32) -> Vec<u8> {
    [headers(stream, 0, &[0x88]), data(stream, END_STREAM, b"hi")].concat()
}

pub(super) fn begun() -> Talk {
    let mut t = Talk::tcp(8080);
    t.c([PREFACE, &settings()].concat()).s(settings()).s(frame(4, 1, 0, &[])).c(frame(
        4,
        1,
        0,
        &[],
    ));
    t
}

/// A gRPC message of so many bytes.
pub(super) fn message(length: usize) -> Vec<u8> {
    [&[0][..], &(length as u32).to_be_bytes(), &vec![7; length]].concat()
}

pub(super) fn call(stream: u32, method: &str) -> Vec<u8> {
    let path = pass(":path", &format!("/shop.v1.Cart/{method}"));
    headers(
        stream,
        0,
        &[
            &[0x83, 0x86][..],
            &path,
            &pass("content-type", "application/grpc+proto"),
            &pass("te", "trailers"),
        ]
        .concat(),
    )
}

pub(super) fn called(stream: u32) -> Vec<u8> {
    headers(stream, 0, &[&[0x88][..], &pass("content-type", "application/grpc")].concat())
}

pub(super) fn status(stream: u32, code: &str) -> Vec<u8> {
    headers(
        stream,
        END_STREAM,
        &[pass("grpc-status", code), pass("grpc-message", "not%20here")].concat(),
    )
}
