//! Opcodes (CQL binary protocol v5, section 2.4).

use wire::Direction;

pub(super) const ERROR: u8 = 0x00;
pub(super) const STARTUP: u8 = 0x01;
pub(super) const OPTIONS: u8 = 0x05;
pub(super) const SUPPORTED: u8 = 0x06;
pub(super) const QUERY: u8 = 0x07;
pub(super) const RESULT: u8 = 0x08;
pub(super) const PREPARE: u8 = 0x09;
pub(super) const EXECUTE: u8 = 0x0a;
pub(super) const EVENT: u8 = 0x0c;
pub(super) const BATCH: u8 = 0x0d;

/// Name of an opcode that `direction` sends.
pub(super) fn name(opcode: u8, direction: Direction) -> Option<&'static str> {
    Some(match (direction, opcode) {
        (Direction::ToServer, STARTUP) => "STARTUP",
        (Direction::ToServer, OPTIONS) => "OPTIONS",
        (Direction::ToServer, QUERY) => "QUERY",
        (Direction::ToServer, PREPARE) => "PREPARE",
        (Direction::ToServer, EXECUTE) => "EXECUTE",
        (Direction::ToServer, 0x0b) => "REGISTER",
        (Direction::ToServer, BATCH) => "BATCH",
        (Direction::ToServer, 0x0f) => "AUTH_RESPONSE",
        (Direction::ToClient, ERROR) => "ERROR",
        (Direction::ToClient, 0x02) => "READY",
        (Direction::ToClient, 0x03) => "AUTHENTICATE",
        (Direction::ToClient, SUPPORTED) => "SUPPORTED",
        (Direction::ToClient, RESULT) => "RESULT",
        (Direction::ToClient, EVENT) => "EVENT",
        (Direction::ToClient, 0x0e) => "AUTH_CHALLENGE",
        (Direction::ToClient, 0x10) => "AUTH_SUCCESS",
        _ => return None,
    })
}

/// Consistency levels (section 3), in the words of OpenTelemetry.
pub(super) fn consistency(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "any",
        1 => "one",
        2 => "two",
        3 => "three",
        4 => "quorum",
        5 => "all",
        6 => "local_quorum",
        7 => "each_quorum",
        8 => "serial",
        9 => "local_serial",
        10 => "local_one",
        _ => return None,
    })
}
