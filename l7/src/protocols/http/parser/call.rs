//! Bodies that carry a gRPC-Web call: they are read instead of skipped.

use wire::Direction;

use super::{HttpParser, Phase, Side};
use crate::contract::Progress;
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::step::{Step, skip};
use crate::protocols::grpc;
use crate::protocols::http::message_head::HeadInfo;

/// The gRPC-Web call in the body of an open message.
#[derive(Debug)]
pub(super) struct Call {
    /// None where the body is something else, or was not seen from its beginning.
    messages: Option<grpc::MessageCounter>,
    /// The head had a `grpc-status` field.
    has_status: bool,
}

impl Call {
    /// The call that the message with this head belongs to.
    pub(super) fn of(info: HeadInfo, entry: &Entry) -> Option<Box<Self>> {
        grpc::is_call(&entry.exchange).then(|| Self::new(info))
    }

    #[cold]
    fn new(info: HeadInfo) -> Box<Self> {
        let messages = info.grpc_form.map(grpc::MessageCounter::new);
        Box::new(Self { messages, has_status: info.has_grpc_status })
    }

    /// Bytes of the body are missing at an unknown place.
    pub(super) fn on_gap(&mut self) {
        self.messages = None;
    }

    /// The body of the open message ended: adds its message count and status to the exchange.
    ///
    /// The message is not open any more if the exchange went out while its body was still coming.
    #[cold]
    pub(super) fn finish(&self, kind: Kind, out: &mut Messages) {
        let Some(entry) = out.current(kind, 0) else { return };
        let exchange = &mut entry.exchange;
        if let Some(count) = self.messages.as_ref().and_then(grpc::MessageCounter::count) {
            grpc::add_message_count(exchange, kind == Kind::Request, count);
        }
        if kind == Kind::Response && !self.has_status {
            grpc::finish_call(exchange, self.messages.as_ref());
        }
    }

    /// Memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.messages.as_ref().map_or(0, grpc::MessageCounter::bytes)
    }
}

impl Side {
    /// Whether the body of the open message is read.
    pub(super) fn reads_body(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.messages.is_some())
    }
}

impl HttpParser {
    /// Reads a call's body or a chunk of it: `left` bytes from `at` on.
    ///
    /// It is called again before bytes that may be skipped, even if none of them are there yet.
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

    /// Reads the next bytes of a body that ends with the connection.
    pub(super) fn content_until_close(&mut self, direction: Direction, bytes: &[u8]) {
        let call = self.sides[direction].call.as_mut();
        if let Some(messages) = call.and_then(|call| call.messages.as_mut()) {
            messages.read(bytes, bytes.len() as u64);
        }
    }
}
