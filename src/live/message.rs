use std::sync::mpsc::{SyncSender, TrySendError};

use analyzer::fact::{Exchange, FlowRecord};
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
/// sends it.
#[derive(Clone)]
pub(crate) struct ToKeeper(pub(crate) SyncSender<Message>);

impl ToKeeper {
    /// Sends if there is room; else gives the message back.
    pub(crate) fn offer(&self, message: Message) -> Result<(), Message> {
        self.0.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) | TrySendError::Disconnected(message) => message,
        })
    }

    /// Sends, waiting for room: for the end of a run, when nothing is captured any more.
    pub(crate) fn push(&self, message: Message) -> bool {
        self.0.send(message).is_ok()
    }
}
