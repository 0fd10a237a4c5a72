//! The parser of ZooKeeper: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::frame::{EVENT, frame, is_connect, length};
use super::ops::{EXISTS, MULTI, MULTI_READ, event, op, word};
use super::{codes, multi, request};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::frames::next_message;
use crate::kit::reader::Reader;
use fact::Outcome;

/// Bytes of a message that are looked at.
const LOOKED_AT: usize = 4096;
/// What the first messages of a session are paired by.
const CONNECT: u64 = 1 << 40;
/// What a four-letter word and its answer are paired by.
const WORD: u64 = 2 << 40;
const NO_NODE: i32 = -101;

#[derive(Debug, Default)]
struct Side {
    /// What ends behind bytes that are skipped.
    ends: Option<(Kind, u64)>,
    /// The next message has to be looked for.
    lost: bool,
    /// Nothing was said yet.
    begun: bool,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct ZookeeperParser {
    sides: PerDirection<Side>,
    /// A four-letter word was sent: its answer is text up to the end.
    word: bool,
    answering: bool,
    /// The answer to the session's first message is next.
    connecting: bool,
}

impl ZookeeperParser {
    /// Tells a message without its length; none if it is none.
    fn tell(
        &mut self,
        direction: Direction,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Option<(Kind, u64)> {
        match direction {
            Direction::ToServer => {
                let mut r = Reader::new(body);
                let (xid, code) = (r.i32()?, r.i32()?);
                op(code)?;
                let id = u64::from(xid as u32);
                let entry = out.open(Kind::Request, id, at);
                entry.notes.tag = code as u16;
                let _ = request::tell(code, r.rest(), &mut entry.exchange);
                Some((Kind::Request, id))
            }
            Direction::ToClient if std::mem::take(&mut self.connecting) => {
                self.connected(body, at, out);
                Some((Kind::Response, CONNECT))
            }
            Direction::ToClient => reply(body, at, out),
        }
    }

    /// Tells the first message of a session without its password.
    fn connect(&mut self, body: &[u8], at: usize, out: &mut Messages) {
        self.connecting = true;
        let exchange = &mut out.open(Kind::Request, CONNECT, at).exchange;
        exchange.operation.push_str("connect");
        let mut r = Reader::new(body);
        let attributes = &mut exchange.attributes;
        attributes.push_text("db.system.name", "zookeeper");
        attributes.push_text("db.operation.name", "connect");
        if let Some(((_, _), timeout)) = r.u32().zip(r.u64()).zip(r.u32()) {
            attributes.push_int("zookeeper.timeout_ms", i64::from(timeout));
        }
        if let Some(session) = r.u64().filter(|session| *session != 0) {
            attributes.push_text("zookeeper.resumed_session", &format!("{session:#x}"));
        }
    }

    fn connected(&mut self, body: &[u8], at: usize, out: &mut Messages) {
        let exchange = &mut out.open(Kind::Response, CONNECT, at).exchange;
        let mut r = Reader::new(body);
        let Some(((_, timeout), session)) = r.u32().zip(r.u32()).zip(r.u64()) else { return };
        if timeout == 0 {
            exchange.outcome = codes::tell(-112, &mut exchange.attributes);
        } else {
            exchange.attributes.push_text("zookeeper.session", &format!("{session:#x}"));
        }
    }

    fn words(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if direction == Direction::ToClient && !self.answering && !bytes.is_empty() {
            self.answering = true;
            out.open(Kind::Response, WORD, 0);
        }
        Progress::Consumed(bytes.len())
    }
}

fn reply(body: &[u8], at: usize, out: &mut Messages) -> Option<(Kind, u64)> {
    let mut r = Reader::new(body);
    let (xid, _, error) = (r.i32()?, r.u64()?, r.i32()?);
    if xid == EVENT {
        let exchange = &mut out.open(Kind::OneWay, u64::from(xid as u32), at).exchange;
        exchange.operation.push_str("notification");
        exchange.attributes.push_text("db.system.name", "zookeeper");
        if let Some((kind, _)) = r.i32().zip(r.i32()) {
            exchange.attributes.push_text("zookeeper.event", event(kind).unwrap_or("unknown"));
        }
        if let Some(path) = r.bytes32() {
            request::path(path, exchange);
        }
        return Some((Kind::OneWay, u64::from(xid as u32)));
    }
    if !codes::is_known(error) {
        return None;
    }
    let id = u64::from(xid as u32);
    let entry = out.open(Kind::Response, id, at);
    let code = i32::from(entry.notes.tag as i16);
    let asked = entry.exchange.request.is_some();
    let exchange = &mut entry.exchange;
    let several = asked && matches!(code, MULTI | MULTI_READ);
    let failed = if several && error == 0 { multi::error(r.rest()) } else { None };
    exchange.outcome = codes::tell(failed.unwrap_or(error), &mut exchange.attributes);
    // That there is none is what was asked.
    if asked && code == EXISTS && error == NO_NODE {
        exchange.outcome = Outcome::Ok;
    } else if exchange.outcome != Outcome::Ok {
        exchange.attributes.push_int("zookeeper.error", i64::from(failed.unwrap_or(error)));
    }
    Some((Kind::Response, id))
}

impl Parser for ZookeeperParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if self.word {
            return self.words(direction, bytes, out);
        }
        let mut at = 0;
        if self.sides[direction].lost && !bytes.is_empty() {
            match next_message(bytes, |b| frame(b, direction)) {
                Some(found) => at = found,
                None => return Progress::Consumed(bytes.len()),
            }
            self.sides[direction].lost = false;
        }
        loop {
            let side = &mut self.sides[direction];
            if let Some((kind, id)) = side.ends.take() {
                out.close(kind, id, at);
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            if rest.len() < 4 {
                return Progress::Need { consumed: at, more: 4 - rest.len() };
            }
            if !side.begun
                && direction == Direction::ToServer
                && let Some(word) = word(rest)
            {
                self.word = true;
                let exchange = &mut out.open(Kind::Request, WORD, at).exchange;
                exchange.operation.push_str(word);
                exchange.attributes.push_text("db.system.name", "zookeeper");
                out.close(Kind::Request, WORD, at + 4);
                return Progress::Consumed(bytes.len());
            }
            let Some(Some(len)) = length(rest) else {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            };
            let looked_at = len.min(LOOKED_AT);
            let behind = rest.get(4..).unwrap_or_default();
            let Some(body) = behind.get(..looked_at) else {
                return Progress::Need { consumed: at, more: looked_at - behind.len() };
            };
            let first = !std::mem::replace(&mut side.begun, true);
            let ends = if first && direction == Direction::ToServer && is_connect(rest) {
                self.connect(body, at, out);
                Some((Kind::Request, CONNECT))
            } else {
                self.tell(direction, body, at, out)
            };
            if ends.is_none() {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            }
            self.sides[direction].ends = ends;
            if behind.len() < len {
                return Progress::Skip { consumed: at + 4 + looked_at, body: (len - looked_at) as u64 };
            }
            at += 4 + len;
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if !self.word && !self.sides[direction].lost && matches!(length(bytes), Some(Some(_))) {
            self.tell(direction, bytes.get(4..).unwrap_or_default(), 0, out);
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        let side = &mut self.sides[direction];
        (side.ends, side.lost, side.begun) = (None, true, true);
        self.connecting &= direction == Direction::ToServer;
        Ok(())
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        if self.answering && direction == Direction::ToClient {
            out.close(Kind::Response, WORD, 0);
        }
    }
}
