//! Who the threads are and which connections the sockets hold that short records name by number.

use std::collections::HashMap;
use std::hash::Hash;

use wire::{Process, SockIo};

use crate::clock::Clock;
use crate::record::{Bytes, Ends};

/// Threads and sockets that the kernel programs told of. What is not in here any more is not
/// known: a record never gets another thread's process or another socket's connection.
#[derive(Debug)]
pub(crate) struct Identities {
    threads: Generations<u32, Process>,
    sockets: Generations<u64, Ends>,
}

impl Identities {
    /// Remembers at most twice `limit` threads and twice `limit` sockets.
    pub(crate) fn new(limit: usize) -> Self {
        Self { threads: Generations::new(limit), sockets: Generations::new(limit) }
    }

    /// Returns whether others begin to be forgotten; see [`Generations::insert`].
    pub(crate) fn set_thread(&mut self, process: Process) -> bool {
        self.threads.insert(process.tid, process)
    }

    /// Returns whether others begin to be forgotten; see [`Generations::insert`].
    pub(crate) fn set_socket(&mut self, cookie: u64, ends: Ends) -> bool {
        self.sockets.insert(cookie, ends)
    }

    /// `bytes` with its thread and its connection, `None` if one of them is not known.
    pub(crate) fn complete(&self, bytes: &Bytes, clock: &Clock) -> Option<SockIo> {
        let process = *self.threads.get(bytes.tid)?;
        let Ends { local, remote } = *self.sockets.get(bytes.cookie)?;
        Some(SockIo {
            kind: bytes.kind,
            process,
            cookie: bytes.cookie,
            local,
            remote,
            seq: bytes.seq,
            enter: clock.wall(bytes.enter_ns),
            exit: clock.wall(bytes.exit_ns),
        })
    }
}

/// A table of bounded size without a clock: when the younger generation is full, it becomes the
/// older one, which is forgotten.
#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    limit: usize,
}

impl<K: Copy + Eq + Hash, V> Generations<K, V> {
    fn new(limit: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), limit: limit.max(1) }
    }

    /// Returns whether a new generation begins: whoever told of the others must tell again, or
    /// they are forgotten with the next one.
    fn insert(&mut self, key: K, value: V) -> bool {
        let full = self.young.len() >= self.limit && !self.young.contains_key(&key);
        if full {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, value);
        full
    }

    fn get(&self, key: K) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use wire::{Endpoint, SeqNum, SeqRange, SockIoKind};

    use super::*;

    fn process(tid: u32, pid: u32) -> Process {
        Process { pid, tid, command: [0; 16], cgroup: 0 }
    }

    fn ends(port: u16) -> Ends {
        let end = Endpoint::new(Ipv4Addr::LOCALHOST.into(), port);
        Ends { local: end, remote: end }
    }

    fn bytes(tid: u32, cookie: u64) -> Bytes {
        let seq = SeqRange::new(SeqNum(1), 1);
        Bytes { kind: SockIoKind::Send, tid, cookie, enter_ns: 1, exit_ns: 2, seq }
    }

    fn found(identities: &Identities, tid: u32, cookie: u64) -> Option<(u32, u16)> {
        let io = identities.complete(&bytes(tid, cookie), &Clock::new())?;
        Some((io.process.pid, io.local.port))
    }

    #[test]
    fn the_last_that_was_told_counts() {
        let mut identities = Identities::new(8);
        assert_eq!(found(&identities, 1, 1), None);
        identities.set_thread(process(1, 10));
        assert_eq!(found(&identities, 1, 1), None, "the socket is not known");
        identities.set_socket(1, ends(80));
        assert_eq!(found(&identities, 1, 1), Some((10, 80)));
        assert_eq!(found(&identities, 2, 1), None, "the thread is not known");
        // The id of a thread that ended is given to one of another process.
        identities.set_thread(process(1, 20));
        identities.set_socket(1, ends(81));
        assert_eq!(found(&identities, 1, 1), Some((20, 81)));
    }

    #[test]
    fn a_full_table_forgets_the_older_generation() {
        let mut identities = Identities::new(2);
        identities.set_thread(process(1, 1));
        let rotations: Vec<bool> =
            (1..=5).map(|cookie| identities.set_socket(cookie, ends(1))).collect();
        assert_eq!(rotations, [false, false, true, false, true]);
        let known: Vec<u64> =
            (1..=5).filter(|&cookie| found(&identities, 1, cookie).is_some()).collect();
        assert_eq!(known, [3, 4, 5]);
        assert!(!identities.set_socket(5, ends(2)), "it is there already");
        assert_eq!(found(&identities, 1, 5), Some((1, 2)));
    }

    #[test]
    fn the_younger_generation_counts() {
        let mut identities = Identities::new(1);
        identities.set_socket(1, ends(1));
        identities.set_thread(process(1, 10));
        assert!(identities.set_thread(process(2, 20)));
        assert_eq!(found(&identities, 1, 1), Some((10, 1)));
        assert!(identities.set_thread(process(1, 30)));
        assert_eq!(found(&identities, 1, 1), Some((30, 1)));
        assert_eq!(found(&identities, 2, 1), Some((20, 1)));
    }
}
