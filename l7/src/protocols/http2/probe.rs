//! Recognises the preface and frames (RFC 9113 sections 3.4 and 4), also in the middle of a
//! connection.

use super::frame::{
    CONTINUATION, DATA, ERROR_CODES, Frame, GOAWAY, HEADER, HEADERS, PREFACE, PRIORITY,
    PRIORITY_LEN, PUSH_PROMISE, RST_STREAM, SETTING_LEN, SETTINGS, WINDOW_UPDATE,
};
use super::hpack::{Field, Role, Scratch, Table, decode};
use crate::contract::Probe;

/// So many bytes of the preface differ from any request line of HTTP/1.
const ENOUGH: usize = 16;
/// Longest frame that an unknown connection is recognised by: more would have to be waited for.
const LONGEST_PROOF: usize = 4096;

/// Whether bytes are the client's preface or frames.
pub(super) fn probe(bytes: &[u8], usual: bool) -> Probe {
    let same = bytes.iter().zip(PREFACE).take_while(|(a, b)| a == b).count();
    if same == bytes.len().min(PREFACE.len()) {
        return if same >= ENOUGH { Probe::Yes } else { Probe::More };
    }
    frame_at(bytes, usual, &mut bytes.len(), |_| false)
}

/// Whether a frame begins here.
///
/// `trusting`: HTTP/2 is known or likely. Then a frame with a plausible payload is enough;
/// otherwise a plausible header has to follow it. `open` tells which streams are open. At most
/// `work` bytes of header blocks are decoded; the decoded ones are subtracted from it.
pub(super) fn frame_at(
    bytes: &[u8],
    trusting: bool,
    work: &mut usize,
    open: impl Fn(u32) -> bool,
) -> Probe {
    if bytes.first().is_some_and(|&b| b != 0) {
        return Probe::No;
    }
    let Some(frame) = Frame::read(bytes) else {
        return if bytes.get(3).is_some_and(|&kind| kind >= CONTINUATION) {
            Probe::No
        } else {
            Probe::More
        };
    };
    if !frame.is_plausible() || frame.kind == CONTINUATION {
        return Probe::No;
    }
    if trusting && frame.kind == DATA && open(frame.stream) {
        return Probe::Yes;
    }
    if !trusting && frame.length > LONGEST_PROOF {
        return Probe::No;
    }
    let Some(payload) = bytes.get(HEADER..HEADER + frame.length) else { return Probe::More };
    match payload_proof(&frame, payload, work) {
        Proof::Strong => return Probe::Yes,
        Proof::Good if trusting => return Probe::Yes,
        Proof::Against => return Probe::No,
        Proof::Good | Proof::None => {}
    }
    match Frame::read(&bytes[HEADER + frame.length..]) {
        None => Probe::More,
        Some(next) => {
            let continued = matches!(frame.kind, HEADERS | PUSH_PROMISE) && !frame.ends_headers();
            let fits = next.is_plausible()
                && (next.kind == CONTINUATION) == continued
                && (!continued || next.stream == frame.stream);
            if fits { Probe::Yes } else { Probe::No }
        }
    }
}

/// How well a payload fits the type of its frame.
enum Proof {
    /// It has what only HTTP/2 has.
    Strong,
    Good,
    /// It fits any bytes.
    None,
    Against,
}

fn payload_proof(frame: &Frame, payload: &[u8], work: &mut usize) -> Proof {
    let word = |at: usize| {
        payload.get(at..at + 4).and_then(|w| w.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    let good = |fits: bool| if fits { Proof::Good } else { Proof::Against };
    match frame.kind {
        SETTINGS if payload.is_empty() => Proof::Good,
        SETTINGS => {
            // Registered, experimental, and reserved for extensibility (RFC 8701's pattern).
            let known = |id: u16| matches!(id, 1..=0x10 | 0xf000..) || (id & 0x0f0f == 0x0a0a);
            let all = payload
                .chunks_exact(SETTING_LEN)
                .all(|entry| known(u16::from_be_bytes([entry[0], entry[1]])));
            if all { Proof::Strong } else { Proof::Against }
        }
        WINDOW_UPDATE => good((1..1 << 31).contains(&word(0))),
        RST_STREAM => good(word(0) < ERROR_CODES),
        GOAWAY => good(word(0) < 1 << 31 && word(4) < ERROR_CODES),
        PRIORITY => Proof::None,
        HEADERS if frame.ends_headers() && !frame.is_padded() => {
            let block =
                if frame.has_priority() { payload.get(PRIORITY_LEN..) } else { Some(payload) };
            match work.checked_sub(payload.len()) {
                Some(left) => *work = left,
                None => return Proof::Against,
            }
            block.map_or(Proof::Against, block_proof)
        }
        HEADERS | PUSH_PROMISE | DATA => Proof::None,
        _ => Proof::Good,
    }
}

/// A block that decodes and has a pseudo-header field is strong evidence.
fn block_proof(block: &[u8]) -> Proof {
    let mut table = Table::default();
    table.on_gap();
    let (mut first, mut pseudo) = (None, false);
    let read = decode(block, &mut table, &mut Scratch::default(), |field| {
        let is_pseudo = matches!(
            field,
            Field::Known(name, _)
                if matches!(
                    name.role,
                    Role::Method | Role::Scheme | Role::Authority | Role::Path | Role::Status
                )
        );
        first.get_or_insert(is_pseudo || field == Field::Unknown);
        pseudo |= is_pseudo;
    });
    match (read, first, pseudo) {
        (Err(_), ..) | (_, Some(false), true) => Proof::Against,
        (Ok(()), Some(true), true) => Proof::Strong,
        _ => Proof::None,
    }
}
