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
/// Datagrams of an attempt that are looked at before it is given up to see its end.
const PATIENCE: u32 = 512;
/// Changes of the version of which the keys are reckoned: a server makes one.
const MOST_CHANGES: u8 = 8;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct QuicParser {
    keys: Option<Box<Secrets>>,
    changes: u8,
    crypto: PerDirection<Crypto>,
    /// A client's Initial packet was seen: its span is there.
    asked: bool,
    /// The ClientHello is told.
    hello: bool,
    /// The server asked for the token of a Retry packet.
    retried: bool,
    /// The server's handshake began.
    answered: bool,
    /// The client has the server's handshake keys; data would follow soon if it liked what it saw.
    follows: bool,
    /// Where the server's part of the handshake ended so far.
    mark: Option<EndMark>,
    datagrams: u32,
    scratch: Vec<u8>,
}

/// Keys of the Initial packets of a connection, and what they follow from.
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
    fn initial(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        packet: &Packet<'_>,
        out: &mut Messages,
    ) -> bool {
        if direction == Direction::ToServer && !self.asked {
            self.asked = true;
            let exchange = &mut out.open(Kind::Request, ID, 0).exchange;
            exchange.operation.push_str("handshake");
            push_version(packet.version, exchange);
        }
        match &self.keys {
            None if direction == Direction::ToServer => self.keys = Secrets::new(packet.version, packet.to),
            // The server chose another version that goes on from here (RFC 9368 section 2.3).
            Some(secrets) if secrets.version != packet.version && self.changes < MOST_CHANGES => {
                self.changes += 1;
                self.keys = Secrets::new(packet.version, &secrets.id).or(self.keys.take());
            }
            _ => {}
        }
        let secrets = self.keys.as_ref();
        let frames = secrets.and_then(|s| s.keys[direction].open(bytes, packet, &mut self.scratch));
        let closed = frames.and_then(|frames| frames::read(frames, &mut self.crypto[direction]));
        match direction {
            Direction::ToServer => self.client_said(bytes.len(), out),
            Direction::ToClient => self.server_said(packet.version, out),
        }
        closed.is_some_and(|code| self.closed(direction, code, bytes.len(), out))
    }

    fn client_said(&mut self, len: usize, out: &mut Messages) {
        if self.hello {
            return;
        }
        if let Some((CLIENT_HELLO, body)) = self.crypto.to_server.message()
            && let Some(entry) = out.current(Kind::Request, ID)
        {
            tls::client_hello(body, false, Transport::Udp, &mut entry.exchange.attributes);
            out.close(Kind::Request, ID, len);
            self.hello = true;
        }
    }

    fn server_said(&mut self, version: u32, out: &mut Messages) {
        if self.answered {
            return;
        }
        if let Some((SERVER_HELLO, body)) = self.crypto.to_client.message() {
            let exchange = &mut answer(self.retried, out).exchange;
            if exchange.request.is_none() {
                push_version(version, exchange);
            }
            tls::server_hello(body, &mut exchange.attributes);
            self.answered = true;
        }
    }

    /// CONNECTION_CLOSE in the clear: the handshake came to nothing.
    fn closed(&mut self, direction: Direction, code: u64, len: usize, out: &mut Messages) -> bool {
        let server = direction == Direction::ToClient;
        if server && out.current(Kind::Response, ID).is_none() {
            answer(self.retried, out);
        }
        let entry = if server { out.current(Kind::Response, ID) } else { out.outstanding(ID) };
        if let Some(entry) = entry {
            let outcome = if server { Outcome::ServerError } else { Outcome::ClientError };
            match frames::error_name(code) {
                Some(name) => failed(outcome, name, &mut entry.exchange),
                None => failed(outcome, &format!("0x{code:x}"), &mut entry.exchange),
            }
        }
        if server {
            out.close(Kind::Response, ID, len);
        } else if let Some(mark) = self.mark {
            out.close_response(ID, mark);
        }
        true
    }

    /// The server speaks other versions only. The client may begin anew.
    fn other_versions(&mut self, bytes: &[u8], packet: &Packet<'_>, out: &mut Messages) {
        if !self.asked || self.answered {
            return;
        }
        let exchange = &mut answer(self.retried, out).exchange;
        let versions = bytes.get(packet.body..).unwrap_or_default().as_chunks::<4>().0.iter();
        let names: Vec<_> =
            versions.take(16).map(|version| version_name(u32::from_be_bytes(*version))).collect();
        exchange.attributes.push_text("quic.server.supported_versions", &names.join(","));
        failed(Outcome::ClientError, "version_negotiation", exchange);
        out.close(Kind::Response, ID, bytes.len());
        let scratch = std::mem::take(&mut self.scratch);
        *self = Self { scratch, ..Self::default() };
    }

    fn done(&mut self, out: &mut Messages) {
        if let Some(entry) = out.outstanding(ID) {
            entry.exchange.attributes.push_bool("tls.established", true);
        }
        if let Some(mark) = self.mark {
            out.close_response(ID, mark);
        }
    }

    /// A client whose Initial packets cannot be read asked all the same.
    fn not_readable(&self, len: usize, out: &mut Messages) {
        if self.asked && !self.hello {
            out.close(Kind::Request, ID, len);
        }
    }
}

/// Opens the response.
fn answer<'m>(retried: bool, out: &'m mut Messages<'_>) -> &'m mut crate::correlate::Entry {
    let entry = out.open(Kind::Response, ID, 0);
    if retried {
        entry.exchange.attributes.push_bool("quic.retry", true);
    }
    entry
}

fn failed(outcome: Outcome, why: &str, exchange: &mut Exchange) {
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
                (PacketKind::Initial, _) => self.initial(direction, rest, &packet, out),
                (PacketKind::Versions, Direction::ToClient) => {
                    self.other_versions(rest, &packet, out);
                    false
                }
                (PacketKind::Retry, Direction::ToClient) if !self.answered && !self.retried => {
                    // The next Initial packets have the keys of the server's new id (RFC 9001 section 5.2).
                    self.retried = true;
                    self.keys = None;
                    self.crypto.to_server.clear();
                    false
                }
                (PacketKind::Handshake, Direction::ToServer) => {
                    self.follows = true;
                    false
                }
                (PacketKind::Short, Direction::ToServer) if self.answered || !self.asked => {
                    self.done(out);
                    true
                }
                _ => false,
            };
            if over {
                return opaque;
            }
            let long = matches!(packet.kind, PacketKind::Initial | PacketKind::Handshake);
            if direction == Direction::ToClient && self.answered && long {
                self.mark = Some(out.end_mark(bytes.len() - rest.len() + packet.end));
            }
            rest = rest.get(packet.end..).unwrap_or_default();
        }
        if self.datagrams > PATIENCE {
            self.not_readable(bytes.len(), out);
            return opaque;
        }
        Progress::Consumed(bytes.len())
    }

    fn gap(&mut self, _: Direction, _: u64, _: &mut Messages) -> Result<(), Reason> {
        Ok(())
    }

    fn finish(&mut self, why: Unanswered, out: &mut Messages) {
        if !self.answered || why == Unanswered::InputEnd && !self.follows {
            return;
        }
        if let Some(entry) = out.outstanding(ID) {
            failed(Outcome::ClientError, "not_completed", &mut entry.exchange);
        }
        if let Some(mark) = self.mark {
            out.close_response(ID, mark);
        }
    }

    fn bytes(&self) -> usize {
        let keys = self.keys.as_ref().map_or(0, |keys| size_of_val(&**keys) + keys.id.capacity());
        let crypto = self.crypto.to_server.memory() + self.crypto.to_client.memory();
        size_of::<Self>() + keys + crypto + self.scratch.capacity()
    }
}
