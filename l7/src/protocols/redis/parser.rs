use wire::Direction;

use super::answers::Answers;
use super::probe;
use super::requests::Requests;
use super::shared::Shared;
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::Messages;

#[derive(Debug)]
pub(super) struct RedisParser {
    shared: Shared,
    requests: Requests,
    answers: Answers,
    begun: bool,
}

impl RedisParser {
    pub(super) fn new(literals: bool) -> Self {
        let (shared, answers) = (Shared::default(), Answers::default());
        Self { shared, requests: Requests::new(literals), answers, begun: false }
    }
}

impl Parser for RedisParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if !std::mem::replace(&mut self.begun, true)
            && (direction == Direction::ToClient || probe::command(bytes, true) == Probe::No)
        {
            // Joined in the middle, where the client may be amid a command.
            self.requests.lost();
        }
        match direction {
            Direction::ToServer => self.requests.read(bytes, &mut self.shared, out),
            Direction::ToClient => self.answers.read(bytes, &mut self.shared, out),
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        match direction {
            Direction::ToServer => self.requests.lost(),
            Direction::ToClient => {
                self.answers.lost();
                self.shared.deaf = true;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.requests.bytes() + self.answers.bytes()
    }
}
