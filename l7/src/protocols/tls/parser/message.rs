use wire::{Direction, Transport};

use super::{End, ID, Step, TlsParser, malformed, skip};
use crate::contract::Progress;
use crate::correlate::{Kind, Messages};
use crate::protocols::tls::record::{Gathered, HANDSHAKE, HEADER, Head, Record, gather, head};
use crate::protocols::tls::{certificate, tell};

/// Type and length (RFC 8446 section 4).
const MESSAGE_HEADER: usize = 4;
/// So much of a hello is looked at.
const HELLO: usize = 8192;
/// So much of a Certificate message is looked at: the server's own comes first.
const CERTIFICATE: usize = 4096;
/// Longest message that is believed.
const LONGEST: usize = 1 << 20;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATES: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;

impl TlsParser {
    /// A handshake message begins at the second place of `begins`, and what belongs to it at the first; `left` bytes of its record follow.
    pub(super) fn message(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        [at, from]: [usize; 2],
        left: usize,
        out: &mut Messages,
    ) -> Step {
        let rest = bytes.get(from..).unwrap_or_default();
        let Some(header) = self.gather(rest, left, MESSAGE_HEADER) else { return malformed(at) };
        if let Gathered::More(more) = header {
            return Step::Stop(Progress::Need { consumed: at, more });
        }
        let (kind, length) = self.header();
        if !self.believed(direction, kind, length, left) {
            if self.sides[direction].known {
                return malformed(at);
            }
            self.sides[direction].changed = true;
            let record = Record { kind: HANDSHAKE, length: left };
            self.sides[direction].left = 0;
            return self.sealed(direction, record, bytes.len(), at, out);
        }
        let looked_at = looked_at(kind).min(length);
        let (used, left) = match self.gather(rest, left, MESSAGE_HEADER + looked_at) {
            Some(Gathered::Whole { used, left }) => (used, left),
            Some(Gathered::More(more)) => return Step::Stop(Progress::Need { consumed: at, more }),
            _ => return malformed(at),
        };
        let end = self.said(direction, kind, at, out);
        let side = &mut self.sides[direction];
        (side.left, side.body, side.end, side.known) = (left, length - looked_at, end, true);
        skip(from, used, bytes.len())
    }

    /// The end of the bytes at hand will not come: a hello is told as far as it goes.
    pub(super) fn message_cut(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        let side = &self.sides[direction];
        let Head::Record(Record { kind: HANDSHAKE, length: left }) = head(bytes) else { return };
        if side.left > 0 || side.body > 0 || side.changed || side.lost {
            return;
        }
        let _ =
            gather(bytes.get(HEADER..).unwrap_or_default(), left, MESSAGE_HEADER + HELLO, &mut self.scratch);
        if self.scratch.len() < MESSAGE_HEADER {
            return;
        }
        let (kind, length) = self.header();
        if matches!(kind, CLIENT_HELLO | SERVER_HELLO) && self.believed(direction, kind, length, left) {
            self.said(direction, kind, 0, out);
            if kind == CLIENT_HELLO {
                out.close(Kind::Request, ID, HEADER + MESSAGE_HEADER + length);
            }
        }
    }

    fn gather(&mut self, bytes: &[u8], left: usize, want: usize) -> Option<Gathered> {
        Some(gather(bytes, left, want, &mut self.scratch)).filter(|&gathered| gathered != Gathered::Broken)
    }

    /// Type and length of the message in `scratch`.
    fn header(&self) -> (u8, usize) {
        match *self.scratch {
            [kind, a, b, c, ..] => (kind, usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)),
            _ => (u8::MAX, usize::MAX),
        }
    }

    /// Whether a message is one. Where nothing was read before, it may be encrypted, and has to look better.
    fn believed(&self, direction: Direction, kind: u8, length: usize, left: usize) -> bool {
        let from_here = match kind {
            CLIENT_HELLO | 5 | 15 | 16 => direction == Direction::ToServer,
            0 | SERVER_HELLO..=4 | 6 | 8 | SERVER_KEY_EXCHANGE..=SERVER_HELLO_DONE | 22 => {
                direction == Direction::ToClient
            }
            20 => false,
            CERTIFICATES | 21 | 23..=25 | 67 => true,
            _ => false,
        };
        let fits = MESSAGE_HEADER + length <= left || matches!(kind, CLIENT_HELLO | CERTIFICATES);
        from_here && length <= LONGEST && (self.sides[direction].known || (kind > 0 && fits))
    }

    /// Says what the message in `scratch` says, and what is behind it.
    fn said(&mut self, direction: Direction, kind: u8, at: usize, out: &mut Messages) -> Option<End> {
        if kind == CLIENT_HELLO {
            self.restart();
            let exchange = &mut out.open(Kind::Request, ID, at).exchange;
            exchange.operation.push_str("handshake");
            let (_, length) = self.header();
            let body = self.scratch.get(MESSAGE_HEADER..).unwrap_or_default();
            let cut = body.len() < length;
            self.offer = tell::client_hello(body, cut, Transport::Tcp, &mut exchange.attributes);
            return Some(End::Request);
        }
        let body = self.scratch.get(MESSAGE_HEADER..).unwrap_or_default();
        if direction == Direction::ToServer {
            if kind == CERTIFICATES
                && let Some(entry) = out.outstanding(ID)
            {
                let _ = certificate::tell(body, &certificate::CLIENT, &mut entry.exchange.attributes);
            }
            return None;
        }
        if kind == SERVER_HELLO {
            let attributes = &mut out.open(Kind::Response, ID, at).exchange.attributes;
            let choice = tell::server_hello(body, attributes);
            if let Some(warned) = self.warned.take() {
                tell::alert(1, warned, attributes);
            }
            self.choice = Some(choice);
            return Some(if choice.retry { End::Retry } else { End::Part });
        }
        self.full |= matches!(kind, CERTIFICATES | SERVER_HELLO_DONE);
        if let Some(entry) = out.current(Kind::Response, ID) {
            let attributes = &mut entry.exchange.attributes;
            match (kind, body) {
                (CERTIFICATES, _) => {
                    let _ = certificate::tell(body, &certificate::SERVER, attributes);
                }
                // A named curve (RFC 8422 section 5.4).
                (SERVER_KEY_EXCHANGE, &[3, high, low]) if self.choice.is_some_and(|c| c.elliptic) => {
                    tell::curve(u16::from_be_bytes([high, low]), attributes);
                }
                (CERTIFICATE_REQUEST, _) => attributes.push_bool("tls.client.certificate_requested", true),
                _ => {}
            }
        }
        Some(End::Part)
    }
}

fn looked_at(kind: u8) -> usize {
    match kind {
        CLIENT_HELLO | SERVER_HELLO => HELLO,
        CERTIFICATES => CERTIFICATE,
        SERVER_KEY_EXCHANGE => 3,
        _ => 0,
    }
}
