//! The header of a message, and the values of Hessian 2 and fastjson.

use wire::{Direction, PerDirection};

use super::body;
use super::head::{HEAD, Head, begins, outcome, serialization, status_name};
use crate::contract::{Probe, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::framed::{Format, Step};

/// So much of a body is looked at.
const LOOKED_AT: u64 = 8 * 1024;
/// The response of a status.
const OK: u8 = 20;

/// Messages are told from their first bytes; what is open is only waited for.
#[derive(Debug, Default)]
pub(super) struct DubboFormat {
    open: PerDirection<Option<(Kind, u64)>>,
}

impl Format for DubboFormat {
    const HEAD: usize = HEAD;

    fn length(&self, _: Direction, head: &[u8]) -> Option<u64> {
        Head::read(head).map(|head| u64::from(head.body) + HEAD as u64)
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
    ) -> Result<Step, Reason> {
        let wanted = left.min(HEAD as u64 + LOOKED_AT) as usize;
        let (Some(head), Some(shown)) = (Head::read(bytes), bytes.get(HEAD..wanted)) else {
            return Ok(Step::Need(wanted));
        };
        if head.is_event() {
            return Ok(Step::Done);
        }
        let kind = match (head.is_request(), head.is_two_way()) {
            (true, true) => Kind::Request,
            (true, false) => Kind::OneWay,
            (false, _) => Kind::Response,
        };
        self.open[direction] = Some((kind, head.id));
        let entry = out.open(kind, head.id, at);
        if kind == Kind::Response {
            entry.clear_loss();
        }
        let exchange = &mut entry.exchange;
        if exchange.attributes.is_empty() {
            exchange.attributes.push_text("rpc.system", "apache_dubbo");
            exchange.attributes.push_text("rpc.system.name", "dubbo");
            if let Some(name) = serialization(head.serialization()) {
                exchange.attributes.push_text("rpc.dubbo.serialization", name);
            }
        }
        if kind != Kind::Response {
            body::request(head.serialization(), shown, exchange);
            return Ok(Step::Done);
        }
        exchange.outcome = outcome(head.status);
        let name = status_name(head.status).unwrap_or("UNKNOWN");
        exchange.attributes.push_int("rpc.status_code", i64::from(head.status));
        exchange.attributes.push_text("rpc.response.status_code", name);
        if head.status == OK {
            body::response(head.serialization(), shown, exchange);
        } else {
            exchange.attributes.push_text("error.type", name);
        }
        Ok(Step::Done)
    }

    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        if let Some((kind, id)) = self.open[direction].take() {
            out.close(kind, id, at);
        }
    }

    fn lost(&mut self, direction: Direction, _: &mut Messages) {
        self.open[direction] = None;
    }
}
