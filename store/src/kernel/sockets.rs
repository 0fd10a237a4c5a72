//! Records of system calls by socket.

use std::collections::VecDeque;

use wire::{Endpoint, Process, SeqRange, SockIo, Timestamp, invariant};

use super::courses::CourseId;
use super::turn::Turn;
use crate::hash::Map;

/// One system call on a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Io {
    pub(crate) seq: SeqRange,
    pub(crate) process: Process,
    pub(crate) enter: Timestamp,
    pub(crate) exit: Timestamp,
    /// Return of the first call; differs from `exit` where this is the record of several.
    pub(crate) first_exit: Timestamp,
    /// Send of a request: the course that it was attributed to.
    pub(crate) course: Option<CourseId>,
    /// Requests that the process had in hand.
    pub(crate) open_requests: u32,
}

/// A socket with the records that no call has asked for yet.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Entry of the call that opened the connection from this end.
    pub(crate) opened: Option<Timestamp>,
    pub(crate) closed: Option<Timestamp>,
    pub(crate) sends: VecDeque<Io>,
    pub(crate) receives: VecDeque<Io>,
    pub(super) turn: Turn,
    ends: (Endpoint, Endpoint),
    touched: Timestamp,
}

impl Socket {
    fn new(io: &SockIo) -> Self {
        Self {
            opened: None,
            closed: None,
            sends: VecDeque::new(),
            receives: VecDeque::new(),
            turn: Turn::default(),
            ends: (io.local, io.remote),
            touched: io.exit,
        }
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
/// Sockets with the same two ends, one after the other, that are looked through.
const PER_ENDS: usize = 32;
/// No record grows beyond this, well below half of the sequence space.
const LONGEST: u32 = 1 << 29;

impl Sockets {
    pub(super) fn get(&self, cookie: u64) -> Option<&Socket> {
        self.by_cookie.get(&cookie)
    }

    pub(super) fn get_mut(&mut self, cookie: u64) -> Option<&mut Socket> {
        self.by_cookie.get_mut(&cookie)
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
        let list = if send { &mut socket.sends } else { &mut socket.receives };
        let crowded = list.len() >= per_socket / 2;
        if let Some(last) = list.back_mut()
            && last.seq.end == io.seq.start
            && last.process.tid == io.process.tid
            && (last.course == io.course || !send)
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
