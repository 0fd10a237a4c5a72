use std::collections::VecDeque;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::correlate::OwnBytes;
use crate::protocols::grpc;

/// Streams that are open at once; with more, the oldest are forgotten.
const MOST: usize = 1024;
/// Streams remembered of which more may come although nobody wants it.
const MOST_RESET: usize = 64;

/// Where the message of one side stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Awaited,
    Open,
    Ended,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) state: State,
    /// Bytes of content.
    pub(super) body: u64,
    /// Its frames.
    pub(super) own: OwnBytes,
    /// gRPC messages, while they can be counted.
    pub(super) messages: Option<grpc::MessageCounter>,
    /// Frames of it may be missing.
    pub(super) missed: bool,
}

/// A request and its response.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// What the exchange is paired by.
    pub(super) id: u64,
    pub(super) request: Half,
    pub(super) response: Half,
    /// Form of the call, if it is one.
    pub(super) call: Option<grpc::Form>,
    pub(super) pushed: bool,
    /// How it ended was said.
    pub(super) has_status: bool,
}

/// Streams of a connection by their ids.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: HashMap<u32, Stream, RandomState>,
    /// Their ids in the order in which they were opened, those that were closed since among them.
    order: VecDeque<u32>,
    reset: VecDeque<u32>,
}

impl Streams {
    pub(super) fn get(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.get_mut(&id)
    }

    pub(super) fn has(&self, id: u32) -> bool {
        self.open.contains_key(&id)
    }

    pub(super) fn insert(&mut self, id: u32, stream: Stream) -> &mut Stream {
        while self.open.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
        if self.order.len() >= 2 * MOST {
            self.order.retain(|id| self.open.contains_key(id));
        }
        self.order.push_back(id);
        self.open.entry(id).insert(stream).into_mut()
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        self.open.remove(&id)
    }

    /// A stream was reset: what comes of it later is not looked at.
    pub(super) fn remember_reset(&mut self, id: u32) {
        if self.reset.len() >= MOST_RESET {
            self.reset.pop_front();
        }
        self.reset.push_back(id);
    }

    pub(super) fn was_reset(&self, id: u32) -> bool {
        self.reset.contains(&id)
    }

    /// Ids of the client's streams after `last`.
    pub(super) fn after(&self, last: u32) -> Vec<u32> {
        let mut after: Vec<u32> = self.open.keys().filter(|&&id| id > last && id % 2 == 1).copied().collect();
        after.sort_unstable();
        after
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.open.values_mut()
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let messages = |half: &Half| half.messages.as_ref().map_or(0, |m| m.bytes());
        let inside: usize = self.open.values().map(|s| messages(&s.request) + messages(&s.response)).sum();
        self.open.allocation_size() + (self.order.capacity() + self.reset.capacity()) * 4 + inside
    }
}
