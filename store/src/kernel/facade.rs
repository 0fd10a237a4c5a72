//! Records of system calls, as the join looks them up.

use wire::{Endpoint, SeqRange, SockIo, SockIoKind, Timestamp, invariant};

use super::courses::{CourseId, Request};
use super::reorder::{Reorder, effective};
use super::sockets::{Io, Socket, Sockets};
use super::steps::Steps;
use crate::config::StoreConfig;
use crate::counters::Counters;

/// What processes did to sockets, ready to be asked for by calls.
#[derive(Debug, Default)]
pub(crate) struct Kernel {
    waiting: Reorder,
    sockets: Sockets,
    steps: Steps,
    passed: Timestamp,
}

impl Kernel {
    pub(crate) fn add(&mut self, io: SockIo, config: &StoreConfig, counters: &mut Counters) {
        counters.records += 1;
        if effective(&io) < self.passed {
            counters.late_records += 1;
            self.place(&io, true, config, counters);
            return;
        }
        self.waiting.push(io);
        if self.waiting.len() > config.max_unordered_records
            && let Some(oldest) = self.waiting.pop()
        {
            counters.evictions.unordered_records += 1;
            self.passed = self.passed.max(effective(&oldest));
            self.place(&oldest, false, config, counters);
        }
    }

    /// Puts all records in place, as at the end of the input.
    pub(crate) fn place_all(&mut self, config: &StoreConfig, counters: &mut Counters) {
        while let Some(io) = self.waiting.pop() {
            self.place(&io, false, config, counters);
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
            self.place(&io, false, config, counters);
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

    fn place(
        &mut self,
        record: &SockIo,
        late: bool,
        config: &StoreConfig,
        counters: &mut Counters,
    ) {
        let SockIo { seq, process, enter, exit, cookie, kind, .. } = *record;
        let open_requests = self.steps.courses().open_requests(process.pid);
        let socket = self.sockets.entry(record);
        let is_io = matches!(kind, SockIoKind::Send | SockIoKind::Receive);
        let is_empty = is_io && seq.is_empty();
        let mut course = None;
        if is_io && !is_empty {
            // A parent process closes its copy of the descriptor while a child goes on.
            socket.closed = None;
        }
        match kind {
            _ if is_empty => {}
            _ if late => self.steps.on_late(&mut socket.turn, record),
            SockIoKind::Connect => self.steps.on_connect(&mut socket.turn, record),
            SockIoKind::Accept => socket.turn.client = Some(false),
            SockIoKind::Close => self.steps.on_close(&socket.turn),
            SockIoKind::Send => course = self.steps.on_send(&mut socket.turn, record),
            SockIoKind::Receive => self.steps.on_receive(&mut socket.turn, record),
        }
        match kind {
            SockIoKind::Connect => socket.opened = Some(enter),
            SockIoKind::Close => socket.closed = Some(enter),
            _ => {}
        }
        if is_io && !is_empty {
            let io = Io { seq, process, enter, exit, first_exit: exit, course, open_requests };
            let (send, most) = (kind == SockIoKind::Send, config.max_records_per_socket);
            counters.evictions.records += self.sockets.keep(cookie, io, send, most);
        }
        self.steps.limit(config, counters);
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

    /// Sets whose end a socket is, as an exchange shows it: what the first records of a socket show
    /// is not enough where the run began after it was opened.
    pub(crate) fn set_role(&mut self, cookie: u64, client: bool) {
        if let Some(socket) = self.sockets.get_mut(cookie) {
            self.steps.set_role(&mut socket.turn, client);
        }
    }

    /// The request of a course, while it is remembered.
    pub(crate) fn request(&self, course: CourseId) -> Option<Request> {
        self.steps.courses().request(course)
    }

    /// Whether the calls that were attributed to a course belong to it; `sent` is when the response
    /// to its request was begun.
    pub(crate) fn is_believed(&self, course: CourseId, sent: Option<Timestamp>) -> bool {
        self.steps.courses().is_believed(course, sent)
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
        self.waiting.bytes() + self.sockets.bytes() + self.steps.bytes()
    }
}
