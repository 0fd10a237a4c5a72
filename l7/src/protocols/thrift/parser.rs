//! The parser of Thrift: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::head::{self, Encoding, Head, Kind as Sent, Read};
use super::walk::{Step, Walk};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use fact::{Exchange, Outcome};

/// So much of a framed result is looked at: whether it is one.
const LOOKED_AT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct ThriftParser {
    sides: PerDirection<Side>,
}

/// Where a direction stands.
#[derive(Debug, Default)]
struct Side {
    /// The message that is open.
    open: Option<(Sent, u64)>,
    /// Its values, where nothing else tells its end.
    walk: Option<Walk>,
    /// Bytes are missing: the next message has to be found.
    lost: bool,
}

impl ThriftParser {
    /// Walks on from `at`: where to, or how the call of `read` ends.
    fn walk(&mut self, direction: Direction, bytes: &[u8], at: usize) -> Result<usize, Progress> {
        let side = &mut self.sides[direction];
        let Some(walk) = &mut side.walk else { return Ok(at) };
        match walk.step(bytes.get(at..).unwrap_or_default()) {
            Step::Over(length) => skip(at, length, bytes.len()),
            Step::More(more) => Err(Progress::Need { consumed: at, more }),
            Step::Broken => Err(Progress::GiveUp { consumed: at, reason: Reason::Malformed }),
            Step::End => Ok(at),
        }
    }

    fn message(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        head: Head<'_>,
        out: &mut Messages,
    ) -> Result<usize, Progress> {
        let rest = bytes.get(at..).unwrap_or_default();
        let mut looked = Walk::new(head.encoding);
        if let Some(end) = head.frame
            && !head.kind.asks()
        {
            let looked_at = end.min(head.body + LOOKED_AT);
            let Some(body) = rest.get(head.body..looked_at) else {
                return Err(Progress::Need { consumed: at, more: looked_at - rest.len() });
            };
            look(&mut looked, body);
        }
        let kind = match head.kind {
            Sent::Call => Kind::Request,
            Sent::OneWay => Kind::OneWay,
            Sent::Reply | Sent::Exception => Kind::Response,
        };
        let id = u64::from(head.id);
        let exchange = &mut out.open(kind, id, at).exchange;
        if exchange.operation.is_empty() {
            tell(&head, exchange);
        }
        if head.frame.is_some() {
            judge(head.kind, &looked, exchange);
        }
        let side = &mut self.sides[direction];
        side.lost = false;
        side.open = Some((head.kind, id));
        side.walk = head.frame.is_none().then_some(looked);
        skip(at, head.frame.unwrap_or(head.body) as u64, bytes.len())
    }

    /// What was open ends before `at`.
    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        let side = &mut self.sides[direction];
        let walk = side.walk.take();
        let Some((sent, id)) = side.open.take() else { return };
        let kind = match sent {
            Sent::Call => Kind::Request,
            Sent::OneWay => Kind::OneWay,
            Sent::Reply | Sent::Exception => Kind::Response,
        };
        if let Some(walk) = walk
            && let Some(entry) = out.current(kind, id)
        {
            judge(sent, &walk, &mut entry.exchange);
        }
        out.close(kind, id, at);
    }
}

/// Walks as far as the bytes go.
fn look(walk: &mut Walk, body: &[u8]) {
    let mut at = 0;
    loop {
        match walk.step(body.get(at..).unwrap_or_default()) {
            Step::Over(length) => match usize::try_from(length) {
                Ok(length) if at + length < body.len() => at += length,
                _ => return,
            },
            Step::More(_) | Step::End | Step::Broken => return,
        }
    }
}

fn tell(head: &Head<'_>, exchange: &mut Exchange) {
    let (service, method) = match head.name.rsplit_once(':') {
        Some((service, method)) => (Some(service), method),
        None => (None, head.name),
    };
    exchange.operation.push_str(method);
    let into = &mut exchange.attributes;
    into.push_text("rpc.system", "thrift");
    into.push_text("rpc.system.name", "thrift");
    if let Some(service) = service {
        into.push_text("rpc.service", service);
    }
    into.push_text("rpc.method", method);
    let encoding = match head.encoding {
        Encoding::Binary => "binary",
        Encoding::Compact => "compact",
    };
    into.push_text("thrift.protocol", encoding);
    let transport = match head.frame {
        Some(_) if head.with_header => "header",
        Some(_) => "framed",
        None => "buffered",
    };
    into.push_text("thrift.transport", transport);
}

/// Says how a call ended. A result is field 0 of the answer; a declared exception is another.
fn judge(sent: Sent, walk: &Walk, exchange: &mut Exchange) {
    const NAMES: [&str; 11] = [
        "unknown",
        "unknown_method",
        "invalid_message_type",
        "wrong_method_name",
        "bad_sequence_id",
        "missing_result",
        "internal_error",
        "protocol_error",
        "invalid_transform",
        "invalid_protocol",
        "unsupported_client_type",
    ];
    match (sent, walk.first()) {
        (Sent::Exception, _) => {
            let code = walk.second().and_then(|code| usize::try_from(code).ok()).unwrap_or(0);
            exchange.outcome =
                if matches!(code, 1..=4 | 7..=10) { Outcome::ClientError } else { Outcome::ServerError };
            exchange.attributes.push_text("error.type", NAMES.get(code).copied().unwrap_or("unknown"));
        }
        (Sent::Reply, Some(number)) if number != 0 => {
            exchange.outcome = Outcome::ServerError;
            exchange.attributes.push_text("error.type", "declared_exception");
            exchange.attributes.push_int("thrift.exception.field", number);
        }
        _ => {}
    }
}

/// On behind `length` bytes, which may not all be there.
fn skip(at: usize, length: u64, len: usize) -> Result<usize, Progress> {
    match usize::try_from(length).ok().and_then(|length| at.checked_add(length)) {
        Some(end) if end <= len => Ok(end),
        _ => Err(Progress::Skip { consumed: at, body: length }),
    }
}

impl Parser for ThriftParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let side = &self.sides[direction];
            let next = if side.walk.as_ref().is_some_and(|walk| !walk.is_over()) {
                self.walk(direction, bytes, at)
            } else {
                self.close(direction, at, out);
                let rest = bytes.get(at..).unwrap_or_default();
                match head::read(rest) {
                    _ if rest.is_empty() => return Progress::Consumed(at),
                    Read::Head(head) if head.kind.asks() == (direction == Direction::ToServer) => {
                        self.message(direction, bytes, at, head, out)
                    }
                    Read::More(more) => return Progress::Need { consumed: at, more },
                    _ if self.sides[direction].lost => return Progress::Consumed(bytes.len()),
                    _ => return Progress::GiveUp { consumed: at, reason: Reason::Malformed },
                }
            };
            match next {
                Ok(next) => at = next,
                Err(progress) => return progress,
            }
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        self.sides[direction] = Side { lost: true, ..Side::default() };
        Ok(())
    }

    fn bytes(&self) -> usize {
        let walks =
            [&self.sides.to_server, &self.sides.to_client].into_iter().filter_map(|side| side.walk.as_ref());
        size_of::<Self>() + walks.map(Walk::bytes).sum::<usize>()
    }
}
