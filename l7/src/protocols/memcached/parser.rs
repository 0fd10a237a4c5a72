//! The parser of Memcached: state of a connection, and the order of its messages.

use wire::Direction;

use super::answers::Answers;
use super::probe;
use super::requests::Requests;
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::Messages;

#[derive(Debug)]
pub(super) struct MemcachedParser {
    requests: Requests,
    answers: Answers,
    /// Answers were missed; what comes before the next command cannot be told apart.
    deaf: bool,
    begun: bool,
}

impl MemcachedParser {
    pub(super) fn new(literals: bool) -> Self {
        Self { requests: Requests::new(literals), answers: Answers::default(), deaf: false, begun: false }
    }
}

impl Parser for MemcachedParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if !std::mem::replace(&mut self.begun, true)
            && (direction == Direction::ToClient || probe::request(bytes, true) == Probe::No)
        {
            // Joined in the middle, where the client may be amid a command.
            self.requests.lost();
        }
        match direction {
            Direction::ToServer => {
                if !bytes.is_empty() {
                    self.deaf = false;
                }
                self.requests.read(bytes, out)
            }
            Direction::ToClient if self.deaf => Progress::Consumed(bytes.len()),
            Direction::ToClient => self.answers.read(bytes, out),
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        match direction {
            Direction::ToServer => self.requests.lost(),
            Direction::ToClient => {
                self.answers = Answers::default();
                self.deaf = true;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.requests.bytes()
    }
}
