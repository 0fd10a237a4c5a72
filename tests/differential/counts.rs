//! Figures of one direction of a flow that the analyzer and tshark must agree on.

use fact::{DirectionRecord, TcpCounter};

/// Figures that are read from headers, by the names that flow records have.
const HEADER: [&str; 8] =
    ["packets", "data_packets", "payload_bytes", "syn", "syn_ack", "fin", "rst", "psh"];

/// Whether tshark tells this counter; retransmissions of SYN are those with the flag.
fn is_compared(counter: TcpCounter) -> bool {
    counter.wireshark().is_some() || counter == TcpCounter::SynRetransmission
}

/// Names of all figures, in the order of [`Counts::of`].
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let counters = TcpCounter::ALL.iter().filter(|&&counter| is_compared(counter));
    HEADER.into_iter().chain(counters.map(|counter| counter.as_str()))
}

/// Number of figures: those of headers, 14 of tshark's analyses and retransmissions of SYN.
const FIGURES: usize = HEADER.len() + 15;

/// Figures of one direction, in the order of [`names`], and the times from segments to their
/// acknowledgements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) of: [u64; FIGURES],
    pub(crate) ack_rtt: AckRtt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AckRtt {
    pub(crate) count: u64,
    pub(crate) min_ns: i64,
    pub(crate) max_ns: i64,
    pub(crate) sum_ns: i64,
}

impl AckRtt {
    pub(crate) fn record(&mut self, ns: i64) {
        self.min_ns = if self.count == 0 { ns } else { self.min_ns.min(ns) };
        self.max_ns = if self.count == 0 { ns } else { self.max_ns.max(ns) };
        self.sum_ns += ns;
        self.count += 1;
    }

    pub(crate) fn mean_ns(&self) -> i64 {
        self.sum_ns.checked_div(self.count.cast_signed()).unwrap_or(0)
    }
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.of.iter_mut().zip(other.of).for_each(|(sum, n)| *sum += n);
        if other.ack_rtt.count > 0 {
            self.ack_rtt.record(other.ack_rtt.sum_ns);
        }
    }

    /// What `record` says; `sum_ns` is left out, as records only have the mean.
    pub(crate) fn of_record(r: &DirectionRecord) -> Self {
        let header =
            [r.packets, r.data_packets, r.payload_bytes, r.syn, r.syn_ack, r.fin, r.rst, r.psh];
        let counters = r.tcp.iter().filter(|&(counter, _)| is_compared(counter));
        let counters = counters.map(|(_, count)| u64::from(count));
        assert_eq!(names().count(), FIGURES);
        let mut of = [0; FIGURES];
        of.iter_mut().zip(header.into_iter().chain(counters)).for_each(|(figure, n)| *figure = n);
        let rtt = r.ack_rtt;
        let ack_rtt = AckRtt {
            count: rtt.count,
            min_ns: rtt.min_ns,
            max_ns: rtt.max_ns,
            sum_ns: rtt.mean_ns * rtt.count.cast_signed(),
        };
        Self { of, ack_rtt }
    }

    /// The names of all analyses that are not zero.
    pub(crate) fn names(&self) -> String {
        let named = names().zip(self.of).skip(HEADER.len()).filter(|(_, n)| *n > 0);
        let mut text: Vec<String> = named.map(|(name, _)| name.to_owned()).collect();
        text.extend((self.ack_rtt.count > 0).then(|| format!("ack_rtt {}", self.ack_rtt.sum_ns)));
        text.join(" ")
    }

    /// Each figure in which the two differ.
    pub(crate) fn differences(&self, tshark: &Self) -> Vec<String> {
        let mut found: Vec<String> = names()
            .zip(self.of.iter().zip(tshark.of))
            .filter(|(_, (own, theirs))| **own != *theirs)
            .map(|(name, (own, theirs))| format!("{name}: {own}, tshark {theirs}"))
            .collect();
        let times = |rtt: &AckRtt| (rtt.count, rtt.min_ns, rtt.max_ns, rtt.mean_ns());
        let (own, theirs) = (times(&self.ack_rtt), times(&tshark.ack_rtt));
        if own != theirs {
            found.push(format!("ack_rtt (count, min, max, mean): {own:?}, tshark {theirs:?}"));
        }
        found
    }
}
