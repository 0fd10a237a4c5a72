use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use fact::{Exchange, FlowRecord};
use store::Store;
use wire::SockIo;

/// A question to the store; it answers through a channel of its own.
pub(crate) type Question = Box<dyn FnOnce(&Store) + Send>;

/// What goes to the thread that keeps the store.
pub(crate) enum Message {
    /// Findings of a shard, in the order in which it made them.
    Facts(Vec<Kept>),
    /// What processes did.
    Records(Vec<SockIo>),
    /// Name of a control group.
    Cgroup(u64, String),
    /// A question of the HTTP side.
    Ask(Question),
}

/// A finding that becomes a record.
pub(crate) enum Kept {
    Exchange(Box<Exchange>),
    Flow(Box<FlowRecord>),
}

/// The way to the thread that keeps the store. It never blocks while capturing: what finds no room is dropped and counted by who
/// sends it. Room is counted in facts and records, as batches are of any size.
#[derive(Clone)]
pub(crate) struct ToKeeper {
    sender: SyncSender<Message>,
    waiting: Arc<AtomicUsize>,
    most: usize,
}

/// The end of the way at the thread that keeps the store.
pub(crate) struct Messages {
    receiver: Receiver<Message>,
    waiting: Arc<AtomicUsize>,
}

/// The channel takes its slots at once, so their number has a limit of its own.
const MOST_BATCHES: usize = 65_536;

/// A way with room for `most` facts and records.
pub(crate) fn to_keeper(most: usize) -> (ToKeeper, Messages) {
    let (sender, receiver) = sync_channel(most.min(MOST_BATCHES));
    let waiting = Arc::new(AtomicUsize::new(0));
    (ToKeeper { sender, waiting: waiting.clone(), most }, Messages { receiver, waiting })
}

impl ToKeeper {
    /// Sends if there is room; else gives the message back.
    pub(crate) fn offer(&self, message: Message) -> Result<(), Message> {
        let weight = message.weight();
        let before = self.waiting.fetch_add(weight, Ordering::Relaxed);
        // A batch larger than the whole room passes when nothing else waits.
        let full = before > 0 && before + weight > self.most;
        let sent = if full { Err(message) } else { self.try_send(message) };
        if sent.is_err() {
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
        }
        sent
    }

    fn try_send(&self, message: Message) -> Result<(), Message> {
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) | TrySendError::Disconnected(message) => message,
        })
    }

    /// Sends, waiting for room: for the end of a run, when nothing is captured any more.
    pub(crate) fn push(&self, message: Message) -> bool {
        self.waiting.fetch_add(message.weight(), Ordering::Relaxed);
        self.sender.send(message).is_ok()
    }
}

impl Messages {
    /// The next message, if one comes in time.
    pub(crate) fn next(&self, wait: Duration) -> Result<Message, RecvTimeoutError> {
        let message = self.receiver.recv_timeout(wait)?;
        self.waiting.fetch_sub(message.weight(), Ordering::Relaxed);
        Ok(message)
    }
}

impl Message {
    fn weight(&self) -> usize {
        match self {
            Self::Facts(facts) => facts.len(),
            Self::Records(records) => records.len(),
            Self::Cgroup(..) | Self::Ask(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_in_what_batches_hold_and_comes_back() {
        let (to_keeper, messages) = to_keeper(3);
        let cgroup = || Message::Cgroup(1, String::new());
        for _ in 0..3 {
            assert!(to_keeper.offer(cgroup()).is_ok());
        }
        assert!(to_keeper.offer(cgroup()).is_err());
        assert!(messages.next(Duration::ZERO).is_ok());
        assert!(to_keeper.offer(cgroup()).is_ok());
        assert!(to_keeper.offer(cgroup()).is_err());
    }
}
