//! Puts records of system calls in order of their time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use wire::{SockIo, SockIoKind, Timestamp};

/// When a record takes effect: bytes are received when the call returns, and sent from its entry
/// on.
pub(super) const fn effective(io: &SockIo) -> Timestamp {
    match io.kind {
        SockIoKind::Receive | SockIoKind::Accept => io.exit,
        SockIoKind::Send | SockIoKind::Connect | SockIoKind::Close => io.enter,
    }
}

/// Records that wait for earlier ones which may still come.
#[derive(Debug, Default)]
pub(super) struct Reorder {
    heap: BinaryHeap<Reverse<Entry>>,
}

#[derive(Debug)]
struct Entry(SockIo);

impl Entry {
    /// Total, and independent of the order of arrival.
    fn key(&self) -> (Timestamp, u8, u32, u64, u32, u32) {
        let io = &self.0;
        let rank = match io.kind {
            SockIoKind::Accept => 0,
            SockIoKind::Receive => 1,
            SockIoKind::Connect => 2,
            SockIoKind::Send => 3,
            SockIoKind::Close => 4,
        };
        (effective(io), rank, io.process.tid, io.cookie, io.seq.start.0, io.seq.end.0)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Reorder {
    pub(super) fn push(&mut self, io: SockIo) {
        self.heap.push(Reverse(Entry(io)));
    }

    pub(super) fn pop(&mut self) -> Option<SockIo> {
        self.heap.pop().map(|Reverse(Entry(io))| io)
    }

    pub(super) fn pop_until(&mut self, until: Timestamp) -> Option<SockIo> {
        if effective(&self.heap.peek()?.0.0) > until {
            return None;
        }
        self.pop()
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Entry>()
    }
}
