//! The open streams of a connection (RFC 9113 section 5), and the state of their two messages.

use std::collections::VecDeque;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::correlate::OwnBytes;
use crate::protocols::grpc;

/// Streams kept at once. A further one evicts the oldest.
const MOST: usize = 1024;
/// Reset streams that are kept, since frames of them may still arrive.
const MOST_RESET: usize = 64;

/// State of the message of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Awaited,
    Open,
    Ended,
}

/// The message of one direction of a stream.
#[derive(Debug, Default)]
pub(super) struct StreamMessage {
    pub(super) state: State,
    /// Bytes of content so far.
    pub(super) body: u64,
    /// What its frames take of the connection's bytes.
    pub(super) own: OwnBytes,
    /// Counts gRPC messages, as long as no bytes are missing.
    pub(super) messages: Option<grpc::MessageCounter>,
    /// Frames of it may have been in a gap.
    pub(super) may_have_gap: bool,
}

/// A request and its response.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Id that the exchange is paired by.
    pub(super) id: u64,
    pub(super) request: StreamMessage,
    pub(super) response: StreamMessage,
    /// Form of the gRPC call, if it is one.
    pub(super) grpc_form: Option<grpc::Form>,
    pub(super) pushed: bool,
    /// Its `grpc-status` was seen; of a pushed stream, its response.
    pub(super) has_status: bool,
}

/// Streams of a connection by their identifiers.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: HashMap<u32, Stream, RandomState>,
    /// Their identifiers in the order of opening. Those of closed streams may be among them.
    order: VecDeque<u32>,
    reset: VecDeque<u32>,
}

impl Streams {
    pub(super) fn get(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.get_mut(&id)
    }

    pub(super) fn contains(&self, id: u32) -> bool {
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

    /// A stream was reset: frames of it that still arrive are ignored.
    pub(super) fn insert_reset(&mut self, id: u32) {
        if self.reset.len() >= MOST_RESET {
            self.reset.pop_front();
        }
        self.reset.push_back(id);
    }

    pub(super) fn is_reset(&self, id: u32) -> bool {
        self.reset.contains(&id)
    }

    /// Identifiers of the client's streams after `last`. Clients use odd ones (RFC 9113 section
    /// 5.1.1).
    pub(super) fn after(&self, last: u32) -> Vec<u32> {
        let mut after: Vec<u32> =
            self.open.keys().filter(|&&id| id > last && id % 2 == 1).copied().collect();
        after.sort_unstable();
        after
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.open.values_mut()
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let messages = |side: &StreamMessage| side.messages.as_ref().map_or(0, |m| m.bytes());
        let inside: usize =
            self.open.values().map(|s| messages(&s.request) + messages(&s.response)).sum();
        self.open.allocation_size() + (self.order.capacity() + self.reset.capacity()) * 4 + inside
    }
}
