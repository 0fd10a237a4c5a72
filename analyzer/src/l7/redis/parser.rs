use wire::Direction;

use super::answers::Answers;
use super::requests::Requests;
use crate::l7::messages::Messages;
use crate::l7::protocol::{Parser, Progress, Reason};

/// What to do next.
pub(super) enum Step {
    Go(usize),
    Stop(Progress),
}

pub(super) fn malformed(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Malformed })
}

pub(super) fn need(consumed: usize, more: usize) -> Step {
    Step::Stop(Progress::Need { consumed, more })
}

/// What both directions have to know of each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Something was subscribed to: arrays may be messages.
    pub(super) subscribed: bool,
    /// Lines with the time of a command are what a monitor is told.
    pub(super) monitored: bool,
    /// Answers were missed; what comes before the next command cannot be told apart.
    pub(super) deaf: bool,
}

#[derive(Debug)]
pub(super) struct RedisParser {
    shared: Shared,
    requests: Requests,
    answers: Answers,
}

impl RedisParser {
    pub(super) fn new(literals: bool) -> Self {
        Self { shared: Shared::default(), requests: Requests::new(literals), answers: Answers::default() }
    }
}

impl Parser for RedisParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        match direction {
            Direction::ToServer => self.requests.read(bytes, &mut self.shared, out),
            Direction::ToClient => self.answers.read(bytes, &mut self.shared, out),
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.lost();
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
