//! Connections that were closed and are no longer in the table. What still comes of one, a repeated
//! FIN or a late RST, opens no flow.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use wire::decode::Tcp;
use wire::{SeqNum, Side, Timestamp};

use crate::per_side::PerSide;

/// How long the last packets of a closed connection may come after those before: on Linux, a FIN
/// or a segment is repeated after at most 120 s (TCP_RTO_MAX), and the answer is no later.
const LINGER: Duration = Duration::from_secs(240);
/// Connections that are remembered; the one that was closed first is forgotten.
const MAX_GONE: usize = 16_384;
/// Distance at which a number still belongs to a connection, as in the analysis.
const NEAR: u32 = 1 << 24;

/// Closed connections by the hash of their key, for a while.
#[derive(Debug, Default)]
pub(crate) struct Gone {
    ends: HashMap<u64, GoneConnection, BuildHasherDefault<AsItIs>>,
    /// In the order in which they were added. One that was added again is there twice.
    order: VecDeque<(u64, Timestamp)>,
}

/// Where a connection ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GoneConnection {
    /// Its last packet.
    pub(crate) last: Timestamp,
    /// One past what each side sent; None for a side that was not seen.
    pub(crate) next: PerSide<Option<SeqNum>>,
}

impl Gone {
    /// Remembers a connection that left the table.
    pub(crate) fn insert(&mut self, key: u64, connection: GoneConnection) {
        self.ends.insert(key, connection);
        self.order.push_back((key, connection.last));
        while self.order.len() > MAX_GONE {
            self.remove_first();
        }
    }

    /// Forgets those of which nothing comes any more.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|&(_, last)| last + LINGER < now) {
            self.remove_first();
        }
    }

    fn remove_first(&mut self) {
        let Some((key, last)) = self.order.pop_front() else { return };
        if self.ends.get(&key).is_some_and(|gone| gone.last == last) {
            self.ends.remove(&key);
        }
    }

    /// Whether a segment that `side` sends at `time` is one of the connection with this key.
    pub(crate) fn has(&self, key: u64, side: Side, tcp: &Tcp<'_>, time: Timestamp) -> bool {
        self.ends.get(&key).is_some_and(|gone| time <= gone.last + LINGER && gone.sent(side, tcp))
    }

    /// Heap memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.ends.capacity() * size_of::<(u64, GoneConnection)>()
            + self.order.capacity() * size_of::<(u64, Timestamp)>()
    }
}

impl GoneConnection {
    /// Whether `side` sent such a segment before or may repeat its end: no SYN, no byte beyond what
    /// it sent, and the numbers of the connection.
    fn sent(&self, side: Side, tcp: &Tcp<'_>) -> bool {
        let passed = |next: SeqNum, number: SeqNum| {
            let ahead = number.distance(next);
            ahead <= 1 && ahead.unsigned_abs() <= NEAR
        };
        if tcp.flags.syn() {
            return false;
        }
        let acks =
            tcp.flags.ack() && self.next.get(side.other()).is_some_and(|n| passed(n, tcp.ack));
        match *self.next.get(side) {
            Some(next) if passed(next, tcp.seq) => passed(next, tcp.seq.plus(tcp.payload_len)),
            _ => acks && tcp.payload_len == 0,
        }
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
