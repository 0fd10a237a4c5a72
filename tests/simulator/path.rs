use super::Random;

/// One way of a part of the network.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) quality: Quality,
    /// When the last packet came out, of those that keep their order.
    last_out: u64,
    /// The last packet was lost.
    losing: bool,
}

/// What a part of the network does to packets. Times are nanoseconds, all else shares of packets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quality {
    pub(crate) delay: u64,
    /// At most so much is added to the delay; order is kept.
    pub(crate) jitter: u64,
    /// Time between two packets, at least.
    pub(crate) gap: u64,
    pub(crate) loss: f64,
    pub(crate) duplication: f64,
    /// These are held up, and overtaken.
    pub(crate) reordering: f64,
    pub(crate) held_up: u64,
    /// Marked "congestion experienced", where the sender knows ECN.
    pub(crate) marking: f64,
}

impl Way {
    pub(crate) fn new(quality: Quality) -> Self {
        Self { quality, last_out: 0, losing: false }
    }

    /// When the copies of a packet come out that goes in at `now`.
    pub(crate) fn pass(&mut self, now: u64, random: &mut Random) -> Vec<u64> {
        let q = self.quality;
        self.losing =
            random.chance(if self.losing { q.loss.mul_add(3.0, 0.1).min(0.5) } else { q.loss })
                && q.loss > 0.0;
        if self.losing {
            return Vec::new();
        }
        let reached = now + q.delay + random.below(q.jitter + 1);
        if random.chance(q.reordering) {
            return vec![reached + random.between(1, q.held_up.max(1))];
        }
        let mut out = vec![reached.max(self.last_out + q.gap)];
        if random.chance(q.duplication) {
            out.push(out[0] + random.between(1, q.held_up.max(1)));
        }
        self.last_out = out[0];
        out
    }
}
