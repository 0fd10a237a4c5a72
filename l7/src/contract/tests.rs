//! A protocol of thirty lines, whole: a line is a request or a response, in order.

use wire::{Direction, PerDirection, Transport};

use super::{Clue, Parser, Probe, Progress, Protocol, Reason};
use crate::correlate::{Kind, Messages, Order};
use crate::testing::{S, Talk};
use fact::Outcome;

struct Echo;

impl Protocol for Echo {
    const NAME: fact::Protocol = fact::Protocol::new("echo");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[7];
    const ORDER: Order = Order::InOrder;

    fn probe(head: &[u8], direction: Direction, _: &Clue) -> Probe {
        match head.iter().position(|byte| !byte.is_ascii_graphic()) {
            None => Probe::More,
            Some(end) if head[end] == b'\n' && direction == Direction::ToServer => Probe::Yes,
            Some(_) => Probe::No,
        }
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(Lines::default())
    }
}

#[derive(Debug, Default)]
struct Lines {
    /// The direction begins in the middle of a line.
    lost: PerDirection<bool>,
}

impl Parser for Lines {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages<'_>) -> Progress {
        let Some(end) = memchr::memchr(b'\n', bytes).map(|at| at + 1) else {
            return Progress::Need { consumed: 0, more: 1 };
        };
        if !std::mem::take(&mut self.lost[direction]) {
            let request = direction == Direction::ToServer;
            let kind = if request { Kind::Request } else { Kind::Response };
            let entry = out.open(kind, 0, 0);
            if request {
                entry.exchange.operation.push_str(&String::from_utf8_lossy(&bytes[..end - 1]));
            }
            out.close(kind, 0, end);
        }
        Progress::Consumed(end)
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages<'_>) -> Result<(), Reason> {
        self.lost[direction] = true;
        out.mark_loss();
        Ok(())
    }
}

/// Operation and outcome of each exchange.
fn exchanges(t: &mut Talk) -> Vec<(String, Outcome)> {
    t.over().iter().map(|e| (e.operation.clone(), e.outcome)).collect()
}

#[test]
fn the_first_line_tells_the_protocol_once_it_is_whole() {
    let clue = Clue {
        transport: Transport::Tcp,
        client_port: 40_000,
        server_port: 7,
        usual: true,
        at_start: false,
        literals: false,
    };
    assert_eq!(Echo::probe(b"one", Direction::ToServer, &clue), Probe::More);
    assert_eq!(Echo::probe(b"one\n", Direction::ToServer, &clue), Probe::Yes);
    assert_eq!(Echo::probe(b"one\n", Direction::ToClient, &clue), Probe::No);
    assert_eq!(Echo::probe(b"\x16\x03\x01", Direction::ToServer, &clue), Probe::No);
}

#[test]
fn lines_are_paired_however_they_are_cut() {
    let mut t = Talk::of::<Echo>();
    t.c("o").c("ne\ntwo\nth").s("one\nt").c("ree\n").s("wo\n");
    let expected = [("one", Outcome::Ok), ("two", Outcome::Ok), ("three", Outcome::NoResponse)];
    assert_eq!(exchanges(&mut t), expected.map(|(operation, outcome)| (operation.into(), outcome)));
    let first = t.found.exchanges[0].request.map(|request| (request.bytes, request.whole));
    assert_eq!(first, Some((4, true)));
}

#[test]
fn a_hole_costs_the_lines_that_it_touches() {
    let mut t = Talk::of::<Echo>();
    t.c("one\n").s("one\n").c("two\n").gap(S, 2).s("o\n").c("three\n").s("three\n");
    let expected = [("one", Outcome::Ok), ("two", Outcome::LostBytes), ("three", Outcome::Ok)];
    assert_eq!(exchanges(&mut t), expected.map(|(operation, outcome)| (operation.into(), outcome)));
}
