//! Handshake messages (RFC 8446 section 4, RFC 5246 section 7.4): their boundaries, and what each
//! adds to the exchange.

use wire::{Direction, Transport};

use super::{End, ID, Step, TlsParser, malformed, skip};
use crate::contract::Progress;
use crate::correlate::{Kind, Messages};
use crate::protocols::tls::record::{
    GatherResult, HANDSHAKE, HEADER, Record, RecordHeader, gather, head,
};
use crate::protocols::tls::{attributes, certificate};

/// Bytes of a message's type and length.
const MESSAGE_HEADER: usize = 4;
/// Bytes of a hello that are inspected.
const HELLO: usize = 8192;
/// Bytes of a Certificate message that are inspected: the end-entity certificate comes first.
const CERTIFICATE: usize = 4096;
/// Longest message that is accepted.
const LONGEST: usize = 1 << 20;

// Types of handshake messages (IANA "TLS HandshakeType").
const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const END_OF_EARLY_DATA: u8 = 5;
/// Of the drafts of TLS 1.3.
const HELLO_RETRY_REQUEST_DRAFT: u8 = 6;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATES: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;
const CERTIFICATE_URL: u8 = 21;
const CERTIFICATE_STATUS: u8 = 22;
const SUPPLEMENTAL_DATA: u8 = 23;
const COMPRESSED_CERTIFICATE: u8 = 25;
const NEXT_PROTOCOL: u8 = 67;

/// Curve type of a named curve (RFC 8422 section 5.4).
const NAMED_CURVE: u8 = 3;
/// Level of an alert that does not end the connection (RFC 8446 section 6).
const WARNING: u8 = 1;

impl TlsParser {
    /// A handshake message begins at the second of the two positions, and its record at the first.
    /// `left` bytes of the record follow.
    pub(super) fn read_message(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        [at, from]: [usize; 2],
        left: usize,
        out: &mut Messages,
    ) -> Step {
        let rest = bytes.get(from..).unwrap_or_default();
        let Some(header) = self.gather(rest, left, MESSAGE_HEADER) else { return malformed(at) };
        if let GatherResult::More(more) = header {
            return Step::Stop(Progress::Need { consumed: at, more });
        }
        let (kind, length) = self.header();
        if !self.is_plausible(direction, kind, length, left) {
            if self.sides[direction].synchronised {
                return malformed(at);
            }
            self.sides[direction].cipher_changed = true;
            let record = Record { kind: HANDSHAKE, length: left };
            self.sides[direction].left = 0;
            return self.on_encrypted(direction, record, bytes.len(), at, out);
        }
        let inspected = inspected(kind).min(length);
        let (used, left) = match self.gather(rest, left, MESSAGE_HEADER + inspected) {
            Some(GatherResult::Whole { used, left }) => (used, left),
            Some(GatherResult::More(more)) => {
                return Step::Stop(Progress::Need { consumed: at, more });
            }
            _ => return malformed(at),
        };
        let end = self.on_message(direction, kind, at, out);
        let side = &mut self.sides[direction];
        (side.left, side.body, side.end, side.synchronised) = (left, length - inspected, end, true);
        skip(from, used, bytes.len())
    }

    /// The rest of the bytes will not come: a hello is recorded as far as it goes.
    pub(super) fn read_truncated_message(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        out: &mut Messages,
    ) {
        let side = &self.sides[direction];
        let RecordHeader::Record(Record { kind: HANDSHAKE, length: left }) = head(bytes) else {
            return;
        };
        if side.left > 0 || side.body > 0 || side.cipher_changed || side.resynchronising {
            return;
        }
        let _ = gather(
            bytes.get(HEADER..).unwrap_or_default(),
            left,
            MESSAGE_HEADER + HELLO,
            &mut self.scratch,
        );
        if self.scratch.len() < MESSAGE_HEADER {
            return;
        }
        let (kind, length) = self.header();
        if matches!(kind, CLIENT_HELLO | SERVER_HELLO)
            && self.is_plausible(direction, kind, length, left)
        {
            self.on_message(direction, kind, 0, out);
            if kind == CLIENT_HELLO {
                out.close(Kind::Request, ID, HEADER + MESSAGE_HEADER + length);
            }
        }
    }

    fn gather(&mut self, bytes: &[u8], left: usize, want: usize) -> Option<GatherResult> {
        Some(gather(bytes, left, want, &mut self.scratch))
            .filter(|&gathered| gathered != GatherResult::Malformed)
    }

    /// Type and length of the message in `scratch`.
    fn header(&self) -> (u8, usize) {
        match *self.scratch {
            [kind, a, b, c, ..] => {
                (kind, usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
            }
            _ => (u8::MAX, usize::MAX),
        }
    }

    /// Whether bytes can be a message. If nothing was read before, they may be encrypted, and the
    /// test is stricter.
    fn is_plausible(&self, direction: Direction, kind: u8, length: usize, left: usize) -> bool {
        let from_here = match kind {
            CLIENT_HELLO | END_OF_EARLY_DATA | CERTIFICATE_VERIFY | CLIENT_KEY_EXCHANGE => {
                direction == Direction::ToServer
            }
            HELLO_REQUEST
            | SERVER_HELLO..=NEW_SESSION_TICKET
            | HELLO_RETRY_REQUEST_DRAFT
            | ENCRYPTED_EXTENSIONS
            | SERVER_KEY_EXCHANGE..=SERVER_HELLO_DONE
            | CERTIFICATE_STATUS => direction == Direction::ToClient,
            // It is encrypted.
            FINISHED => false,
            CERTIFICATES
            | CERTIFICATE_URL
            | SUPPLEMENTAL_DATA..=COMPRESSED_CERTIFICATE
            | NEXT_PROTOCOL => true,
            _ => false,
        };
        let fits = MESSAGE_HEADER + length <= left || matches!(kind, CLIENT_HELLO | CERTIFICATES);
        from_here && length <= LONGEST && (self.sides[direction].synchronised || (kind > 0 && fits))
    }

    /// Processes the message in `scratch`. Returns what is behind it.
    fn on_message(
        &mut self,
        direction: Direction,
        kind: u8,
        at: usize,
        out: &mut Messages,
    ) -> Option<End> {
        if kind == CLIENT_HELLO {
            self.restart();
            let exchange = &mut out.open(Kind::Request, ID, at).exchange;
            exchange.operation.push_str("handshake");
            let (_, length) = self.header();
            let body = self.scratch.get(MESSAGE_HEADER..).unwrap_or_default();
            let cut = body.len() < length;
            self.offer =
                attributes::push_client_hello(body, cut, Transport::Tcp, &mut exchange.attributes);
            return Some(End::Request);
        }
        let body = self.scratch.get(MESSAGE_HEADER..).unwrap_or_default();
        if direction == Direction::ToServer {
            if kind == CERTIFICATES
                && let Some(entry) = out.outstanding(ID)
            {
                let _ = certificate::push_certificate(
                    body,
                    &certificate::CLIENT,
                    &mut entry.exchange.attributes,
                );
            }
            return None;
        }
        if kind == SERVER_HELLO {
            let attributes = &mut out.open(Kind::Response, ID, at).exchange.attributes;
            let choice = attributes::push_server_hello(body, attributes);
            if let Some(early_warning) = self.early_warning.take() {
                attributes::push_alert(WARNING, early_warning, attributes);
            }
            self.choice = Some(choice);
            return Some(if choice.retry { End::Retry } else { End::Part });
        }
        self.full_handshake |= matches!(kind, CERTIFICATES | SERVER_HELLO_DONE);
        if let Some(entry) = out.current(Kind::Response, ID) {
            let attributes = &mut entry.exchange.attributes;
            match (kind, body) {
                (CERTIFICATES, _) => {
                    let _ = certificate::push_certificate(body, &certificate::SERVER, attributes);
                }
                // A named curve (RFC 8422 section 5.4).
                (SERVER_KEY_EXCHANGE, &[NAMED_CURVE, high, low])
                    if self.choice.is_some_and(|c| c.elliptic) =>
                {
                    attributes::push_group(u16::from_be_bytes([high, low]), attributes);
                }
                (CERTIFICATE_REQUEST, _) => {
                    attributes.push_bool("tls.client.certificate_requested", true)
                }
                _ => {}
            }
        }
        Some(End::Part)
    }
}

fn inspected(kind: u8) -> usize {
    match kind {
        CLIENT_HELLO | SERVER_HELLO => HELLO,
        CERTIFICATES => CERTIFICATE,
        SERVER_KEY_EXCHANGE => 3,
        _ => 0,
    }
}
