//! The channel to the thread that owns the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use wire::{SockIo, Timestamp};

use crate::clock;
use crate::pipeline::OwnedFact;

/// What goes to the thread that owns the store.
pub(crate) enum StoreMessage {
    /// Facts of a shard, in the order in which it found them.
    Facts(Vec<OwnedFact>),
    /// What processes did to sockets.
    SocketRecords(Vec<SockIo>),
    /// Id and name of a control group.
    Cgroup(u64, String),
}

/// A message and when it was sent.
struct Sent {
    at: Timestamp,
    message: StoreMessage,
}

/// The sending end. [`try_send`](Self::try_send) never blocks, so a shard can call it: what finds
/// no room comes back, to be dropped and counted. Room is counted in facts and records, as batches
/// are of any size.
#[derive(Clone)]
pub(crate) struct StoreSender {
    sender: SyncSender<Sent>,
    waiting: Arc<AtomicUsize>,
    capacity: usize,
}

/// The receiving end.
pub(crate) struct StoreReceiver {
    receiver: Receiver<Sent>,
    waiting: Arc<AtomicUsize>,
}

/// Messages that may wait, however few facts are in them: the channel allocates all its slots when
/// it is made.
const MAX_MESSAGES: usize = 65_536;

/// A channel with room for `capacity` facts and records.
pub(crate) fn store_channel(capacity: usize) -> (StoreSender, StoreReceiver) {
    let (sender, receiver) = sync_channel(capacity.min(MAX_MESSAGES));
    let waiting = Arc::new(AtomicUsize::new(0));
    (
        StoreSender { sender, waiting: waiting.clone(), capacity },
        StoreReceiver { receiver, waiting },
    )
}

impl StoreSender {
    /// Sends the message if there is room for it; else returns it.
    pub(crate) fn try_send(&self, message: StoreMessage) -> Result<(), StoreMessage> {
        let weight = message.weight();
        // A batch larger than the whole room passes when nothing else waits. Room is taken only
        // where it is enough: what is refused must not keep out a smaller message meanwhile.
        let take = |before: usize| {
            let after = before.saturating_add(weight);
            (before == 0 || after <= self.capacity).then_some(after)
        };
        if self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return Err(message);
        }
        let sent = self.send_now(message);
        if sent.is_err() {
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
        }
        sent
    }

    fn send_now(&self, message: StoreMessage) -> Result<(), StoreMessage> {
        self.sender.try_send(Sent { at: clock::now(), message }).map_err(|error| match error {
            TrySendError::Full(sent) | TrySendError::Disconnected(sent) => sent.message,
        })
    }

    /// Sends the message as soon as there is room: for the end of a run, when nothing is captured
    /// any more. Returns false where the receiver is gone.
    pub(crate) fn send(&self, message: StoreMessage) -> bool {
        self.waiting.fetch_add(message.weight(), Ordering::Relaxed);
        self.sender.send(Sent { at: clock::now(), message }).is_ok()
    }
}

impl StoreReceiver {
    /// Waits for the next message, at most for `wait`; returns it with the time at which it was
    /// sent, up to which all messages have been received then.
    pub(crate) fn recv_timeout(
        &self,
        wait: Duration,
    ) -> Result<(Timestamp, StoreMessage), RecvTimeoutError> {
        let Sent { at, message } = self.receiver.recv_timeout(wait)?;
        self.waiting.fetch_sub(message.weight(), Ordering::Relaxed);
        Ok((at, message))
    }
}

impl StoreMessage {
    /// Facts and records in the message.
    fn weight(&self) -> usize {
        match self {
            Self::Facts(facts) => facts.len(),
            Self::SocketRecords(records) => records.len(),
            Self::Cgroup(..) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_in_what_batches_hold_and_comes_back() {
        let (sender, receiver) = store_channel(3);
        let cgroup = || StoreMessage::Cgroup(1, String::new());
        for _ in 0..3 {
            assert!(sender.try_send(cgroup()).is_ok());
        }
        assert!(sender.try_send(cgroup()).is_err());
        assert!(receiver.recv_timeout(Duration::ZERO).is_ok());
        assert!(sender.try_send(cgroup()).is_ok());
        assert!(sender.try_send(cgroup()).is_err());
    }
    #[test]
    fn a_message_that_is_refused_keeps_no_other_out() {
        let records = |count: usize| {
            let io = wire::SockIo {
                kind: wire::SockIoKind::Send,
                process: wire::Process { pid: 1, tid: 1, command: [0; 16], cgroup: 0 },
                cookie: 1,
                local: wire::Endpoint::new([192, 0, 2, 1].into(), 1),
                remote: wire::Endpoint::new([192, 0, 2, 1].into(), 2),
                seq: wire::SeqRange { start: wire::SeqNum(0), end: wire::SeqNum(0) },
                enter: wire::Timestamp::ZERO,
                exit: wire::Timestamp::ZERO,
            };
            StoreMessage::SocketRecords(vec![io; count])
        };
        let (sender, receiver) = store_channel(100);
        assert!(sender.try_send(records(1)).is_ok());
        std::thread::scope(|scope| {
            let other = sender.clone();
            let refused = scope.spawn(move || {
                let mut large = records(100);
                for _ in 0..50_000 {
                    large = other.try_send(large).expect_err("there is no room for 100 more");
                }
            });
            while !refused.is_finished() {
                assert!(sender.try_send(records(1)).is_ok(), "there is room for 1 more");
                assert!(receiver.recv_timeout(Duration::ZERO).is_ok());
            }
        });
    }
}
