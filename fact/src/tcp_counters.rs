//! The table of TCP counters: what the analyzer counts for each side of a connection, and under
//! which names records, metrics and tests show it.

use std::fmt;
use std::ops::{Index, IndexMut};

/// How a counter is shown in `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Family of its own, `tcp_` and the name of the counter; this is its help text.
    Family(&'static str),
    /// Series of the family `tcp_retransmissions`; this is the value of its label `kind`.
    Kind(&'static str),
}

/// Names of one counter: a row of the table.
struct Row {
    name: &'static str,
    wireshark: Option<&'static str>,
    metric: Option<Metric>,
}

impl Row {
    /// Row of a counter with this name in flow records.
    const fn named(name: &'static str) -> Self {
        Self { name, wireshark: None, metric: None }
    }

    /// Its meaning is that of `tcp.analysis.{field}` in Wireshark 4.0.
    const fn wireshark(self, field: &'static str) -> Self {
        Self { wireshark: Some(field), ..self }
    }

    /// `/metrics` shows it so.
    const fn metric(self, metric: Metric) -> Self {
        Self { metric: Some(metric), ..self }
    }
}

/// Makes the enum of counters, their number, the list of them and the table of their rows.
macro_rules! tcp_counters {
    ($($(#[$doc:meta])+ $counter:ident = $row:expr;)+) => {
        /// What is counted of the TCP segments that one side of a connection sends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum TcpCounter {
            $($(#[$doc])+ $counter,)+
        }

        impl TcpCounter {
            /// Number of counters.
            pub const COUNT: usize = Self::ALL.len();
            /// All counters, in the order of the fields of flow records.
            pub const ALL: &'static [Self] = &[$(Self::$counter,)+];
            const ROWS: [Row; Self::COUNT] = [$($row,)+];
        }
    };
}

tcp_counters! {
    /// Retransmissions of every kind, SYN and SYN/ACK included.
    Retransmission = Row::named("retransmissions").wireshark("retransmission");

    /// Retransmissions of SYN or SYN/ACK. Metrics show those of SYN/ACK under the kind `syn_ack`.
    SynRetransmission = Row::named("syn_retransmissions").metric(Metric::Kind("syn"));

    /// Fast retransmissions: repeats within 20 ms of the second duplicate ACK.
    FastRetransmission = Row::named("fast_retransmissions")
        .wireshark("fast_retransmission")
        .metric(Metric::Kind("fast"));

    /// Retransmissions of bytes that were acknowledged already.
    SpuriousRetransmission = Row::named("spurious_retransmissions")
        .wireshark("spurious_retransmission")
        .metric(Metric::Kind("spurious"));

    /// Retransmissions after a time-out: no ACK of the receiver asked for them.
    TimeoutRetransmission = Row::named("timeout_retransmissions").metric(Metric::Kind("timeout"));

    /// First repeats of the end of a flight after a short silence (RFC 8985, section 7).
    TailLossProbe = Row::named("tail_loss_probes").metric(Metric::Kind("probe"));

    /// Retransmissions that ACKs of the receiver asked for, and those of the same flight after a
    /// time-out. Metrics leave out those that are fast.
    RecoveryRetransmission = Row::named("recovery_retransmissions").metric(Metric::Kind("recovery"));

    /// Retransmissions of which the receiver reported that it had the bytes (D-SACK, RFC 2883).
    DsackRetransmission = Row::named("needless_retransmissions");

    /// Segments out of order.
    OutOfOrder = Row::named("out_of_order")
        .wireshark("out_of_order")
        .metric(Metric::Family("Segments out of order"));

    /// Duplicate ACKs.
    DuplicateAck = Row::named("duplicate_acks")
        .wireshark("duplicate_ack")
        .metric(Metric::Family("Duplicate ACKs"));

    /// Segments that close the window.
    ZeroWindow = Row::named("zero_windows")
        .wireshark("zero_window")
        .metric(Metric::Family("Segments that close the window"));

    /// Probes of a closed window.
    ZeroWindowProbe = Row::named("zero_window_probes").wireshark("zero_window_probe");

    /// Answers to probes of a closed window.
    ZeroWindowProbeAck = Row::named("zero_window_probe_acks").wireshark("zero_window_probe_ack");

    /// Segments that fill the receiver's window to the last byte.
    WindowFull = Row::named("window_full")
        .wireshark("window_full")
        .metric(Metric::Family("Segments that fill the receiver's window"));

    /// Window updates.
    WindowUpdate = Row::named("window_updates").wireshark("window_update");

    /// Keep-alives.
    KeepAlive = Row::named("keep_alives").wireshark("keep_alive");

    /// Answers to keep-alives.
    KeepAliveAck = Row::named("keep_alive_acks").wireshark("keep_alive_ack");

    /// Segments before which at least one was not captured.
    LostSegment = Row::named("lost_segments").wireshark("lost_segment");

    /// ACKs of segments that were not captured.
    AckedLostSegment = Row::named("acked_lost_segments").wireshark("ack_lost_segment");

    /// Packets marked Congestion Experienced (RFC 3168).
    EcnCe = Row::named("ecn_ce");

    /// Segments with ECN-Echo, SYN and SYN/ACK left out.
    EcnEcho = Row::named("ecn_echo");

    /// Segments with Congestion Window Reduced, SYN and SYN/ACK left out.
    EcnCwr = Row::named("ecn_cwr");
}

impl TcpCounter {
    /// Name in flow records.
    pub const fn as_str(self) -> &'static str {
        Self::ROWS[self as usize].name
    }

    /// Field of Wireshark 4.0 with the same meaning, without `tcp.analysis.`.
    pub const fn wireshark(self) -> Option<&'static str> {
        Self::ROWS[self as usize].wireshark
    }

    /// How `/metrics` shows it, if it does.
    pub const fn metric(self) -> Option<Metric> {
        Self::ROWS[self as usize].metric
    }
}

/// A count for each [`TcpCounter`]; counts stop at the largest number.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpCounters([u32; TcpCounter::COUNT]);

impl TcpCounters {
    /// Counts one.
    pub fn increment(&mut self, counter: TcpCounter) {
        self[counter] = self[counter].saturating_add(1);
    }

    /// Every counter with its count.
    pub fn iter(&self) -> impl Iterator<Item = (TcpCounter, u32)> {
        TcpCounter::ALL.iter().copied().zip(self.0)
    }
}

impl Index<TcpCounter> for TcpCounters {
    type Output = u32;

    fn index(&self, counter: TcpCounter) -> &u32 {
        &self.0[counter as usize]
    }
}

impl IndexMut<TcpCounter> for TcpCounters {
    fn index_mut(&mut self, counter: TcpCounter) -> &mut u32 {
        &mut self.0[counter as usize]
    }
}

/// Shows the counts that are not zero.
impl fmt::Debug for TcpCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().filter(|&(_, count)| count > 0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_has_its_own_row_and_count() {
        let mut counters = TcpCounters::default();
        for (index, &counter) in TcpCounter::ALL.iter().enumerate() {
            assert_eq!(counter as usize, index);
            assert_eq!(
                TcpCounter::ALL.iter().filter(|c| c.as_str() == counter.as_str()).count(),
                1
            );
            (0..=index).for_each(|_| counters.increment(counter));
        }
        assert!(counters.iter().map(|(_, count)| count).eq(1..=TcpCounter::COUNT as u32));
        assert_eq!(counters[TcpCounter::SynRetransmission], 2);
    }

    #[test]
    fn counts_stop_at_the_largest_number() {
        let mut counters = TcpCounters::default();
        counters[TcpCounter::OutOfOrder] = u32::MAX;
        counters.increment(TcpCounter::OutOfOrder);
        assert_eq!(counters[TcpCounter::OutOfOrder], u32::MAX);
        assert_eq!(format!("{counters:?}"), "{OutOfOrder: 4294967295}");
    }
}
