/// Retransmission time-out (RFC 6298), in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Rto {
    smoothed: Option<u64>,
    variation: u64,
    least: u64,
    doubled: u32,
}

const LONGEST: u64 = 60_000_000_000;

impl Rto {
    pub(crate) fn new(least: u64) -> Self {
        Self { smoothed: None, variation: 0, least, doubled: 0 }
    }

    pub(crate) fn sample(&mut self, rtt: u64) {
        match self.smoothed {
            None => (self.smoothed, self.variation) = (Some(rtt), rtt / 2),
            Some(smoothed) => {
                self.variation = (3 * self.variation + smoothed.abs_diff(rtt)) / 4;
                self.smoothed = Some((7 * smoothed + rtt) / 8);
            }
        }
        self.doubled = 0;
    }

    pub(crate) fn smoothed(&self) -> Option<u64> {
        self.smoothed
    }

    pub(crate) fn wait(&self) -> u64 {
        let base =
            self.smoothed.map_or(1_000_000_000, |s| s + (4 * self.variation).max(self.least));
        (base << self.doubled.min(10)).min(LONGEST)
    }

    pub(crate) fn double(&mut self) {
        self.doubled += 1;
    }

    pub(crate) fn reset(&mut self) {
        self.doubled = 0;
    }

    pub(crate) fn doubled(&self) -> u32 {
        self.doubled
    }
}
