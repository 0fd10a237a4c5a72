//! Resynchronisation: looks for the next start line after lost bytes.

use wire::Direction;

use super::start::BEGINNING;
use super::{HttpParser, Phase};
use crate::contract::{Probe, Progress};
use crate::kit::step::{Step, malformed};
use crate::protocols::http::lines::has_control;
use crate::protocols::http::probe;

/// Bytes passed over in search of a start line until the parser gives up.
const SEEK_LIMIT: u64 = 64 * 1024;

impl HttpParser {
    /// Passes over lines until one can be a start line.
    pub(super) fn seek(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        passed: u64,
    ) -> Step {
        let probe = match direction {
            Direction::ToServer => probe::request,
            Direction::ToClient => probe::response,
        };
        // The line that was found plausible before still has no end.
        let looked_at = std::mem::take(&mut self.sides[direction].looked_at);
        if looked_at >= BEGINNING
            && let Some(more) = rest.get(looked_at..)
            && memchr::memchr(b'\n', more).is_none()
            && !has_control(more)
        {
            self.sides[direction].looked_at = rest.len();
            return Step::Stop(Progress::Need { consumed: at, more: 1 });
        }
        let mut from = 0;
        while from < rest.len() {
            match probe(&rest[from..]) {
                Probe::Yes => {
                    self.sides[direction].phase = Phase::Start;
                    return Step::Go(at + from);
                }
                Probe::More => {
                    let side = &mut self.sides[direction];
                    side.phase = Phase::Seek(passed + from as u64);
                    side.looked_at = rest.len() - from;
                    return Step::Stop(Progress::Need { consumed: at + from, more: 1 });
                }
                Probe::No => {}
            }
            from = memchr::memchr(b'\n', &rest[from..]).map_or(rest.len(), |lf| from + lf + 1);
        }
        let passed = passed + rest.len() as u64;
        let consumed = at + rest.len();
        if passed > SEEK_LIMIT {
            self.sides[direction].phase = Phase::Seek(0);
            return malformed(consumed);
        }
        self.sides[direction].phase = Phase::Seek(passed);
        Step::Stop(Progress::Consumed(consumed))
    }
}
