//! Opens the messages of a connection. Headers are in `header`, bodies in `body`.

use wire::{Direction, PerDirection};

use super::body;
use super::header::{HEADER, Header, begins, outcome, serialization, status_name};
use crate::contract::{Probe, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::framed::{Format, FormatStep};

/// Bytes of a body that are inspected.
const INSPECT_LIMIT: u64 = 8 * 1024;
/// The status of a response without an error.
const OK: u8 = 20;

/// A message is recorded from its first bytes. Its end only closes it.
#[derive(Debug, Default)]
pub(super) struct DubboFormat {
    open: PerDirection<Option<(Kind, u64)>>,
}

impl Format for DubboFormat {
    const HEAD: usize = HEADER;

    fn length(&self, _: Direction, head: &[u8]) -> Option<u64> {
        Header::read(head).map(|header| u64::from(header.body) + HEADER as u64)
    }

    fn begins(&self, _: Direction, bytes: &[u8], _: &Messages) -> Probe {
        begins(bytes)
    }

    fn step(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> Result<FormatStep, Reason> {
        let wanted = left.min(HEADER as u64 + INSPECT_LIMIT) as usize;
        let (Some(header), Some(shown)) = (Header::read(bytes), bytes.get(HEADER..wanted)) else {
            return Ok(FormatStep::Need(wanted));
        };
        if header.is_event() {
            return Ok(FormatStep::Done);
        }
        let kind = match (header.is_request(), header.is_two_way()) {
            (true, true) => Kind::Request,
            (true, false) => Kind::OneWay,
            (false, _) => Kind::Response,
        };
        self.open[direction] = Some((kind, header.id));
        let entry = out.open(kind, header.id, at);
        if kind == Kind::Response {
            entry.clear_loss();
        }
        let exchange = &mut entry.exchange;
        if exchange.attributes.is_empty() {
            exchange.attributes.push_text("rpc.system", "apache_dubbo");
            exchange.attributes.push_text("rpc.system.name", "dubbo");
            if let Some(name) = serialization(header.serialization()) {
                exchange.attributes.push_text("rpc.dubbo.serialization", name);
            }
        }
        if kind != Kind::Response {
            body::request(header.serialization(), shown, exchange);
            return Ok(FormatStep::Done);
        }
        exchange.outcome = outcome(header.status);
        let name = status_name(header.status).unwrap_or("UNKNOWN");
        exchange.attributes.push_int("rpc.status_code", i64::from(header.status));
        exchange.attributes.push_text("rpc.response.status_code", name);
        if header.status == OK {
            body::response(header.serialization(), shown, exchange);
        } else {
            exchange.attributes.push_text("error.type", name);
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
