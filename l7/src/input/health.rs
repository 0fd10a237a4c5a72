//! The state of the connection that an exchange records.

/// The state of a connection so far, both sides together, as its exchanges record it. Cheap
/// to take for every segment; what takes a division waits until somebody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What went wrong.
    pub troubles: TroubleCounts,
    /// Round-trip times so far.
    pub round_trips: RoundTrips,
}

/// Counts of what went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TroubleCounts {
    /// Segments sent again.
    pub retransmissions: u32,
    /// Segments out of order.
    pub out_of_order: u32,
    /// Segments that announced a window of zero.
    pub zero_windows: u32,
    /// Bytes that were never captured.
    pub missing_bytes: u64,
}

impl TroubleCounts {
    /// All is well.
    pub const NONE: Self =
        Self { retransmissions: 0, out_of_order: 0, zero_windows: 0, missing_bytes: 0 };
}

/// Round-trip times of the network between the tap and each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// Sum and number of the samples of each side.
    pub sides: [(u64, u32); 2],
}

impl RoundTrips {
    /// Mean of both parts of the path together; 0 if that of one is not known.
    pub fn mean_ns(&self) -> u64 {
        let [low, high] = self.sides.map(|(sum, count)| sum.checked_div(u64::from(count)));
        low.zip(high).map_or(0, |(low, high)| low.saturating_add(high))
    }
}
