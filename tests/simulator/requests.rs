//! Requests and answers of HTTP/1.1 over bad paths, of which every byte is known.

use super::network::{Plan, Tap, run};
use super::scenario::{calm, manner, rough};
use super::stack::{Opening, Step};
use super::{Endpoints, Random, Tape, Truth};

const MS: u64 = 1_000_000;

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Talk {
    pub(crate) path: String,
    pub(crate) status: i64,
    /// Bytes of request and response.
    pub(crate) bytes: [u64; 2],
    /// Nanoseconds from the request's arrival to the answer.
    pub(crate) thought: u64,
}

/// A connection with its requests, as it was planned and as it went.
pub(crate) struct Conversation {
    pub(crate) tape: Tape,
    pub(crate) plan: Plan,
    pub(crate) truth: Truth,
    pub(crate) talks: Vec<Talk>,
    /// Requests were sent before earlier ones were answered.
    pub(crate) pipelined: bool,
    /// The path loses and delays nothing.
    pub(crate) calm: bool,
}

pub(crate) fn conversation(endpoints: &Endpoints, mut random: Random, start: u64) -> Conversation {
    let mut manners = [manner(&mut random, Opening::Connect), manner(&mut random, Opening::Accept)];
    for manner in &mut manners {
        manner.mss = manner.mss.max(20);
    }
    let is_calm = random.chance(0.3);
    let pipelined = random.chance(0.3);
    let halves = if is_calm { calm(&mut random) } else { rough(&mut random) };
    let (mut client, mut server, mut talks) = (Vec::new(), Vec::new(), Vec::new());
    let mut totals = [0, 0];
    for _ in 0..random.between(1, 8) {
        let path = path(&mut random);
        let status = random.pick(&[200, 201, 404, 500, 503]);
        let request = format!("GET {path} HTTP/1.1\r\nHost: simulated\r\n\r\n").into_bytes();
        let response = response(status, &mut random);
        let bytes = [request.len() as u64, response.len() as u64];
        totals = [totals[0] + bytes[0], totals[1] + bytes[1]];
        let thought = random.between(0, 30 * MS);
        write(&mut client, &request, &mut random);
        server.extend([Step::Read(totals[0]), Step::Wait(thought)]);
        write(&mut server, &response, &mut random);
        if !pipelined {
            client.push(Step::Read(totals[1]));
        }
        talks.push(Talk { path, status, bytes, thought });
    }
    client.extend([Step::Read(totals[1]), Step::Close]);
    server.extend([Step::ReadToEnd, Step::Close]);
    let programs = [client, server];
    let plan = Plan { start, crossing: false, manners, programs, halves, tap: Tap::default() };
    let (tape, truth) = run(&plan, endpoints, Random::part(random.next(), 0));
    Conversation { tape, plan, truth, talks, pipelined, calm: is_calm }
}

fn path(random: &mut Random) -> String {
    let len = random.between(1, 400);
    let letters = (0..len).map(|_| char::from(b'a' + random.below(26) as u8));
    std::iter::once('/').chain(letters).collect()
}

/// A response with a body of a told length, or in chunks.
fn response(status: i64, random: &mut Random) -> Vec<u8> {
    let len = random.pick(&[0, 10, 700, 5000, 20_000]);
    let body = random.bytes(len);
    let mut text = format!("HTTP/1.1 {status} Said\r\n").into_bytes();
    if random.chance(0.5) {
        text.extend(format!("Content-Length: {len}\r\n\r\n").bytes());
        text.extend(body);
        return text;
    }
    text.extend(b"Transfer-Encoding: chunked\r\n\r\n");
    let size = random.between(1, 3000) as usize;
    for chunk in body.chunks(size) {
        text.extend(format!("{:x}\r\n", chunk.len()).bytes());
        text.extend(chunk);
        text.extend(b"\r\n");
    }
    text.extend(b"0\r\n\r\n");
    text
}

/// Writes `bytes` in a few pieces.
fn write(steps: &mut Vec<Step>, bytes: &[u8], random: &mut Random) {
    let pieces = random.pick(&[1, 1, 2, 5]).min(bytes.len());
    for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
        steps.push(Step::Write(piece.to_vec()));
    }
}
