//! The gRPC-Web call in a body.

use crate::correlate::{Entry, Kind, Messages};
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

    /// Whether its messages are read.
    pub(super) fn is_read(&self) -> bool {
        self.messages.is_some()
    }

    /// Reads `bytes` of a content with `left` bytes to come. Returns how many were read; all of
    /// them if the content is not read.
    pub(super) fn read(&mut self, bytes: &[u8], left: u64) -> u64 {
        self.messages.as_mut().map_or(left, |messages| messages.read(bytes, left))
    }
}
