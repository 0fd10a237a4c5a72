use wire::Direction;

use super::{HttpParser, Phase, Side, Step, skip};
use crate::contract::Progress;
use crate::correlate::{Entry, Kind, Messages};
use crate::protocols::grpc;
use crate::protocols::http::tell::Said;
use fact::Protocol;

/// What the body of an open message tells of a call of gRPC-Web.
#[derive(Debug)]
pub(super) struct Call {
    /// None where the body is something else, or was not seen from its beginning.
    messages: Option<grpc::Messages>,
    /// A field of the head said how the call ended.
    has_status: bool,
}

impl Call {
    /// Of a message, if it belongs to a call.
    pub(super) fn of(said: Said, entry: &Entry) -> Option<Box<Self>> {
        (entry.exchange.protocol == Protocol::Grpc).then(|| Self::begun(said))
    }

    #[cold]
    fn begun(said: Said) -> Box<Self> {
        Box::new(Self { messages: said.call.map(grpc::Messages::new), has_status: said.has_status })
    }

    /// Bytes of the body are missing, nobody knows which.
    pub(super) fn miss(&mut self) {
        self.messages = None;
    }

    /// The body of the open message ended: tells what there was in it.
    #[cold]
    pub(super) fn tell(&self, kind: Kind, out: &mut Messages) {
        let Some(entry) = out.current(kind, 0) else { return };
        let exchange = &mut entry.exchange;
        if let Some(count) = self.messages.as_ref().and_then(grpc::Messages::count) {
            grpc::count(exchange, kind == Kind::Request, count);
        }
        if kind == Kind::Response && !self.has_status {
            grpc::conclude(exchange, self.messages.as_ref());
        }
    }

    /// Memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.messages.as_ref().map_or(0, grpc::Messages::bytes)
    }
}

impl Side {
    /// Whether the body is looked at.
    pub(super) fn is_read(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.messages.is_some())
    }
}

impl HttpParser {
    /// Reads the body of a call, or a chunk of it, of which `left` bytes are to come from `at` on. It is called again where bytes that
    /// need not be shown are to come, also if none follow yet.
    #[inline(never)]
    pub(super) fn content(
        &mut self,
        direction: Direction,
        (left, chunked): (u64, bool),
        bytes: &[u8],
        at: usize,
    ) -> Step {
        let side = &mut self.sides[direction];
        let messages = side.call.as_mut().and_then(|call| call.messages.as_mut());
        let read = messages.map_or(left, |messages| messages.read(&bytes[at..], left));
        if read == 0 && left > 0 {
            return Step::Stop(Progress::Consumed(at));
        }
        side.phase = match (left - read, chunked) {
            (0, true) => Phase::ChunkEnd,
            (0, false) => Phase::BodyEnd,
            (left, _) => Phase::Content { left, chunked },
        };
        skip(at, read, bytes.len())
    }

    /// Reads of a body that ends with the connection what is there.
    pub(super) fn content_until_close(&mut self, direction: Direction, bytes: &[u8]) {
        let call = self.sides[direction].call.as_mut();
        if let Some(messages) = call.and_then(|call| call.messages.as_mut()) {
            messages.read(bytes, bytes.len() as u64);
        }
    }
}
