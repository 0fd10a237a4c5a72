//! Opens the messages of a connection and sets their attributes. Headers are in `header`.

use std::fmt::Write as _;

use wire::{Direction, PerDirection};

use super::attributes::{operation, push_field};
use super::codes;
use super::header::{FIXED, Frame, Header, begins, read_header};
use crate::contract::{Probe, Reason};
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::framed::{Format, FormatStep};
use crate::kit::reader::first_bytes;
use fact::{Exchange, Outcome};

/// Longest remark that is kept, in bytes.
const LONGEST_REMARK: usize = 256;
/// `SEND_MESSAGE_V2` and `SEND_BATCH_MESSAGE`, whose fields have names of one letter.
const SHORT_FIELD_NAMES: [i32; 2] = [310, 320];

/// A command is recorded from its header. Its end only closes it.
#[derive(Debug, Default)]
pub(super) struct RocketmqFormat {
    open: PerDirection<Option<(Kind, u64)>>,
}

fn push_request(head: &Header<'_>, frame: &Frame, bytes: &[u8], exchange: &mut Exchange) {
    let name = codes::request(head.code);
    match name {
        Some(name) => exchange.operation.push_str(name),
        None => {
            let _ = write!(exchange.operation, "CODE_{}", head.code);
        }
    }
    let attributes = &mut exchange.attributes;
    attributes.push_text("messaging.system", "rocketmq");
    if let Some((name, kind)) = name.and_then(operation) {
        attributes.push_text("messaging.operation.name", name);
        attributes.push_text("messaging.operation.type", kind);
        if kind == "send" {
            attributes.push_int("messaging.message.body.size", frame.body as i64);
        }
    }
    attributes.push_bytes(
        "messaging.rocketmq.client.language",
        first_bytes(head.language.as_bytes(), 32),
    );
    let short = SHORT_FIELD_NAMES.contains(&head.code);
    read_header(frame, bytes, |name, value| push_field(name, value, short, attributes));
}

fn push_response(head: &Header<'_>, frame: &Frame, bytes: &[u8], entry: &mut Entry) {
    entry.clear_loss();
    let exchange = &mut entry.exchange;
    let attributes = &mut exchange.attributes;
    if exchange.request.is_none() {
        attributes.push_text("messaging.system", "rocketmq");
    }
    attributes.push_int("messaging.rocketmq.response_code", i64::from(head.code));
    read_header(frame, bytes, |name, value| push_field(name, value, false, attributes));
    let (name, outcome) = codes::response(head.code);
    exchange.outcome = outcome;
    if outcome == Outcome::Ok {
        return;
    }
    match name {
        Some(name) => attributes.push_text("error.type", name),
        None => attributes.push_text("error.type", &head.code.to_string()),
    }
    if !head.remark.is_empty() {
        attributes.push_bytes("error.message", first_bytes(head.remark.as_bytes(), LONGEST_REMARK));
    }
}

impl Format for RocketmqFormat {
    const HEAD: usize = FIXED;

    fn length(&self, _: Direction, head: &[u8]) -> Option<u64> {
        Frame::read(head).map(|frame| frame.length)
    }

    fn begins(&self, _: Direction, bytes: &[u8], _: &Messages) -> Probe {
        begins(bytes).0
    }

    fn step(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> Result<FormatStep, Reason> {
        let Some(frame) = Frame::read(bytes) else {
            return Ok(FormatStep::Need(left.min(FIXED as u64) as usize));
        };
        let wanted = FIXED + frame.header;
        if bytes.len() < wanted {
            return Ok(FormatStep::Need(wanted));
        }
        let Some(head) = read_header(&frame, bytes, |_, _| {}) else {
            return Err(Reason::Malformed);
        };
        let kind = match (head.is_response(), head.is_one_way()) {
            (true, _) => Kind::Response,
            (false, true) => Kind::OneWay,
            (false, false) => Kind::Request,
        };
        let id = u64::from(head.opaque as u32);
        self.open[direction] = Some((kind, id));
        let entry = out.open(kind, id, at);
        match kind {
            Kind::Response => push_response(&head, &frame, bytes, entry),
            Kind::Request | Kind::OneWay => push_request(&head, &frame, bytes, &mut entry.exchange),
        }
        Ok(FormatStep::Done)
    }

    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        if let Some((kind, id)) = self.open[direction].take() {
            out.close(kind, id, at);
        }
    }

    fn on_loss(&mut self, direction: Direction, _: &mut Messages) {
        self.open[direction] = None;
    }
}
