//! Joins the two directions of a connection: requests and responses.

use wire::Direction;

use super::probe;
use super::requests::Requests;
use super::responses::Responses;
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::Messages;

/// The parser of one connection.
#[derive(Debug)]
pub(super) struct MemcachedParser {
    requests: Requests,
    responses: Responses,
    /// Responses were lost: what comes before the next command cannot be assigned to a request.
    responses_lost: bool,
    /// Bytes were read before.
    started: bool,
}

impl MemcachedParser {
    pub(super) fn new(literals: bool) -> Self {
        Self {
            requests: Requests::new(literals),
            responses: Responses::default(),
            responses_lost: false,
            started: false,
        }
    }
}

impl Parser for MemcachedParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if !std::mem::replace(&mut self.started, true)
            && (direction == Direction::ToClient || probe::request(bytes, true) == Probe::No)
        {
            // The capture began in the middle: the client may be within a command.
            self.requests.on_gap();
        }
        match direction {
            Direction::ToServer => {
                if !bytes.is_empty() {
                    self.responses_lost = false;
                }
                self.requests.read(bytes, out)
            }
            Direction::ToClient if self.responses_lost => Progress::Consumed(bytes.len()),
            Direction::ToClient => self.responses.read(bytes, out),
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        match direction {
            Direction::ToServer => self.requests.on_gap(),
            Direction::ToClient => {
                self.responses = Responses::default();
                self.responses_lost = true;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.requests.bytes()
    }
}
