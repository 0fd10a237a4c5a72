use std::fmt::Write as _;

use wire::{Direction, PerDirection};

use super::api::Api;
use super::bytes::int32;
use super::head::{CLIENT_ID, FIXED, Head, client_id, is_request, length};
use super::told::Told;
use super::topics::TopicIds;
use super::walk::Walk;
use crate::contract::{Clue, Probe, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::framed::{Format, Step};

/// So much of a client id is told.
const CLIENT_ID_KEPT: usize = 128;
/// Number of `Produce`.
const PRODUCE: i16 = 0;
/// Number of `Fetch`.
const FETCH: i16 = 1;
/// Number of `OffsetCommit`.
const OFFSET_COMMIT: i16 = 8;
/// Number of `SaslHandshake`: behind its version 0 tokens follow without heads.
const SASL_HANDSHAKE: i16 = 17;
/// Number of `ApiVersions`: its response has the oldest head in every version.
const API_VERSIONS: i16 = 18;

/// The message that is read in one direction.
#[derive(Debug)]
struct Open {
    /// None: one that is not told.
    id: Option<u64>,
    begun: bool,
    walk: Walk,
    told: Told,
}

#[derive(Debug)]
pub(super) struct KafkaFormat {
    usual: bool,
    open: PerDirection<Open>,
    /// Client id of the requests.
    client: Vec<u8>,
    /// Tokens of a log-in may come without heads.
    tokens: bool,
    /// Lent to the direction that is read.
    ids: TopicIds,
}

impl KafkaFormat {
    pub(super) fn new(clue: &Clue) -> Self {
        let open = || Open { id: None, begun: false, walk: Walk::NONE, told: Told::default() };
        Self {
            usual: clue.usual,
            open: PerDirection { to_server: open(), to_client: open() },
            client: Vec::new(),
            tokens: false,
            ids: TopicIds::default(),
        }
    }

    fn request(&mut self, bytes: &[u8], left: u64, at: usize, out: &mut Messages) -> Result<Step, Reason> {
        let Some(head) = Head::read(bytes) else { return Ok(Step::Need(FIXED)) };
        let api = head.api();
        let wanted = match left < CLIENT_ID as u64 {
            true => FIXED,
            false if bytes.len() < CLIENT_ID => return Ok(Step::Need(CLIENT_ID)),
            false => CLIENT_ID + client_id(bytes).1.min(CLIENT_ID_KEPT),
        };
        if wanted as u64 > left || api.is_none() {
            if self.tokens {
                return Ok(Step::Done);
            }
            if wanted as u64 > left || !(0..20_000).contains(&head.key) {
                return Err(Reason::Malformed);
            }
        }
        if bytes.len() < wanted {
            return Ok(Step::Need(wanted));
        }
        self.tokens = head.key == SASL_HANDSHAKE && head.version == 0;
        let (client, length) = client_id(bytes);
        let client = client.get(..CLIENT_ID_KEPT).unwrap_or(client);
        if self.client != client {
            self.client.clear();
            self.client.extend_from_slice(client);
        }
        let id = u64::from(head.correlation as u32);
        let entry = out.open(Kind::Request, id, at);
        let exchange = &mut entry.exchange;
        match api {
            Some(api) => exchange.operation.push_str(api.name),
            None => {
                let _ = write!(exchange.operation, "ApiKey{}", head.key);
            }
        }
        let attributes = &mut exchange.attributes;
        attributes.push_text("messaging.system", "kafka");
        if let Some((name, kind)) = match head.key {
            PRODUCE => Some(("send", "send")),
            FETCH => Some(("poll", "receive")),
            OFFSET_COMMIT => Some(("commit", "settle")),
            _ => None,
        } {
            attributes.push_text("messaging.operation.name", name);
            attributes.push_text("messaging.operation.type", kind);
        }
        attributes.push_int("messaging.kafka.api_version", i64::from(head.version));
        attributes.push_int("messaging.kafka.correlation_id", i64::from(head.correlation));
        if !client.is_empty() {
            attributes.push_bytes("messaging.client.id", client);
        }
        let open = &mut self.open[Direction::ToServer];
        open.id = Some(id);
        open.walk = Walk::NONE;
        if let Some(api) = api.filter(|api| head.version <= i16::from(api.newest)) {
            let version = head.version as u8;
            entry.notes.tag = KNOWN | (head.key as u16) << 8 | u16::from(version);
            open.walk = Walk::new(api.request, version, version >= api.flexible, true);
        }
        let behind = if wanted == FIXED { FIXED } else { CLIENT_ID + length };
        Ok(Step::Take(behind as u64))
    }

    fn response(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let Some(correlation) = int32(bytes, 4) else { return Step::Need(8) };
        let id = u64::from(correlation as u32);
        let open = &mut self.open[Direction::ToClient];
        open.walk = Walk::NONE;
        if self.tokens && !out.is_pending(id) {
            return Step::Done;
        }
        let entry = out.open(Kind::Response, id, at);
        entry.clear_loss();
        if entry.exchange.request.is_none() {
            entry.exchange.attributes.push_text("messaging.system", "kafka");
        }
        open.id = Some(id);
        let (key, version) = ((entry.notes.tag >> 8 & 0x7f) as i16, entry.notes.tag as u8);
        if entry.notes.tag & KNOWN != 0
            && let Some(api) = Api::of(key)
        {
            let flexible = version >= api.flexible;
            open.walk = Walk::new(api.response, version, flexible, key != API_VERSIONS);
        }
        Step::Take(8)
    }

    fn write(&mut self, direction: Direction, out: &mut Messages) -> Option<u64> {
        let open = &mut self.open[direction];
        let id = open.id.take()?;
        let kind = kind(direction);
        if let Some(entry) = out.current(kind, id) {
            open.told.write(entry);
            if kind == Kind::Request && open.told.asks_for_nothing() {
                entry.expect_no_response();
            }
        }
        Some(id)
    }
}

/// Mark of a tag that holds an API and a version.
const KNOWN: u16 = 0x8000;

fn kind(direction: Direction) -> Kind {
    match direction {
        Direction::ToServer => Kind::Request,
        Direction::ToClient => Kind::Response,
    }
}

impl Format for KafkaFormat {
    const HEAD: usize = 8;

    fn length(&self, _: Direction, head: &[u8]) -> Option<u64> {
        length(head)
    }

    fn begins(&self, direction: Direction, bytes: &[u8], out: &Messages) -> Probe {
        if direction == Direction::ToClient {
            let ([0..64, ..] | []) = bytes else { return Probe::No };
            let Some(correlation) = int32(bytes, 4) else { return Probe::More };
            let waits = out.is_pending(u64::from(correlation as u32));
            return if waits && length(bytes).is_some() { Probe::Yes } else { Probe::No };
        }
        if self.client.is_empty() {
            return is_request(bytes, self.usual);
        }
        match is_request(bytes, false) {
            Probe::Yes if client_id(bytes).0.starts_with(&self.client) => Probe::Yes,
            Probe::More => Probe::More,
            _ => Probe::No,
        }
    }

    fn step(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> Result<Step, Reason> {
        let open = &mut self.open[direction];
        if open.begun {
            std::mem::swap(&mut self.ids, &mut open.told.ids);
            let step = open.walk.step(bytes, left, &mut open.told);
            std::mem::swap(&mut self.ids, &mut open.told.ids);
            return Ok(step);
        }
        let step = match direction {
            Direction::ToServer => self.request(bytes, left, at, out)?,
            Direction::ToClient => self.response(bytes, at, out),
        };
        if !matches!(step, Step::Need(_)) {
            let open = &mut self.open[direction];
            open.begun = true;
            open.told.clear();
        }
        Ok(step)
    }

    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        if let Some(id) = self.write(direction, out) {
            out.close(kind(direction), id, at);
        }
        self.open[direction].begun = false;
    }

    fn lost(&mut self, direction: Direction, out: &mut Messages) {
        self.write(direction, out);
        self.open[direction].begun = false;
    }

    fn bytes(&self) -> usize {
        Direction::BOTH.iter().map(|&d| self.open[d].told.bytes()).sum::<usize>()
            + self.client.capacity()
            + self.ids.bytes()
    }
}
