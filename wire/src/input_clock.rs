//! The time of an input, from the times of its frames.

use std::time::Duration;

use crate::Timestamp;

/// The time that an input has reached, from the times of its frames, in spite of single wild ones.
///
/// A step of at most [`STEP`](Self::STEP) counts at once. A frame that is farther ahead, or farther
/// behind, counts once the next frame confirms it by being as far off. So a frame dated decades
/// ahead in the middle of a capture changes nothing, captures put one after the other move the
/// clock back, and a pause of hours counts one frame later. Frames that are late by less than a
/// step do not move the clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputClock {
    now: Option<Timestamp>,
    /// Time of the last frame, where the next one has yet to confirm it.
    unconfirmed: Option<Timestamp>,
    /// The whole second that was returned last.
    second: Option<u64>,
    /// Its end: frames in order before it return nothing.
    second_end: Timestamp,
}

impl InputClock {
    /// Longest step between two frames that needs no confirmation: below the time-outs of flows
    /// that are open.
    pub const STEP: Duration = Duration::from_secs(60);

    /// Takes the time of the next frame. Returns the start of its second where another one begins
    /// (with the first frame too): time for a tick, before the frame is analysed. It is earlier
    /// than the one before only where the input went back.
    #[inline]
    pub fn on_frame(&mut self, time: Timestamp) -> Option<Timestamp> {
        if self.unconfirmed.is_none()
            && self.now.is_some_and(|now| now <= time && time < self.second_end)
        {
            self.now = Some(time);
            return None;
        }
        self.on_step(time)
    }

    fn on_step(&mut self, time: Timestamp) -> Option<Timestamp> {
        let before = self.now;
        let now = self.advance(time);
        let second = now.as_nanos() / 1_000_000_000;
        let back = before.is_some_and(|before| now < before);
        if self.second.is_some_and(|last| second <= last) && !back {
            return None;
        }
        self.second = Some(second);
        self.second_end = Timestamp::from_parts(second.saturating_add(1), 0);
        Some(Timestamp::from_parts(second, 0))
    }

    /// The time that the input has reached; zero before its first frame.
    pub fn now(&self) -> Timestamp {
        self.now.unwrap_or(Timestamp::ZERO)
    }

    /// The time at which the input ended: that of its last frame, but at most a step after the time
    /// that was reached, where no frame confirms it.
    pub fn end(&self) -> Timestamp {
        let ahead =
            self.unconfirmed.map_or(Timestamp::ZERO, |time| time.min(self.now() + Self::STEP));
        self.now().max(ahead)
    }

    /// Moves the clock as far as `time` and the frame before it allow, and returns its time.
    fn advance(&mut self, time: Timestamp) -> Timestamp {
        let Some(now) = self.now else {
            self.now = Some(time);
            return time;
        };
        let (ahead, behind) = (time > now + Self::STEP, time + Self::STEP < now);
        let reached = match self.unconfirmed.take() {
            Some(first) if ahead && first > now => {
                let (confirmed, farther) = (first.min(time), first.max(time));
                self.unconfirmed = (farther > confirmed + Self::STEP).then_some(farther);
                confirmed
            }
            Some(first) if behind && first < now => first.max(time),
            _ if ahead || behind => {
                self.unconfirmed = Some(time);
                now
            }
            _ => time.max(now),
        };
        self.now = Some(reached);
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(seconds: &[u64]) -> Vec<Option<u64>> {
        let mut clock = InputClock::default();
        let mut frame = |s: &u64| {
            clock.on_frame(Timestamp::from_parts(*s, 5)).map(|t| t.as_nanos() / 1_000_000_000)
        };
        seconds.iter().map(&mut frame).collect()
    }

    #[test]
    fn every_second_is_returned_once() {
        assert_eq!(ticks(&[10, 10, 11, 10, 13]), [Some(10), None, Some(11), None, Some(13)]);
    }

    #[test]
    fn a_single_wild_time_moves_nothing() {
        assert_eq!(ticks(&[10, 2_000_000, 11, 0, 12]), [Some(10), None, Some(11), None, Some(12)]);
        assert_eq!(ticks(&[1000, 2_000_000, 0, 1001]), [Some(1000), None, None, Some(1001)]);
    }

    #[test]
    fn a_jump_counts_with_the_next_frame() {
        assert_eq!(ticks(&[10, 4000, 4000, 4001]), [Some(10), None, Some(4000), Some(4001)]);
        assert_eq!(
            ticks(&[10, 400, 800, 801, 1200, 1250]),
            [Some(10), None, Some(400), Some(800), None, Some(1200)]
        );
    }

    #[test]
    fn the_input_ends_with_its_last_frame_or_a_step_later() {
        let end = |seconds: &[u64]| {
            let mut clock = InputClock::default();
            seconds.iter().for_each(|&s| _ = clock.on_frame(Timestamp::from_parts(s, 0)));
            clock.end().as_nanos() / 1_000_000_000
        };
        assert_eq!(end(&[]), 0);
        assert_eq!(end(&[10, 12, 11]), 12);
        assert_eq!(end(&[10, 71]), 70);
        assert_eq!(end(&[10, 2_000_000, 11]), 11);
        assert_eq!(end(&[1000, 11]), 1000);
    }

    #[test]
    fn a_wild_first_frame_and_a_second_capture_go_back() {
        assert_eq!(ticks(&[2_000_000, 10, 10, 11]), [Some(2_000_000), None, Some(10), Some(11)]);
    }
}
