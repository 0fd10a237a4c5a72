//! Opens and closes the messages of a connection. Headers are in `header`, bodies in `walk`.

use std::fmt::Write as _;

use wire::{Direction, PerDirection};

use super::api::Api;
use super::bytes::int32;
use super::header::{CLIENT_ID, FIXED, RequestHeader, client_id, is_request, length};
use super::message_fields::MessageFields;
use super::topics::TopicIds;
use super::walk::Walk;
use crate::contract::{Clue, Probe, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::framed::{Format, FormatStep};
use fact::Exchange;

/// Bytes of a client id that are kept.
const CLIENT_ID_KEPT: usize = 128;
/// Key of `Produce`.
const PRODUCE: i16 = 0;
/// Key of `Fetch`.
const FETCH: i16 = 1;
/// Key of `OffsetCommit`.
const OFFSET_COMMIT: i16 = 8;
/// Key of `SaslHandshake`. After its version 0, tokens without headers follow.
const SASL_HANDSHAKE: i16 = 17;
/// Key of `ApiVersions`. Its response has the oldest header in every version.
const API_VERSIONS: i16 = 18;

/// The message that is being read in one direction.
#[derive(Debug)]
struct Open {
    /// None for a message that is not recorded.
    id: Option<u64>,
    started: bool,
    walk: Walk,
    fields_read: MessageFields,
}

#[derive(Debug)]
pub(super) struct KafkaFormat {
    usual: bool,
    open: PerDirection<Open>,
    /// Client id of the requests.
    client: Vec<u8>,
    /// Authentication tokens without headers may come.
    may_be_token: bool,
    /// Topics by id; moved into `fields_read` of a direction while it is read.
    ids: TopicIds,
}

impl KafkaFormat {
    pub(super) fn new(clue: &Clue) -> Self {
        let open = || Open {
            id: None,
            started: false,
            walk: Walk::NONE,
            fields_read: MessageFields::default(),
        };
        Self {
            usual: clue.usual,
            open: PerDirection { to_server: open(), to_client: open() },
            client: Vec::new(),
            may_be_token: false,
            ids: TopicIds::default(),
        }
    }

    fn read_request_header(
        &mut self,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> Result<FormatStep, Reason> {
        let Some(header) = RequestHeader::read(bytes) else { return Ok(FormatStep::Need(FIXED)) };
        let api = header.api();
        let wanted = match left < CLIENT_ID as u64 {
            true => FIXED,
            false if bytes.len() < CLIENT_ID => return Ok(FormatStep::Need(CLIENT_ID)),
            false => CLIENT_ID + client_id(bytes).1.min(CLIENT_ID_KEPT),
        };
        if wanted as u64 > left || api.is_none() {
            if self.may_be_token {
                return Ok(FormatStep::Done);
            }
            if wanted as u64 > left || !(0..20_000).contains(&header.key) {
                return Err(Reason::Malformed);
            }
        }
        if bytes.len() < wanted {
            return Ok(FormatStep::Need(wanted));
        }
        self.may_be_token = header.key == SASL_HANDSHAKE && header.version == 0;
        let (client, length) = client_id(bytes);
        let client = client.get(..CLIENT_ID_KEPT).unwrap_or(client);
        if self.client != client {
            self.client.clear();
            self.client.extend_from_slice(client);
        }
        let id = u64::from(header.correlation as u32);
        let entry = out.open(Kind::Request, id, at);
        push_request(&header, api, client, &mut entry.exchange);
        let open = &mut self.open[Direction::ToServer];
        open.id = Some(id);
        open.walk = Walk::NONE;
        if let Some(api) = api.filter(|api| header.version <= i16::from(api.newest)) {
            let version = header.version as u8;
            entry.notes.tag = KNOWN | (header.key as u16) << 8 | u16::from(version);
            open.walk = Walk::new(api.request, version, version >= api.flexible, true);
        }
        let behind = if wanted == FIXED { FIXED } else { CLIENT_ID + length };
        Ok(FormatStep::Take(behind as u64))
    }

    fn read_response_header(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> FormatStep {
        let Some(correlation) = int32(bytes, 4) else { return FormatStep::Need(8) };
        let id = u64::from(correlation as u32);
        let open = &mut self.open[Direction::ToClient];
        open.walk = Walk::NONE;
        if self.may_be_token && !out.is_pending(id) {
            return FormatStep::Done;
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
        FormatStep::Take(8)
    }

    /// Adds what was read to the open message, and returns its id.
    fn push_fields(&mut self, direction: Direction, out: &mut Messages) -> Option<u64> {
        let open = &mut self.open[direction];
        let id = open.id.take()?;
        let kind = kind(direction);
        if let Some(entry) = out.current(kind, id) {
            open.fields_read.push_attributes(entry);
            if kind == Kind::Request && open.fields_read.wants_no_response() {
                entry.expect_no_response();
            }
        }
        Some(id)
    }
}

/// Adds operation and attributes of a request's header.
fn push_request(header: &RequestHeader, api: Option<&Api>, client: &[u8], exchange: &mut Exchange) {
    match api {
        Some(api) => exchange.operation.push_str(api.name),
        None => {
            let _ = write!(exchange.operation, "ApiKey{}", header.key);
        }
    }
    let attributes = &mut exchange.attributes;
    attributes.push_text("messaging.system", "kafka");
    if let Some((name, kind)) = match header.key {
        PRODUCE => Some(("send", "send")),
        FETCH => Some(("poll", "receive")),
        OFFSET_COMMIT => Some(("commit", "settle")),
        _ => None,
    } {
        attributes.push_text("messaging.operation.name", name);
        attributes.push_text("messaging.operation.type", kind);
    }
    attributes.push_int("messaging.kafka.api_version", i64::from(header.version));
    attributes.push_int("messaging.kafka.correlation_id", i64::from(header.correlation));
    if !client.is_empty() {
        attributes.push_bytes("messaging.client.id", client);
    }
}

/// Flag of a tag that holds an API key and a version.
const KNOWN: u16 = 0x8000;

fn kind(direction: Direction) -> Kind {
    match direction {
        Direction::ToServer => Kind::Request,
        Direction::ToClient => Kind::Response,
    }
}

impl Format for KafkaFormat {
    const HEAD: usize = 8;

    fn length(&self, _: Direction, header: &[u8]) -> Option<u64> {
        length(header)
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
    ) -> Result<FormatStep, Reason> {
        let open = &mut self.open[direction];
        if open.started {
            std::mem::swap(&mut self.ids, &mut open.fields_read.ids);
            let step = open.walk.step(bytes, left, &mut open.fields_read);
            std::mem::swap(&mut self.ids, &mut open.fields_read.ids);
            return Ok(step);
        }
        let step = match direction {
            Direction::ToServer => self.read_request_header(bytes, left, at, out)?,
            Direction::ToClient => self.read_response_header(bytes, at, out),
        };
        if !matches!(step, FormatStep::Need(_)) {
            let open = &mut self.open[direction];
            open.started = true;
            open.fields_read.clear();
        }
        Ok(step)
    }

    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        if let Some(id) = self.push_fields(direction, out) {
            out.close(kind(direction), id, at);
        }
        self.open[direction].started = false;
    }

    fn on_loss(&mut self, direction: Direction, out: &mut Messages) {
        self.push_fields(direction, out);
        self.open[direction].started = false;
    }

    fn bytes(&self) -> usize {
        Direction::BOTH.iter().map(|&d| self.open[d].fields_read.bytes()).sum::<usize>()
            + self.client.capacity()
            + self.ids.bytes()
    }
}
