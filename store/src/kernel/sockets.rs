//! Records of system calls by socket.

use std::collections::VecDeque;

use wire::{Endpoint, Process, SeqNum, SeqRange, SockIo, Timestamp, invariant};

use crate::hash::Map;

/// Bytes that a thread took from a socket, and when the call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) cookie: u64,
    pub(crate) seq: SeqRange,
    pub(crate) at: Timestamp,
    /// The socket is the asking side's, so that this is (part of) a response.
    pub(crate) client: bool,
    /// On such a socket: what had led to the request before it, as far as the records show; never
    /// itself of such a socket.
    pub(crate) origin: Option<Origin>,
}

/// The request, on a server's socket, in the course of which something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    cookie: u64,
    seq: SeqRange,
    at: Timestamp,
}

impl Received {
    /// The request in the course of which this was received.
    pub(crate) fn origin(self) -> Option<Origin> {
        if self.client {
            self.origin
        } else {
            Some(Origin { cookie: self.cookie, seq: self.seq, at: self.at })
        }
    }
}

impl From<Origin> for Received {
    fn from(Origin { cookie, seq, at }: Origin) -> Self {
        Self { cookie, seq, at, client: false, origin: None }
    }
}

/// One system call on a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Io {
    pub(crate) seq: SeqRange,
    pub(crate) process: Process,
    pub(crate) enter: Timestamp,
    pub(crate) exit: Timestamp,
    /// What the thread had received last when it began this one.
    pub(crate) cause: Option<Received>,
}

/// A socket with the records that no call has asked for yet.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) connect: Option<Io>,
    pub(crate) closed: Option<Timestamp>,
    /// First byte that was ever sent on it.
    pub(crate) first_sent: Option<(Timestamp, SeqNum)>,
    pub(crate) sends: VecDeque<Io>,
    pub(crate) receives: VecDeque<Io>,
    /// Whether it is the asking side's: it connected, or sent first.
    client: Option<bool>,
    /// What led to the request that was sent last.
    asked: Option<Origin>,
    last_was_send: bool,
    ends: (Endpoint, Endpoint),
    touched: Timestamp,
}

impl Socket {
    fn new(io: &SockIo) -> Self {
        Self {
            connect: None,
            closed: None,
            first_sent: None,
            sends: VecDeque::new(),
            receives: VecDeque::new(),
            client: None,
            asked: None,
            last_was_send: false,
            ends: (io.local, io.remote),
            touched: io.exit,
        }
    }

    pub(super) const fn accepted(&mut self) {
        self.client = Some(false);
    }

    pub(super) const fn connected(&mut self, io: Io) {
        self.client = Some(true);
        self.connect = Some(io);
    }

    /// Adds a send; the parts of one request have the cause of the first.
    pub(super) fn sent(&mut self, io: &Io) {
        self.client.get_or_insert(true);
        // A parent process closes its copy of the descriptor while a child goes on.
        self.closed = None;
        if !self.last_was_send {
            let opening = self.connect.filter(|connect| {
                self.first_sent.is_none()
                    && connect.cause.is_some()
                    && io.enter.nanos_since(connect.enter) <= IN_ADVANCE_NS
            });
            self.asked =
                opening.map_or(io.cause, |connect| connect.cause).and_then(Received::origin);
        }
        self.last_was_send = true;
    }

    /// Adds a receive; returns what the thread has received last now.
    pub(super) fn received(&mut self, cookie: u64, io: &Io) -> Received {
        let client = *self.client.get_or_insert(false);
        self.closed = None;
        self.last_was_send = false;
        let origin = if client { self.asked } else { None };
        Received { cookie, seq: io.seq, at: io.exit, client, origin }
    }

    fn records(&self) -> usize {
        self.sends.len() + self.receives.len()
    }
}

/// All sockets, by cookie and by their two ends.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    by_cookie: Map<u64, Socket>,
    by_ends: Map<(Endpoint, Endpoint), Vec<u64>>,
    order: VecDeque<(u64, Timestamp)>,
    records: usize,
}

/// Parts of one bulk transfer longer than this are kept as one record.
const BULK: u32 = 8 << 10;
/// A connection that was opened longer than this before its first request was opened in advance.
pub(crate) const IN_ADVANCE_NS: u64 = 1_000_000_000;
/// Sockets with the same two ends, one after the other, that are looked through.
const PER_ENDS: usize = 32;
/// No record grows beyond this, well below half of the sequence space.
const LONGEST: u32 = 1 << 29;

impl Sockets {
    pub(super) fn get(&self, cookie: u64) -> Option<&Socket> {
        self.by_cookie.get(&cookie)
    }

    /// Cookies of sockets whose own end is `local`, newest last.
    pub(super) fn between(&self, local: Endpoint, remote: Endpoint) -> &[u64] {
        self.by_ends.get(&(local, remote)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn entry(&mut self, io: &SockIo) -> &mut Socket {
        let socket = self.by_cookie.entry(io.cookie).or_insert_with(|| {
            Self::list(&mut self.by_ends, (io.local, io.remote), io.cookie);
            self.order.push_back((io.cookie, io.exit));
            Socket::new(io)
        });
        socket.touched = socket.touched.max(io.exit);
        // A socket that is not connected yet has no local port or address.
        let ends = (io.local, io.remote);
        if socket.ends != ends {
            Self::unlist(&mut self.by_ends, socket.ends, io.cookie);
            Self::list(&mut self.by_ends, ends, io.cookie);
            socket.ends = ends;
        }
        socket
    }

    /// Keeps a send or a receive; returns how many others were removed.
    pub(super) fn keep(&mut self, cookie: u64, io: Io, send: bool, per_socket: usize) -> u64 {
        let Some(socket) = self.by_cookie.get_mut(&cookie) else {
            invariant!("the socket of a record was just looked up");
            return 0;
        };
        if send && socket.first_sent.is_none_or(|(at, _)| io.enter < at) {
            socket.first_sent = Some((io.enter, io.seq.start));
        }
        let list = if send { &mut socket.sends } else { &mut socket.receives };
        let crowded = list.len() >= per_socket / 2;
        if let Some(last) = list.back_mut()
            && last.seq.end == io.seq.start
            && last.process.tid == io.process.tid
            && (last.cause == io.cause || !send)
            && (crowded || (last.seq.len() >= BULK && io.seq.len() >= BULK / 8))
            && last.seq.len().saturating_add(io.seq.len()) < LONGEST
        {
            last.seq.end = io.seq.end;
            last.exit = io.exit;
            return 0;
        }
        list.push_back(io);
        self.records += 1;
        let excess = list.len() > per_socket;
        if excess {
            list.pop_front();
            self.records -= 1;
        }
        u64::from(excess)
    }

    /// Forgets records all of whose bytes lie before the end of a message that has been joined.
    pub(super) fn consumed(
        &mut self,
        cookie: u64,
        sent: Option<SeqRange>,
        received: Option<SeqRange>,
    ) {
        let Some(socket) = self.by_cookie.get_mut(&cookie) else {
            invariant!("the socket of a call's side was just looked up");
            return;
        };
        let before = socket.records();
        for (list, range) in [(&mut socket.sends, sent), (&mut socket.receives, received)] {
            let over =
                |io: &Io, range: SeqRange| io.seq.overlaps(range) && !io.seq.end.after(range.end);
            // Calls are joined about in the order of their bytes, so these records stand together
            // near the front.
            let first =
                range.and_then(|range| Some((range, list.iter().position(|io| over(io, range))?)));
            if let Some((range, first)) = first {
                let run = list.iter().skip(first).take_while(|io| over(io, range)).count();
                list.drain(first..first + run);
            }
        }
        self.records -= before - socket.records();
    }

    /// Removes the socket that was silent longest.
    pub(super) fn evict(&mut self) -> Option<u64> {
        while let Some((cookie, queued)) = self.order.pop_front() {
            match self.by_cookie.get(&cookie) {
                Some(socket) if socket.touched > queued => {
                    self.order.push_back((cookie, socket.touched))
                }
                Some(_) => {
                    self.remove(cookie);
                    return Some(cookie);
                }
                None => _ = invariant!("a queued socket is in the table"),
            }
        }
        None
    }

    /// Empties the socket that was silent longest; returns how many records were removed.
    pub(super) fn evict_records(&mut self) -> u64 {
        for _ in 0..self.order.len() {
            let Some((cookie, queued)) = self.order.pop_front() else { break };
            let Some(socket) = self.by_cookie.get_mut(&cookie) else {
                invariant!("a queued socket is in the table");
                continue;
            };
            let active = socket.touched > queued;
            self.order.push_back((cookie, socket.touched));
            let records = socket.records();
            if !active && records > 0 {
                socket.sends.clear();
                socket.receives.clear();
                self.records -= records;
                return records as u64;
            }
        }
        0
    }

    /// Removes sockets that were closed before `before`, looking at a bounded number of them.
    pub(super) fn sweep(&mut self, before: Timestamp, removed: &mut Vec<u64>) {
        for _ in 0..self.order.len().min(4096) {
            match self.order.front() {
                Some(&(_, queued)) if queued < before => {}
                _ => break,
            }
            let Some((cookie, _)) = self.order.pop_front() else { break };
            match self.by_cookie.get(&cookie) {
                Some(socket) if socket.closed.is_some() && socket.touched < before => {
                    self.remove(cookie);
                    removed.push(cookie);
                }
                Some(socket) => self.order.push_back((cookie, socket.touched)),
                None => _ = invariant!("a queued socket is in the table"),
            }
        }
    }

    fn remove(&mut self, cookie: u64) {
        let Some(socket) = self.by_cookie.remove(&cookie) else {
            invariant!("a socket that is removed is in the table");
            return;
        };
        self.records -= socket.records();
        Self::unlist(&mut self.by_ends, socket.ends, cookie);
    }

    fn list(
        by_ends: &mut Map<(Endpoint, Endpoint), Vec<u64>>,
        ends: (Endpoint, Endpoint),
        cookie: u64,
    ) {
        let cookies = by_ends.entry(ends).or_default();
        if cookies.len() >= PER_ENDS {
            cookies.remove(0);
        }
        cookies.push(cookie);
    }

    fn unlist(
        by_ends: &mut Map<(Endpoint, Endpoint), Vec<u64>>,
        ends: (Endpoint, Endpoint),
        cookie: u64,
    ) {
        if let Some(cookies) = by_ends.get_mut(&ends) {
            cookies.retain(|c| *c != cookie);
            if cookies.is_empty() {
                by_ends.remove(&ends);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_cookie.len()
    }

    pub(super) const fn records(&self) -> usize {
        self.records
    }

    pub(super) fn bytes(&self) -> usize {
        self.by_cookie.capacity() * (size_of::<Socket>() + 8)
            + self.by_ends.capacity() * 96
            + self.order.capacity() * 16
            + self.records * size_of::<Io>()
    }
}
