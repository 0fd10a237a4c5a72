//! Bodies that carry a gRPC-Web call: they are read instead of skipped.

use wire::Direction;

use super::{HttpParser, Phase, Side};
use crate::contract::Progress;
use crate::kit::step::{Step, skip};

impl Side {
    /// Whether the body of the open message is read.
    pub(super) fn reads_body(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_read())
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
        let read = side.call.as_mut().map_or(left, |call| call.read(&bytes[at..], left));
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
        if let Some(call) = &mut self.sides[direction].call {
            call.read(bytes, bytes.len() as u64);
        }
    }
}
