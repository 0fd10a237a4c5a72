//! The parser of ZooKeeper: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::frame::{EVENT, frame, is_connect, length};
use super::ops::{EXISTS, MULTI, MULTI_READ, event, four_letter_word, op};
use super::{codes, multi, request};
use crate::correlate::{Kind, Messages};
use crate::kit::frames::Frame;
use crate::kit::reader::Reader;
use crate::kit::resync::{FrameFormat, FrameRead};
use fact::Outcome;

/// Bytes of a message that are read.
const INSPECTED: usize = 4096;
/// The id of the first request and response of a session.
const CONNECT: u64 = 1 << 40;
/// The id of a four-letter word and its answer.
const WORD: u64 = 2 << 40;
const NO_NODE: i32 = -101;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct ZookeeperFrames {
    /// A message or a gap was seen: no four-letter word can follow.
    begun: PerDirection<bool>,
    /// A four-letter word was sent: its answer is text up to the end.
    word: bool,
    answering: bool,
    /// The answer to the session's first message is next.
    connecting: bool,
}

impl ZookeeperFrames {
    /// Reads a message, of which `body` follows the length. None if it is malformed.
    fn on_message(
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
                let _ = request::push_request(code, r.rest(), &mut entry.exchange);
                Some((Kind::Request, id))
            }
            Direction::ToClient if std::mem::take(&mut self.connecting) => {
                self.on_connect_response(body, at, out);
                Some((Kind::Response, CONNECT))
            }
            Direction::ToClient => on_reply(body, at, out),
        }
    }

    /// Reads the first message of a session, but not its password.
    fn on_connect_request(&mut self, body: &[u8], at: usize, out: &mut Messages) {
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

    fn on_connect_response(&mut self, body: &[u8], at: usize, out: &mut Messages) {
        let exchange = &mut out.open(Kind::Response, CONNECT, at).exchange;
        let mut r = Reader::new(body);
        let Some(((_, timeout), session)) = r.u32().zip(r.u32()).zip(r.u64()) else { return };
        if timeout == 0 {
            exchange.outcome = codes::push_error(-112, &mut exchange.attributes);
        } else {
            exchange.attributes.push_text("zookeeper.session", &format!("{session:#x}"));
        }
    }

    /// Reads what follows a four-letter word: a part of its answer.
    fn on_four_letter_word(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        if direction == Direction::ToClient && !self.answering {
            self.answering = true;
            out.open(Kind::Response, WORD, at);
        }
        FrameRead::take(rest.len())
    }
}

fn on_reply(body: &[u8], at: usize, out: &mut Messages) -> Option<(Kind, u64)> {
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
            request::push_path(path, exchange);
        }
        return Some((Kind::OneWay, u64::from(xid as u32)));
    }
    if !codes::is_known(error) {
        return None;
    }
    let id = u64::from(xid as u32);
    let entry = out.open(Kind::Response, id, at);
    let code = i32::from(entry.notes.tag as i16);
    let has_request = entry.exchange.request.is_some();
    let exchange = &mut entry.exchange;
    let several = has_request && matches!(code, MULTI | MULTI_READ);
    let failed = if several && error == 0 { multi::error(r.rest()) } else { None };
    exchange.outcome = codes::push_error(failed.unwrap_or(error), &mut exchange.attributes);
    // Whether the node exists is the question: that it does not is no error.
    if has_request && code == EXISTS && error == NO_NODE {
        exchange.outcome = Outcome::Ok;
    } else if exchange.outcome != Outcome::Ok {
        exchange.attributes.push_int("zookeeper.error", i64::from(failed.unwrap_or(error)));
    }
    Some((Kind::Response, id))
}

impl FrameFormat for ZookeeperFrames {
    fn frame(&self, direction: Direction, bytes: &[u8]) -> Frame {
        if self.word { Frame::Whole(bytes.len()) } else { frame(bytes, direction) }
    }

    fn read_frame(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        if self.word {
            return self.on_four_letter_word(direction, rest, at, out);
        }
        if rest.len() < 4 {
            return FrameRead::Need(4);
        }
        if !self.begun[direction]
            && direction == Direction::ToServer
            && let Some(word) = four_letter_word(rest)
        {
            self.word = true;
            let exchange = &mut out.open(Kind::Request, WORD, at).exchange;
            exchange.operation.push_str(word);
            exchange.attributes.push_text("db.system.name", "zookeeper");
            out.close(Kind::Request, WORD, at + 4);
            return FrameRead::take(rest.len());
        }
        let Some(Some(len)) = length(rest) else { return FrameRead::MALFORMED };
        let inspected = 4 + len.min(INSPECTED);
        let Some(body) = rest.get(4..inspected) else { return FrameRead::Need(inspected) };
        let first = !std::mem::replace(&mut self.begun[direction], true);
        let ends = if first && direction == Direction::ToServer && is_connect(rest) {
            self.on_connect_request(body, at, out);
            Some((Kind::Request, CONNECT))
        } else {
            self.on_message(direction, body, at, out)
        };
        match ends {
            Some(_) => FrameRead::Take { len: 4 + len, ends },
            None => FrameRead::MALFORMED,
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if !self.word && matches!(length(bytes), Some(Some(_))) {
            self.on_message(direction, bytes.get(4..).unwrap_or_default(), 0, out);
        }
    }

    fn on_loss(&mut self, direction: Direction) {
        self.begun[direction] = true;
        self.connecting &= direction == Direction::ToServer;
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        if self.answering && direction == Direction::ToClient {
            out.close(Kind::Response, WORD, 0);
        }
    }
}
