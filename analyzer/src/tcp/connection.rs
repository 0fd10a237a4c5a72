use wire::decode::TcpFlags;
use wire::{Side, Timestamp};

use super::{
    Analysis, Distribution, Findings, Health, Progress, RoundTrips, Samples, Segment, Stream, Symptom,
    Symptoms, TroubleCounts, Troubles,
};
use crate::per_side::PerSide;
use fact::{CloseReason, DirectionRecord, FlowState, TcpCounter, Trouble};

/// All that is known of one TCP connection besides what its application says.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) analysis: Analysis,
    pub(crate) progress: Progress,
    pub(crate) streams: PerSide<Stream>,
    measures: PerSide<Measures>,
    /// Who sent payload last, and when.
    spoke: Option<Side>,
    spoke_at: Timestamp,
}

#[derive(Debug, Default)]
struct Measures {
    syn: u32,
    syn_ack: u32,
    fin: u32,
    rst: u32,
    psh: u32,
    mss: Option<u16>,
    /// The first `ack_rtt` and `rtt` in nanoseconds where there is one of each and both are the same, as after a handshake; else 0.
    first_rtt_ns: u64,
    rare: Option<Box<Rare>>,
}

/// What a side does not have that only opened the connection.
#[derive(Debug, Default)]
struct Rare {
    troubles: Option<Box<Troubles>>,
    ack_rtt: Samples,
    rtt: Distribution,
    response_time: Samples,
}

impl Connection {
    /// Counts and times `segment`. `ecn` is the IP header's field.
    pub(crate) fn segment(&mut self, segment: &Segment<'_>, ecn: u8, max_unacked: usize) {
        let own = self.measures.get_mut(segment.side);
        own.flags(segment);
        if segment.tcp.short {
            return;
        }
        let verdict = self.analysis.segment(segment, max_unacked);
        let found = verdict.findings;
        self.progress.segment(segment, found);
        if segment.accepts() && self.progress.offered_data() && self.analysis.covers(segment) {
            self.progress.data_taken();
        }
        let (own, peer) = self.measures.pair_mut(segment.side);
        own.round_trip(verdict.ack_rtt_ns, verdict.rtt_ns);
        own.troubles(segment, found, ecn);
        if segment.tcp.options.sack_count > 0 && segment.reports_duplicate() {
            peer.needless();
        }
        // A repeat within a round trip of the latest segment is out of order by Wireshark's rules, which do not look at SACK.
        let again = found.has(TcpCounter::Retransmission)
            || (found.has(TcpCounter::OutOfOrder) && self.streams.get(segment.side).had(segment));
        if again && !found.has(TcpCounter::SpuriousRetransmission) && !segment.tcp.flags.syn() {
            let circumstance = self.analysis.circumstance(segment, self.progress.selective());
            own.rare().troubles.get_or_insert_default().repeat(&circumstance);
        }
        let repeated = found.has(TcpCounter::Retransmission)
            || found.has(TcpCounter::KeepAlive)
            || found.has(TcpCounter::ZeroWindowProbe);
        if segment.tcp.payload_len > 0 && !repeated {
            if self.spoke == Some(segment.side.other()) {
                let waited = segment.time.nanos_since(self.spoke_at);
                own.rare().response_time.record(i64::try_from(waited).unwrap_or(i64::MAX));
            }
            (self.spoke, self.spoke_at) = (Some(segment.side), segment.time);
        }
    }

    /// How it fares so far.
    pub(crate) fn health(&self) -> Health {
        let mut troubles = TroubleCounts::default();
        for seen in self.measures.both().into_iter().filter_map(Measures::seen_troubles) {
            let seen = &seen.counters;
            let add = |sum: &mut u32, counter| *sum = sum.saturating_add(seen[counter]);
            add(&mut troubles.retransmissions, TcpCounter::Retransmission);
            add(&mut troubles.out_of_order, TcpCounter::OutOfOrder);
            add(&mut troubles.zero_windows, TcpCounter::ZeroWindow);
        }
        troubles.missing_bytes = self.streams.both().iter().map(|s| s.missing()).sum();
        let mut round_trips =
            RoundTrips { sides: self.measures.both().map(Measures::round_trips), handshake_ns: 0 };
        if round_trips.sides.iter().any(|&(_, count)| count == 0) {
            let handshake = self.progress.handshake().and_then(|h| h.rtt_ns);
            round_trips.handshake_ns = handshake.and_then(|ns| u64::try_from(ns).ok()).unwrap_or(0);
        }
        Health { troubles, round_trips }
    }

    /// What went wrong, as far as `state` and `reason`, none while the flow is open, and all else tell.
    pub(crate) fn trouble(&self, state: FlowState, reason: Option<CloseReason>) -> Option<Trouble> {
        let mut sides = PerSide::default();
        for side in [Side::Low, Side::High] {
            let troubles = self.measures.get(side).seen_troubles();
            *sides.get_mut(side) = Symptom {
                retransmissions: troubles.map_or(0, |t| t.counters[TcpCounter::Retransmission]),
                keep_alives: troubles.map_or(0, |t| t.counters[TcpCounter::KeepAlive]),
                goodput: self.streams.get(side).goodput(),
                shut: troubles.is_some_and(Troubles::shut),
                unheard: self.analysis.unheard(side),
            };
        }
        Symptoms { progress: &self.progress, sides, state, reason }.trouble()
    }

    /// Heap memory besides reassembly.
    pub(crate) fn bytes(&self) -> usize {
        let measures = self.measures.both().map(|m| m.bytes() + m.seen_troubles().map_or(0, size_of_val));
        let streams = self.streams.both().map(Stream::bytes);
        self.analysis.bytes() + streams.iter().sum::<usize>() + measures.iter().sum::<usize>()
    }

    /// Writes the figures of what `side` sent into `record`, as of `now`.
    pub(crate) fn fill(&self, side: Side, now: Timestamp, record: &mut DirectionRecord) {
        let (own, stream) = (self.measures.get(side), self.streams.get(side));
        let troubles = own.seen_troubles().copied().unwrap_or_default();
        let first;
        let times = match &own.rare {
            Some(times) => times.as_ref(),
            None => {
                first = own.first_rare();
                &first
            }
        };
        *record = DirectionRecord {
            packets: record.packets,
            data_packets: record.data_packets,
            payload_bytes: record.payload_bytes,
            ip_bytes: record.ip_bytes,
            wire_bytes: record.wire_bytes,
            syn: u64::from(own.syn),
            syn_ack: u64::from(own.syn_ack),
            fin: u64::from(own.fin),
            rst: u64::from(own.rst),
            psh: u64::from(own.psh),
            tcp: troubles.counters,
            zero_window_episodes: u64::from(troubles.zero_window_episodes),
            zero_window_ns: troubles.zero_window_ns(now),
            zero_window_max_ns: troubles.zero_window_max_ns(now),
            ack_rtt: times.ack_rtt.timing(),
            rtt: times.rtt.timing(),
            rtt_latencies: times.rtt.latencies().clone(),
            response_time: times.response_time.timing(),
            goodput_bytes: stream.goodput(),
            missing_bytes: stream.missing(),
            differing_overlaps: u64::from(stream.differing_overlaps()),
            mss: own.mss,
            window_scale: self.analysis.window_scale(side),
        };
    }
}

impl Measures {
    fn round_trip(&mut self, ack_rtt_ns: Option<i64>, rtt_ns: Option<u64>) {
        if ack_rtt_ns.is_none() && rtt_ns.is_none() {
            return;
        }
        if let (None, 0, Some(ns)) = (&self.rare, self.first_rtt_ns, rtt_ns)
            && ack_rtt_ns.and_then(|ack| u64::try_from(ack).ok()) == rtt_ns
        {
            self.first_rtt_ns = ns;
            return;
        }
        let times = self.rare();
        if let Some(ns) = ack_rtt_ns {
            times.ack_rtt.record(ns);
        }
        if let Some(ns) = rtt_ns {
            times.rtt.record(ns);
        }
    }

    fn rare(&mut self) -> &mut Rare {
        if self.rare.is_none() {
            self.rare = Some(Box::new(self.first_rare()));
        }
        self.rare.get_or_insert_default()
    }

    fn first_rare(&self) -> Rare {
        let mut times = Rare::default();
        if self.first_rtt_ns > 0 {
            times.ack_rtt.record(i64::try_from(self.first_rtt_ns).unwrap_or(i64::MAX));
            times.rtt.record(self.first_rtt_ns);
        }
        times
    }

    fn seen_troubles(&self) -> Option<&Troubles> {
        self.rare.as_ref().and_then(|rare| rare.troubles.as_deref())
    }

    /// The other side reports that a segment of this one came twice.
    fn needless(&mut self) {
        if let Some(troubles) = self.rare.as_mut().and_then(|rare| rare.troubles.as_mut()) {
            troubles.needless();
        }
    }

    /// Sum and number of the round-trip times.
    fn round_trips(&self) -> (u64, u32) {
        match &self.rare {
            Some(times) => times.rtt.sum(),
            None => (self.first_rtt_ns, u32::from(self.first_rtt_ns > 0)),
        }
    }

    fn bytes(&self) -> usize {
        self.rare.as_ref().map_or(0, |times| size_of::<Rare>() + times.rtt.bytes())
    }

    fn flags(&mut self, segment: &Segment<'_>) {
        let flags = segment.tcp.flags;
        self.syn += u32::from(segment.opens());
        self.syn_ack += u32::from(segment.accepts());
        self.fin += u32::from(flags.fin());
        self.rst += u32::from(flags.rst());
        self.psh += u32::from(flags.psh());
        if flags.syn() {
            self.mss = segment.tcp.options.mss.or(self.mss);
        }
    }

    fn troubles(&mut self, segment: &Segment<'_>, found: Findings, ecn: u8) {
        let flags = segment.tcp.flags;
        let congested = ecn == 3;
        let signalled = flags.any(TcpFlags::ECE | TcpFlags::CWR) && !flags.syn();
        if self.seen_troubles().is_none() && found.is_empty() && !congested && !signalled {
            return;
        }
        let troubles = self.rare().troubles.get_or_insert_default();
        if !found.is_empty() {
            troubles.count(found, segment);
        }
        troubles.window(segment);
        for (seen, counter) in [
            (congested, TcpCounter::EcnCe),
            (signalled && flags.any(TcpFlags::ECE), TcpCounter::EcnEcho),
            (signalled && flags.any(TcpFlags::CWR), TcpCounter::EcnCwr),
        ] {
            if seen {
                troubles.counters.increment(counter);
            }
        }
    }
}
