//! Records of system calls, as the join looks them up.

use wire::{Endpoint, SeqRange, SockIo, SockIoKind, Timestamp, invariant};

use super::reorder::{Reorder, effective};
use super::sockets::{Io, Socket, Sockets};
use super::threads::Threads;
use crate::config::StoreConfig;
use crate::counters::Counters;

/// What processes did to sockets, ready to be asked for by calls.
#[derive(Debug, Default)]
pub(crate) struct Kernel {
    waiting: Reorder,
    sockets: Sockets,
    threads: Threads,
    passed: Timestamp,
}

impl Kernel {
    pub(crate) fn add(&mut self, io: SockIo, config: &StoreConfig, counters: &mut Counters) {
        counters.records += 1;
        if effective(&io) < self.passed {
            counters.late_records += 1;
            self.place(&io, config, counters);
            return;
        }
        self.waiting.push(io);
        if self.waiting.len() > config.max_unordered_records
            && let Some(oldest) = self.waiting.pop()
        {
            counters.evictions.unordered_records += 1;
            self.passed = self.passed.max(effective(&oldest));
            self.place(&oldest, config, counters);
        }
    }

    /// Puts all records in place, as at the end of the input.
    pub(crate) fn place_all(&mut self, config: &StoreConfig, counters: &mut Counters) {
        while let Some(io) = self.waiting.pop() {
            self.place(&io, config, counters);
        }
    }

    /// Puts all records in place that took effect up to `until`; returns cookies of sockets that
    /// are forgotten.
    pub(crate) fn settle(
        &mut self,
        until: Timestamp,
        config: &StoreConfig,
        counters: &mut Counters,
    ) -> Vec<u64> {
        while let Some(io) = self.waiting.pop_until(until) {
            self.place(&io, config, counters);
        }
        self.passed = self.passed.max(until);
        let mut forgotten = Vec::new();
        let wait = u64::try_from(config.max_wait.as_nanos()).unwrap_or(u64::MAX);
        self.sockets
            .sweep(Timestamp::from_nanos(until.as_nanos().saturating_sub(wait)), &mut forgotten);
        while self.sockets.len() > config.max_sockets {
            let Some(cookie) = self.sockets.evict() else {
                invariant!("a table over its limit has a socket to remove");
                break;
            };
            counters.evictions.sockets += 1;
            forgotten.push(cookie);
        }
        forgotten
    }

    fn place(&mut self, record: &SockIo, config: &StoreConfig, counters: &mut Counters) {
        let tid = record.process.tid;
        let begins = matches!(record.kind, SockIoKind::Send | SockIoKind::Connect);
        let cause = if begins { self.threads.last(tid, record.enter) } else { None };
        let SockIo { seq, process, enter, exit, cookie, .. } = *record;
        let io = Io { seq, process, enter, exit, cause };
        let socket = self.sockets.entry(record);
        match record.kind {
            SockIoKind::Connect => socket.connected(io),
            SockIoKind::Accept => socket.accepted(),
            SockIoKind::Close => socket.closed = Some(enter),
            SockIoKind::Send | SockIoKind::Receive if seq.is_empty() => {}
            SockIoKind::Send => {
                socket.sent(&io);
                counters.evictions.records +=
                    self.sockets.keep(cookie, io, true, config.max_records_per_socket);
            }
            SockIoKind::Receive => {
                let received = socket.received(cookie, &io);
                counters.evictions.records +=
                    self.sockets.keep(cookie, io, false, config.max_records_per_socket);
                counters.evictions.threads +=
                    u64::from(self.threads.received(tid, received, config.max_threads));
            }
        }
        while self.sockets.records() > config.max_records {
            let gone = self.sockets.evict_records();
            counters.evictions.records += gone;
            if gone == 0 {
                break;
            }
        }
        // Between ticks the table may pass its limit by a quarter, so that forgotten cookies reach
        // the joiner.
        while self.sockets.len() > config.max_sockets.saturating_add(config.max_sockets / 4) {
            if self.sockets.evict().is_none() {
                invariant!("a table over its limit has a socket to remove");
                break;
            }
            counters.evictions.sockets += 1;
        }
    }

    pub(crate) fn socket(&self, cookie: u64) -> Option<&Socket> {
        self.sockets.get(cookie)
    }

    pub(crate) fn between(&self, local: Endpoint, remote: Endpoint) -> &[u64] {
        self.sockets.between(local, remote)
    }

    pub(crate) fn consumed(
        &mut self,
        cookie: u64,
        sent: Option<SeqRange>,
        received: Option<SeqRange>,
    ) {
        self.sockets.consumed(cookie, sent, received);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.waiting.bytes() + self.sockets.bytes() + self.threads.bytes()
    }
}
