//! Finds the processes at both ends of a call.

use std::collections::VecDeque;

use wire::{Endpoint, SeqRange, Timestamp, invariant};

use crate::calls::OpenCall;
use crate::kernel::{Io, Kernel};
use crate::side::{Begun, Side};

fn first(list: &VecDeque<Io>, range: Option<SeqRange>) -> Option<&Io> {
    let range = range?;
    list.iter()
        .find(|io| io.seq.contains(range.start))
        .or_else(|| list.iter().find(|io| io.seq.overlaps(range)))
}

fn last(list: &VecDeque<Io>, range: Option<SeqRange>) -> Option<&Io> {
    let range = range.filter(|r| !r.is_empty())?;
    let end = SeqRange::new(range.end.plus(u32::MAX), 1);
    list.iter().rev().find(|io| io.seq.overlaps(end))
}

/// When the call returned that received the first byte of a message; none where its record holds
/// several calls, of which the byte was not in the first.
fn first_read(list: &VecDeque<Io>, range: Option<SeqRange>) -> Option<Timestamp> {
    let start = range?.start;
    let io = list.iter().find(|io| io.seq.contains(start))?;
    (io.seq.start == start || io.first_exit == io.exit).then_some(io.first_exit)
}

/// When the call returned that received the last byte of a message; none where its record holds
/// several calls, of which the byte was not in the last.
fn last_read(list: &VecDeque<Io>, range: Option<SeqRange>) -> Option<Timestamp> {
    let io = last(list, range)?;
    (Some(io.seq.end) == range.map(|range| range.end) || io.first_exit == io.exit)
        .then_some(io.exit)
}

/// The process that sent the request, if its socket is known.
pub(crate) fn client(call: &OpenCall, kernel: &Kernel) -> Option<Side> {
    let (request, response) = (call.request(), call.response());
    for (local, remote) in ends(call) {
        for &cookie in kernel.between(local, remote).iter().rev() {
            let Some(socket) = kernel.socket(cookie) else {
                invariant!("a socket that is listed by its ends is in the table");
                continue;
            };
            let sent = first(&socket.sends, request).filter(|io| plausible(io, call));
            let got = last(&socket.receives, response).filter(|io| plausible(io, call));
            let any =
                got.or_else(|| first(&socket.receives, response).filter(|io| plausible(io, call)));
            let Some(io) = sent.or(any) else { continue };
            let begun = Begun {
                course: sent.and_then(|io| io.course),
                sent: sent.map(|io| io.enter),
                open_requests: io.open_requests,
            };
            return Some(Side {
                cookie,
                process: io.process,
                local,
                sent: sent.map(|io| io.enter),
                finished: last(&socket.sends, request).map(|io| io.exit),
                received: got.map(|io| io.exit),
                first_received: any.and(first_read(&socket.receives, response)),
                last_received: None,
                opened: socket.opened,
                begun: Some(begun),
            });
        }
    }
    None
}

/// The process that received the request, if its socket is known.
pub(crate) fn server(call: &OpenCall, kernel: &Kernel) -> Option<Side> {
    let (request, response) = (call.request(), call.response());
    for (remote, local) in ends(call) {
        for &cookie in kernel.between(local, remote).iter().rev() {
            let Some(socket) = kernel.socket(cookie) else {
                invariant!("a socket that is listed by its ends is in the table");
                continue;
            };
            let got = first(&socket.receives, request).filter(|io| plausible(io, call));
            let sent = first(&socket.sends, response).filter(|io| plausible(io, call));
            let Some(io) = got.or(sent) else { continue };
            return Some(Side {
                cookie,
                process: io.process,
                local,
                sent: sent.map(|io| io.enter),
                finished: last(&socket.sends, response).map(|io| io.exit),
                received: got.map(|io| io.exit),
                first_received: None,
                last_received: got.and(last_read(&socket.receives, request)),
                opened: None,
                begun: None,
            });
        }
    }
    None
}

/// Adds what came after the processes were found: a response is often read late.
pub(crate) fn complete(call: &mut OpenCall, kernel: &Kernel) {
    let response = call.response();
    if let Some(side) = call.client.as_mut().filter(|side| side.received.is_none())
        && let Some(socket) = kernel.socket(side.cookie)
    {
        side.received = last(&socket.receives, response).map(|io| io.exit);
        side.first_received =
            side.first_received.or_else(|| first_read(&socket.receives, response));
    }
    if let Some(side) = call.server.as_mut().filter(|side| side.sent.is_none())
        && let Some(socket) = kernel.socket(side.cookie)
    {
        side.sent = first(&socket.sends, response).map(|io| io.enter);
        side.finished = last(&socket.sends, response).map(|io| io.exit);
    }
}

/// Client and server ends as the taps saw them, each pair once.
fn ends(call: &OpenCall) -> impl Iterator<Item = (Endpoint, Endpoint)> + '_ {
    call.observations.iter().enumerate().filter_map(|(i, o)| {
        let pair = (o.client, o.server);
        let before = call.observations.iter().take(i).any(|o| (o.client, o.server) == pair);
        (!before).then_some(pair)
    })
}

/// Sequence numbers and ports come again: a record of an hour ago is of another connection.
fn plausible(io: &Io, call: &OpenCall) -> bool {
    const SLACK_NS: u64 = 120_000_000_000;
    io.exit.nanos_since(call.end) < SLACK_NS && call.start.nanos_since(io.exit) < SLACK_NS
}
