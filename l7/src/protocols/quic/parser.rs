//! Handshakes as exchanges: what each packet of a datagram means to them.

use wire::{Direction, PerDirection, Transport};

use super::crypto::Crypto;
use super::frames;
use super::keys::Keys;
use super::packet::{self, Kind as PacketKind, Packet};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{EndMark, Kind, Messages};
use crate::protocols::tls;
use fact::{Exchange, Outcome, Unanswered};

/// Handshakes of a flow are not paired by an id.
const ID: u64 = 0;
/// Datagrams that are inspected until the parser gives up on the end of a handshake.
const MOST_DATAGRAMS: u32 = 512;
/// Most changes of the version for which keys are derived. A server makes one.
const MOST_CHANGES: u8 = 8;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct QuicParser {
    keys: Option<Box<Secrets>>,
    changes: u8,
    crypto: PerDirection<Crypto>,
    /// A client's Initial packet opened the request.
    request_open: bool,
    /// The ClientHello was read, and the request closed.
    client_hello_read: bool,
    /// A Retry packet was received: the client has to repeat its token.
    retry_received: bool,
    /// The ServerHello was read, and the response opened.
    server_hello_read: bool,
    /// The client sent a Handshake packet: it has the keys, and data follows soon if it accepts the
    /// server.
    has_handshake_keys: bool,
    /// End of the server's part of the handshake so far.
    mark: Option<EndMark>,
    datagrams: u32,
    scratch: Vec<u8>,
}

/// Keys of a connection's Initial packets, with version and connection id that they are derived
/// from.
#[derive(Debug)]
struct Secrets {
    version: u32,
    id: Vec<u8>,
    keys: PerDirection<Keys>,
}

impl Secrets {
    fn new(version: u32, id: &[u8]) -> Option<Box<Self>> {
        let [to_server, to_client] =
            [Direction::ToServer, Direction::ToClient].map(|d| Keys::new(version, id, d));
        let keys = PerDirection { to_server: to_server?, to_client: to_client? };
        Some(Box::new(Self { version, id: id.to_vec(), keys }))
    }
}

impl QuicParser {
    /// An Initial packet. Returns whether the connection is closed.
    fn on_initial(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        packet: &Packet<'_>,
        out: &mut Messages,
    ) -> bool {
        if direction == Direction::ToServer && !self.request_open {
            self.request_open = true;
            let exchange = &mut out.open(Kind::Request, ID, 0).exchange;
            exchange.operation.push_str("handshake");
            push_version(packet.version, exchange);
        }
        match &self.keys {
            None if direction == Direction::ToServer => {
                self.keys = Secrets::new(packet.version, packet.to)
            }
            // The server chose another version, compatible with the first (RFC 9368 section 2.3).
            Some(secrets) if secrets.version != packet.version && self.changes < MOST_CHANGES => {
                self.changes += 1;
                self.keys = Secrets::new(packet.version, &secrets.id).or(self.keys.take());
            }
            _ => {}
        }
        let secrets = self.keys.as_ref();
        let frames = secrets.and_then(|s| s.keys[direction].open(bytes, packet, &mut self.scratch));
        let on_connection_close =
            frames.and_then(|frames| frames::read(frames, &mut self.crypto[direction]));
        match direction {
            Direction::ToServer => self.on_client_crypto(bytes.len(), out),
            Direction::ToClient => self.on_server_crypto(packet.version, out),
        }
        on_connection_close
            .is_some_and(|code| self.on_connection_close(direction, code, bytes.len(), out))
    }

    fn on_client_crypto(&mut self, len: usize, out: &mut Messages) {
        if self.client_hello_read {
            return;
        }
        if let Some((CLIENT_HELLO, body)) = self.crypto.to_server.message()
            && let Some(entry) = out.current(Kind::Request, ID)
        {
            tls::push_client_hello(body, false, Transport::Udp, &mut entry.exchange.attributes);
            out.close(Kind::Request, ID, len);
            self.client_hello_read = true;
        }
    }

    fn on_server_crypto(&mut self, version: u32, out: &mut Messages) {
        if self.server_hello_read {
            return;
        }
        if let Some((SERVER_HELLO, body)) = self.crypto.to_client.message() {
            let exchange = &mut open_response(self.retry_received, out).exchange;
            if exchange.request.is_none() {
                push_version(version, exchange);
            }
            tls::push_server_hello(body, &mut exchange.attributes);
            self.server_hello_read = true;
        }
    }

    /// CONNECTION_CLOSE in an Initial packet: the handshake failed.
    fn on_connection_close(
        &mut self,
        direction: Direction,
        code: u64,
        len: usize,
        out: &mut Messages,
    ) -> bool {
        let server = direction == Direction::ToClient;
        if server && out.current(Kind::Response, ID).is_none() {
            open_response(self.retry_received, out);
        }
        let entry = if server { out.current(Kind::Response, ID) } else { out.outstanding(ID) };
        if let Some(entry) = entry {
            let outcome = if server { Outcome::ServerError } else { Outcome::ClientError };
            match frames::error_name(code) {
                Some(name) => push_failure(outcome, name, &mut entry.exchange),
                None => push_failure(outcome, &format!("0x{code:x}"), &mut entry.exchange),
            }
        }
        if server {
            out.close(Kind::Response, ID, len);
        } else if let Some(mark) = self.mark {
            out.close_response(ID, mark);
        }
        true
    }

    /// Version Negotiation: the server supports other versions only. The client may start again.
    fn on_version_negotiation(&mut self, bytes: &[u8], packet: &Packet<'_>, out: &mut Messages) {
        if !self.request_open || self.server_hello_read {
            return;
        }
        let exchange = &mut open_response(self.retry_received, out).exchange;
        let versions = bytes.get(packet.body..).unwrap_or_default().as_chunks::<4>().0.iter();
        let names: Vec<_> =
            versions.take(16).map(|version| version_name(u32::from_be_bytes(*version))).collect();
        exchange.attributes.push_text("quic.server.supported_versions", &names.join(","));
        push_failure(Outcome::ClientError, "version_negotiation", exchange);
        out.close(Kind::Response, ID, bytes.len());
        let scratch = std::mem::take(&mut self.scratch);
        *self = Self { scratch, ..Self::default() };
    }

    /// 1-RTT packets follow: the handshake is complete.
    fn on_established(&mut self, out: &mut Messages) {
        if let Some(entry) = out.outstanding(ID) {
            entry.exchange.attributes.push_bool("tls.established", true);
        }
        if let Some(mark) = self.mark {
            out.close_response(ID, mark);
        }
    }

    /// Closes the request of a client whose Initial packets cannot be read.
    fn close_unreadable(&self, len: usize, out: &mut Messages) {
        if self.request_open && !self.client_hello_read {
            out.close(Kind::Request, ID, len);
        }
    }
}

/// Opens the response.
fn open_response<'m>(
    retry_received: bool,
    out: &'m mut Messages<'_>,
) -> &'m mut crate::correlate::Entry {
    let entry = out.open(Kind::Response, ID, 0);
    if retry_received {
        entry.exchange.attributes.push_bool("quic.retry", true);
    }
    entry
}

fn push_failure(outcome: Outcome, why: &str, exchange: &mut Exchange) {
    exchange.outcome = outcome;
    exchange.attributes.push_text("error.type", why);
    exchange.attributes.push_bool("tls.established", false);
}

fn push_version(version: u32, exchange: &mut Exchange) {
    exchange.attributes.push_text("network.protocol.version", &version_name(version));
}

fn version_name(version: u32) -> String {
    match version {
        1 => "1".to_owned(),
        packet::VERSION_2 => "2".to_owned(),
        0xff00_0000..=0xff00_00ff => format!("draft-{}", version & 0xff),
        _ => format!("0x{version:08x}"),
    }
}

impl Parser for QuicParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let opaque = Progress::GiveUp { consumed: bytes.len(), reason: Reason::Opaque };
        self.datagrams += 1;
        let mut rest = bytes;
        while let Some(packet) = Packet::read(rest) {
            let over = match (packet.kind, direction) {
                (PacketKind::Initial, _) => self.on_initial(direction, rest, &packet, out),
                (PacketKind::VersionNegotiation, Direction::ToClient) => {
                    self.on_version_negotiation(rest, &packet, out);
                    false
                }
                (PacketKind::Retry, Direction::ToClient)
                    if !self.server_hello_read && !self.retry_received =>
                {
                    // The next Initial packets have keys derived from the server's new id (RFC 9001
                    // section 5.2).
                    self.retry_received = true;
                    self.keys = None;
                    self.crypto.to_server.clear();
                    false
                }
                (PacketKind::Handshake, Direction::ToServer) => {
                    self.has_handshake_keys = true;
                    false
                }
                (PacketKind::Short, Direction::ToServer)
                    if self.server_hello_read || !self.request_open =>
                {
                    self.on_established(out);
                    true
                }
                _ => false,
            };
            if over {
                return opaque;
            }
            let long = matches!(packet.kind, PacketKind::Initial | PacketKind::Handshake);
            if direction == Direction::ToClient && self.server_hello_read && long {
                self.mark = Some(out.end_mark(bytes.len() - rest.len() + packet.end));
            }
            rest = rest.get(packet.end..).unwrap_or_default();
        }
        if self.datagrams > MOST_DATAGRAMS {
            self.close_unreadable(bytes.len(), out);
            return opaque;
        }
        Progress::Consumed(bytes.len())
    }

    fn gap(&mut self, _: Direction, _: u64, _: &mut Messages) -> Result<(), Reason> {
        Ok(())
    }

    fn finish(&mut self, why: Unanswered, out: &mut Messages) {
        if !self.server_hello_read || why == Unanswered::InputEnd && !self.has_handshake_keys {
            return;
        }
        if let Some(entry) = out.outstanding(ID) {
            push_failure(Outcome::ClientError, "not_completed", &mut entry.exchange);
        }
        if let Some(mark) = self.mark {
            out.close_response(ID, mark);
        }
    }

    fn bytes(&self) -> usize {
        let keys = self.keys.as_ref().map_or(0, |keys| size_of_val(&**keys) + keys.id.capacity());
        let crypto = self.crypto.to_server.bytes() + self.crypto.to_client.bytes();
        size_of::<Self>() + keys + crypto + self.scratch.capacity()
    }
}
