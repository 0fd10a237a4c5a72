//! No response is given to another's request, whatever is missing: conversations in which any range
//! of bytes of either direction was not captured.

use std::ops::Range;

use proptest::prelude::*;
use wire::{Direction, PerDirection, SeqRange};

use crate::testing::{C, S, Talk};
use fact::Exchange;

/// How a client sends.
#[derive(Clone, Copy, Debug)]
enum Client {
    /// Each request waits for the response before it.
    Sequential,
    /// Several requests wait for all responses of those before them.
    Batches(usize),
    /// A request for each response: so many are always under way.
    Window(usize),
}

/// One exchange of a protocol by its number.
type Exchanges = fn(usize) -> (Vec<u8>, Vec<u8>);

fn http(n: usize) -> (Vec<u8>, Vec<u8>) {
    let (path, body) = ("p".repeat(n % 7 + 1), "b".repeat(n * 5 % 23));
    let request = if n % 5 == 3 {
        format!("POST /{path} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    } else {
        format!("GET /{path} HTTP/1.1\r\nHost: h\r\n\r\n")
    };
    let status = [200, 404, 500, 201][n % 4];
    let response = if n % 6 == 1 {
        format!("HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    } else {
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    (request.into(), response.into())
}

fn redis(n: usize) -> (Vec<u8>, Vec<u8>) {
    let text = "v".repeat(n * 3 % 17);
    let request = format!("*2\r\n$3\r\nGET\r\n${}\r\n{n}\r\n", n.to_string().len());
    let response = match n % 3 {
        0 => "-ERR no\r\n".to_owned(),
        1 => format!("${}\r\n{text}\r\n", text.len()),
        _ => format!("+{text}\r\n"),
    };
    (request.into(), response.into())
}

fn postgresql(n: usize) -> (Vec<u8>, Vec<u8>) {
    let message = |kind: u8, body: &[u8]| {
        [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
    };
    let request = message(b'Q', format!("SELECT {}\0", "1".repeat(n % 9 + 1)).as_bytes());
    let result = if n % 4 == 2 {
        message(b'E', b"SERROR\0C42601\0Mno\0\0")
    } else {
        message(b'C', format!("SELECT {}\0", n % 3).as_bytes())
    };
    (request, [result, message(b'Z', b"I")].concat())
}

fn mysql(n: usize) -> (Vec<u8>, Vec<u8>) {
    let packet = |sequence: u8, body: &[u8]| {
        [&(body.len() as u32).to_le_bytes()[..3], &[sequence], body].concat()
    };
    let request = packet(0, format!("\x03DO {}", "1".repeat(n % 9 + 1)).as_bytes());
    let response = if n % 4 == 2 {
        packet(1, b"\xff\x28\x04#42000no")
    } else {
        packet(1, b"\0\0\0\x02\0\0\0")
    };
    (request, response)
}

fn memcached(n: usize) -> (Vec<u8>, Vec<u8>) {
    let text = "v".repeat(n * 3 % 17);
    if n.is_multiple_of(3) {
        let request = format!("set k{n} 0 0 {}\r\n{text}\r\n", text.len());
        return (request.into(), b"STORED\r\n".to_vec());
    }
    let request = format!("get k{n}\r\n");
    let response = if n % 3 == 1 {
        "END\r\n".to_owned()
    } else {
        format!("VALUE k{n} 0 {}\r\n{text}\r\nEND\r\n", text.len())
    };
    (request.into(), response.into())
}

const PROTOCOLS: &[(u16, Exchanges)] =
    &[(80, http), (6379, redis), (5432, postgresql), (3306, mysql), (11_211, memcached)];

/// Where the messages of each direction stand, and in which order they pass.
struct Plan {
    turns: Vec<(Direction, Vec<u8>)>,
    ranges: PerDirection<Vec<Range<u64>>>,
}

fn plan(exchanges: Exchanges, client: Client, count: usize) -> Plan {
    let (mut sent, mut answered) = (0, 0);
    let mut plan = Plan { turns: Vec::new(), ranges: PerDirection::default() };
    let mut push = |direction: Direction, bytes: Vec<u8>| {
        let start = plan.ranges[direction].last().map_or(0, |last: &Range<u64>| last.end);
        plan.ranges[direction].push(start..start + bytes.len() as u64);
        plan.turns.push((direction, bytes));
    };
    while answered < count {
        let may_send = match client {
            Client::Sequential => sent == answered,
            Client::Batches(size) => sent % size != 0 || sent == answered,
            Client::Window(size) => sent - answered < size,
        };
        if sent < count && may_send {
            push(C, exchanges(sent).0);
            sent += 1;
        } else {
            push(S, exchanges(answered).1);
            answered += 1;
        }
    }
    plan
}

/// Plays a plan without the bytes of the `lost` range of one direction.
fn play(plan: &Plan, port: u16, lost: &(Direction, Range<u64>)) -> Vec<Exchange> {
    let mut talk = Talk::tcp(port);
    let mut at = PerDirection { to_server: 0u64, to_client: 0 };
    for (direction, bytes) in &plan.turns {
        let start = at[*direction];
        at[*direction] += bytes.len() as u64;
        let hole = if lost.0 == *direction { lost.1.clone() } else { 0..0 };
        let cut = |offset: u64| (offset.clamp(start, start + bytes.len() as u64) - start) as usize;
        let (from, to) = (cut(hole.start), cut(hole.end));
        if from >= to {
            talk.send(*direction, bytes);
            continue;
        }
        if from > 0 {
            talk.send(*direction, &bytes[..from]);
        }
        talk.gap(*direction, (to - from) as u64);
        if to < bytes.len() {
            talk.send(*direction, &bytes[to..]);
        }
    }
    talk.over();
    std::mem::take(&mut talk.found.exchanges)
}

/// Numbers of the messages that a range of sequence numbers covers.
fn numbers(ranges: &[Range<u64>], base: u32, seq: SeqRange) -> Range<usize> {
    let offset = |at: u32| u64::from(at.wrapping_sub(base));
    let (start, end) = (offset(seq.start.0), offset(seq.end.0));
    let first = ranges.partition_point(|range| range.end <= start);
    first..ranges.partition_point(|range| range.start < end).max(first + 1)
}

/// Pairs whose request and response have not the same number.
fn wrong_pairs(plan: &Plan, found: &[Exchange]) -> Vec<String> {
    let number = |e: &Exchange| {
        let request = numbers(&plan.ranges[C], 1000, e.request?.seq);
        let response = numbers(&plan.ranges[S], u32::MAX - 9, e.response?.seq);
        Some((request, response))
    };
    let wrong = found.iter().filter_map(|e| {
        let (request, response) = number(e)?;
        let apart = request.end <= response.start || response.end <= request.start;
        apart.then(|| format!("{} {:?}: {request:?} {response:?}", e.operation, e.outcome))
    });
    wrong.collect()
}

fn clients() -> impl Strategy<Value = Client> {
    prop_oneof![
        Just(Client::Sequential),
        (2usize..6).prop_map(Client::Batches),
        (2usize..6).prop_map(Client::Window),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_response_is_given_to_anothers_request(
        client in clients(),
        to_server in any::<bool>(),
        start in 0usize..2000,
        len in 1usize..200,
    ) {
        for &(port, exchanges) in PROTOCOLS {
            let plan = plan(exchanges, client, 24);
            let direction = if to_server { C } else { S };
            let end = plan.ranges[direction].last().map_or(0, |last| last.end);
            // How a client sends has to be seen once: who joins one that keeps several requests
            // under way cannot tell it from one that waits.
            let seen = match client {
                Client::Window(size) => plan.ranges[C][size].end.max(plan.ranges[S][1].end),
                Client::Sequential | Client::Batches(_) => 0,
            };
            let start = seen + start as u64 % (end - seen);
            let lost = (direction, start..(start + len as u64).min(end));
            let found = play(&plan, port, &lost);
            let wrong = wrong_pairs(&plan, &found);
            prop_assert!(wrong.is_empty(), "port {port}, lost {lost:?}: {wrong:#?}");
        }
    }
}

/// What holes cost: of all exchanges with a hole somewhere, how many are told whole.
#[test]
fn most_exchanges_survive_a_hole() {
    let mut too_few = Vec::new();
    for &(port, exchanges) in PROTOCOLS {
        for (client, least) in
            [(Client::Sequential, 85), (Client::Batches(4), 70), (Client::Window(3), 25)]
        {
            let (mut whole, mut all) = (0, 0);
            for direction in [C, S] {
                for start in (0..600).step_by(17) {
                    let plan = plan(exchanges, client, 24);
                    let end = plan.ranges[direction].last().map_or(0, |last| last.end);
                    let lost = (direction, start.min(end - 1)..(start + 40).min(end));
                    let found = play(&plan, port, &lost);
                    let paired = |e: &&Exchange| e.request.is_some() && e.response.is_some();
                    whole += found.iter().filter(paired).count();
                    all += 24;
                }
            }
            let percent = 100 * whole / all;
            if percent < least {
                too_few.push(format!("port {port}, {client:?}: {percent} %"));
            }
        }
    }
    assert!(too_few.is_empty(), "{too_few:#?}");
}
