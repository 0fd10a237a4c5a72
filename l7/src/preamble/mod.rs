//! What proxies put before a connection's own protocol: the PROXY protocol, and the SOCKS
//! handshake. The first bytes of a connection are shown here before they are shown to inference,
//! until it is clear that there is no preamble, or that it is over.

mod proxy;
mod socks;
mod step;
#[cfg(test)]
mod tests;

use wire::Direction;

use fact::Attributes;
use socks::{Part, Socks};

pub(crate) use step::PreambleStep;

/// What was found so far.
#[derive(Debug, Default)]
enum PreambleState {
    /// Nothing was shown.
    #[default]
    Possible,
    Socks(Socks),
    /// Whatever comes is of the connection's own protocol.
    Over,
}

/// Reads the preamble of one connection. It keeps no bytes.
#[derive(Debug, Default)]
pub(crate) struct Preamble {
    state: PreambleState,
}

impl Preamble {
    /// Whether nothing more of it can come.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, PreambleState::Over)
    }

    /// Whatever comes is of the connection's own protocol.
    pub(crate) fn finish(&mut self) {
        self.state = PreambleState::Over;
    }

    /// Looks at bytes of one direction that no protocol has seen: its first ones, or those behind
    /// what was consumed. What the preamble says goes to `told`.
    pub(crate) fn read(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        told: &mut Attributes,
    ) -> PreambleStep {
        if bytes.is_empty() {
            return PreambleStep::Wait;
        }
        match &mut self.state {
            PreambleState::Over => PreambleStep::None,
            PreambleState::Possible => self.begin(direction, bytes, told),
            PreambleState::Socks(socks) => {
                let step = socks.read(direction, bytes, told);
                if socks.is_over() {
                    self.state = PreambleState::Over;
                }
                step
            }
        }
    }

    fn begin(&mut self, direction: Direction, bytes: &[u8], told: &mut Attributes) -> PreambleStep {
        if direction == Direction::ToServer {
            match proxy::read(bytes, told) {
                PreambleStep::None => {}
                PreambleStep::Wait => return PreambleStep::Wait,
                step => {
                    self.state = PreambleState::Over;
                    return step;
                }
            }
            match Socks::begin(bytes) {
                Part::Whole(socks, _) => {
                    self.state = PreambleState::Socks(socks);
                    return PreambleStep::Wait;
                }
                Part::Short => return PreambleStep::Wait,
                Part::No => {}
            }
            self.state = PreambleState::Over;
            return PreambleStep::None;
        }
        // A server that speaks first, or that does not answer as a proxy would.
        self.state = PreambleState::Over;
        PreambleStep::Release(0)
    }
}
