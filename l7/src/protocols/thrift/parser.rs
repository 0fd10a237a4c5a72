//! Opens and closes the messages of a connection. Headers are in `header`, values in `walk`.

use wire::{Direction, PerDirection};

use super::header::{self, Encoding, Header, Kind as Sent, Read};
use super::walk::{Walk, WalkStep};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use fact::{Exchange, Outcome};

/// Bytes of a framed result that are inspected to find whether it is an exception.
const INSPECT_LIMIT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct ThriftParser {
    sides: PerDirection<Side>,
}

/// State of a direction.
#[derive(Debug, Default)]
struct Side {
    /// The message that is open.
    open: Option<(Sent, u64)>,
    /// Its values, if only they tell its end.
    walk: Option<Walk>,
    /// Bytes are missing: the next message has to be found.
    resynchronising: bool,
}

impl ThriftParser {
    /// Reads values from `at` on. Returns where they end, or the result of `read`.
    fn walk(&mut self, direction: Direction, bytes: &[u8], at: usize) -> Result<usize, Progress> {
        let side = &mut self.sides[direction];
        let Some(walk) = &mut side.walk else {
            wire::invariant!("`read` found values that are not over");
            return Ok(at);
        };
        match walk.step(bytes.get(at..).unwrap_or_default()) {
            WalkStep::Over(length) => skip(at, length, bytes.len()),
            WalkStep::More(more) => Err(Progress::Need { consumed: at, more }),
            WalkStep::Malformed => {
                Err(Progress::GiveUp { consumed: at, reason: Reason::Malformed })
            }
            WalkStep::End => Ok(at),
        }
    }

    fn message(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        header: Header<'_>,
        out: &mut Messages,
    ) -> Result<usize, Progress> {
        let rest = bytes.get(at..).unwrap_or_default();
        let mut looked = Walk::new(header.encoding);
        if let Some(end) = header.frame
            && !header.kind.is_from_client()
        {
            let inspected = end.min(header.body + INSPECT_LIMIT);
            let Some(body) = rest.get(header.body..inspected) else {
                return Err(Progress::Need { consumed: at, more: inspected - rest.len() });
            };
            walk_available(&mut looked, body);
        }
        let kind = match header.kind {
            Sent::Call => Kind::Request,
            Sent::OneWay => Kind::OneWay,
            Sent::Reply | Sent::Exception => Kind::Response,
        };
        let id = u64::from(header.id);
        let exchange = &mut out.open(kind, id, at).exchange;
        if exchange.operation.is_empty() {
            push_call(&header, exchange);
        }
        if header.frame.is_some() {
            push_outcome(header.kind, &looked, exchange);
        }
        let side = &mut self.sides[direction];
        side.resynchronising = false;
        side.open = Some((header.kind, id));
        side.walk = header.frame.is_none().then_some(looked);
        skip(at, header.frame.unwrap_or(header.body) as u64, bytes.len())
    }

    /// The open message ends before `at`.
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
            push_outcome(sent, &walk, &mut entry.exchange);
        }
        out.close(kind, id, at);
    }
}

/// Reads values as far as the bytes go.
fn walk_available(walk: &mut Walk, body: &[u8]) {
    let mut at = 0;
    loop {
        match walk.step(body.get(at..).unwrap_or_default()) {
            WalkStep::Over(length) => match usize::try_from(length) {
                Ok(length) if at + length < body.len() => at += length,
                _ => return,
            },
            WalkStep::More(_) | WalkStep::End | WalkStep::Malformed => return,
        }
    }
}

fn push_call(header: &Header<'_>, exchange: &mut Exchange) {
    let (service, method) = match header.name.rsplit_once(':') {
        Some((service, method)) => (Some(service), method),
        None => (None, header.name),
    };
    exchange.operation.push_str(method);
    let into = &mut exchange.attributes;
    into.push_text("rpc.system", "thrift");
    into.push_text("rpc.system.name", "thrift");
    if let Some(service) = service {
        into.push_text("rpc.service", service);
    }
    into.push_text("rpc.method", method);
    let encoding = match header.encoding {
        Encoding::Binary => "binary",
        Encoding::Compact => "compact",
    };
    into.push_text("thrift.protocol", encoding);
    let transport = match header.frame {
        Some(_) if header.with_header => "header",
        Some(_) => "framed",
        None => "buffered",
    };
    into.push_text("thrift.transport", transport);
}

/// Adds the outcome of a call. A result is field 0 of the reply; a declared exception is another
/// field.
fn push_outcome(sent: Sent, walk: &Walk, exchange: &mut Exchange) {
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
    match (sent, walk.first_field()) {
        (Sent::Exception, _) => {
            let code = walk.second_field().and_then(|code| usize::try_from(code).ok()).unwrap_or(0);
            exchange.outcome = if matches!(code, 1..=4 | 7..=10) {
                Outcome::ClientError
            } else {
                Outcome::ServerError
            };
            exchange
                .attributes
                .push_text("error.type", NAMES.get(code).copied().unwrap_or("unknown"));
        }
        (Sent::Reply, Some(number)) if number != 0 => {
            exchange.outcome = Outcome::ServerError;
            exchange.attributes.push_text("error.type", "declared_exception");
            exchange.attributes.push_int("thrift.exception.field", number);
        }
        _ => {}
    }
}

/// Passes over `length` bytes, which may not all be there.
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
                match header::read(rest) {
                    _ if rest.is_empty() => return Progress::Consumed(at),
                    Read::Header(header)
                        if header.kind.is_from_client() == (direction == Direction::ToServer) =>
                    {
                        self.message(direction, bytes, at, header, out)
                    }
                    Read::More(more) => return Progress::Need { consumed: at, more },
                    _ if self.sides[direction].resynchronising => {
                        return Progress::Consumed(bytes.len());
                    }
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
        self.sides[direction] = Side { resynchronising: true, ..Side::default() };
        Ok(())
    }

    fn bytes(&self) -> usize {
        let walks = [&self.sides.to_server, &self.sides.to_client]
            .into_iter()
            .filter_map(|side| side.walk.as_ref());
        size_of::<Self>() + walks.map(Walk::bytes).sum::<usize>()
    }
}
