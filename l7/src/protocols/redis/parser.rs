//! Joins the two directions of a connection: requests, responses and the session that both change.

use wire::Direction;

use super::probe;
use super::requests::Requests;
use super::responses::Responses;
use super::session::Session;
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::Messages;

/// The parser of one connection.
#[derive(Debug)]
pub(super) struct RedisParser {
    session: Session,
    requests: Requests,
    responses: Responses,
    /// Bytes were read before.
    started: bool,
}

impl RedisParser {
    pub(super) fn new(literals: bool) -> Self {
        let (session, responses) = (Session::default(), Responses::default());
        Self { session, requests: Requests::new(literals), responses, started: false }
    }
}

impl Parser for RedisParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if !std::mem::replace(&mut self.started, true)
            && (direction == Direction::ToClient || probe::command(bytes, true) == Probe::No)
        {
            // The capture began in the middle: the client may be within a command.
            self.requests.on_gap();
        }
        match direction {
            Direction::ToServer => self.requests.read(bytes, &mut self.session, out),
            Direction::ToClient => self.responses.read(bytes, &mut self.session, out),
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        match direction {
            Direction::ToServer => self.requests.on_gap(),
            Direction::ToClient => {
                self.responses.on_gap();
                self.session.responses_lost = true;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.requests.bytes() + self.responses.bytes()
    }
}
