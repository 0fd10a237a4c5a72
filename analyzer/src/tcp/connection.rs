//! One TCP connection: its segments go to the analysis, the lifecycle and the measures of each
//! side.

use wire::decode::TcpFlags;
use wire::{Side, Timestamp};

use super::{
    Analysis, Diagnosis, Distribution, Health, Judgement, Lifecycle, Phase, RoundTrip, RoundTrips,
    RttFloor, Samples, Segment, SideCounters, SideState, Stream, TroubleCounts, Verdict,
};
use crate::per_side::PerSide;
use fact::{CloseReason, DirectionRecord, FlowState, RttLeftOutCounts, TcpCounter, Trouble};

/// Congestion Experienced in the ECN field (RFC 3168, section 5).
const ECN_CE: u8 = 0b11;

/// One TCP connection: analysis, measures, lifecycle and streams, but not its application protocol.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) analysis: Analysis,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) streams: PerSide<Stream>,
    measures: PerSide<Measures>,
    /// The side that sent new payload last.
    last_sender: Option<Side>,
    /// When it did.
    last_payload_at: Timestamp,
}

/// Counts and times of one side.
#[derive(Debug, Default)]
struct Measures {
    syn: u32,
    syn_ack: u32,
    fin: u32,
    rst: u32,
    psh: u32,
    mss: Option<u16>,
    /// The only `ack_rtt` and `rtt` in nanoseconds, where there is one of each, both are the same,
    /// and the kernel answered at once, as after a handshake; else 0.
    only_rtt_ns: u64,
    /// Allocated with the first count or time that does not fit above.
    extra: Option<Box<Extra>>,
}

/// What a side never needs that only opened the connection.
#[derive(Debug, Default)]
struct Extra {
    counters: Option<Box<SideCounters>>,
    ack_rtt: Samples,
    rtt: Distribution,
    rtt_floor: RttFloor,
    rtt_left_out: RttLeftOutCounts,
    response_time: Samples,
}

impl Connection {
    /// Counts and times `segment`. `ecn` is the IP header's field. False if its receiver ignores
    /// it.
    pub(crate) fn on_segment(
        &mut self,
        segment: &Segment<'_>,
        ecn: u8,
        max_unacked: usize,
    ) -> bool {
        let own = self.measures.get_mut(segment.side);
        own.count_flags(segment);
        // `short`: the header is longer than its packet; no kernel takes such a segment.
        if segment.tcp.short {
            return false;
        }
        let takes = !segment.tcp.flags.rst() || self.analysis.accepts_rst(segment);
        let verdict = self.analysis.on_segment(segment, max_unacked);
        let found = verdict.findings;
        if !takes {
            self.lifecycle.on_wrong_rst();
        } else if !verdict.copy {
            self.lifecycle.on_segment(segment, found);
        }
        if segment.is_syn_ack()
            && self.lifecycle.has_syn_data()
            && self.analysis.acks_everything(segment)
        {
            self.lifecycle.on_syn_data_accepted();
        }
        let (own, peer) = self.measures.pair_mut(segment.side);
        own.record_rtt(verdict.ack_rtt_ns, verdict.round_trip, segment.time);
        own.count_findings(segment, &verdict, ecn);
        if segment.tcp.options.sack_count > 0 && segment.is_dsack() {
            peer.on_dsack();
        }
        // Wireshark does not look at SACK: within a round trip of the latest segment, a
        // retransmission is out of order to it.
        let retransmitted = found.has(TcpCounter::Retransmission)
            || (found.has(TcpCounter::OutOfOrder)
                && self.streams.get(segment.side).has_delivered(segment));
        if retransmitted
            && !verdict.copy
            && !found.has(TcpCounter::SpuriousRetransmission)
            && !segment.tcp.flags.syn()
        {
            let retransmission =
                self.analysis.retransmission(segment, self.lifecycle.sack_permitted());
            own.extra_mut().counters.get_or_insert_default().count_retransmission(&retransmission);
        }
        let retransmits_or_probes = found.has(TcpCounter::Retransmission)
            || found.has(TcpCounter::KeepAlive)
            || found.has(TcpCounter::ZeroWindowProbe);
        if segment.tcp.payload_len > 0 && !retransmits_or_probes && !verdict.copy {
            if self.last_sender == Some(segment.side.other()) {
                let waited = segment.time.nanos_since(self.last_payload_at);
                own.extra_mut().response_time.record(i64::try_from(waited).unwrap_or(i64::MAX));
            }
            (self.last_sender, self.last_payload_at) = (Some(segment.side), segment.time);
        }
        takes
    }

    /// Whether both sides sent FIN, and one waits for the acknowledgement of what it sent, so that
    /// it repeats its FIN.
    pub(crate) fn is_closing(&self) -> bool {
        let closed = self.lifecycle.phase() == Phase::Closed;
        closed && self.lifecycle.reset_by().is_none() && !self.analysis.all_acked()
    }

    /// Troubles and round-trip times so far.
    pub(crate) fn health(&self) -> Health {
        let mut troubles = TroubleCounts::default();
        for seen in self.measures.both().into_iter().filter_map(Measures::counters) {
            let add = |sum: &mut u32, n: u32| *sum = sum.saturating_add(n);
            add(&mut troubles.retransmissions, seen.retransmissions());
            add(&mut troubles.out_of_order, seen.out_of_order());
            add(&mut troubles.zero_windows, seen.counters[TcpCounter::ZeroWindow]);
        }
        troubles.missing_bytes = self.streams.both().iter().map(|s| s.missing_bytes()).sum();
        let round_trips = RoundTrips { sides: self.measures.both().map(Measures::round_trips) };
        Health { troubles, round_trips }
    }

    /// What went wrong, if anything did. `reason` is none while the flow is open.
    pub(crate) fn trouble(&self, state: FlowState, reason: Option<CloseReason>) -> Option<Trouble> {
        let mut sides = PerSide::default();
        for side in [Side::Low, Side::High] {
            let troubles = self.measures.get(side).counters();
            *sides.get_mut(side) = SideState {
                retransmissions: troubles.map_or(0, SideCounters::retransmissions),
                keep_alives: troubles.map_or(0, |t| t.counters[TcpCounter::KeepAlive]),
                goodput: self.streams.get(side).goodput_bytes(),
                window_closed: troubles.is_some_and(SideCounters::window_closed),
                unacked_retransmits: self.analysis.unacked_retransmits(side),
            };
        }
        Diagnosis { lifecycle: &self.lifecycle, sides, state, reason }.trouble()
    }

    /// Heap memory besides reassembly.
    pub(crate) fn bytes(&self) -> usize {
        let measures =
            self.measures.both().map(|m| m.bytes() + m.counters().map_or(0, size_of_val));
        let streams = self.streams.both().map(Stream::bytes);
        self.analysis.bytes() + streams.iter().sum::<usize>() + measures.iter().sum::<usize>()
    }

    /// Writes the figures of what `side` sent into `record`, as of `now`.
    pub(crate) fn fill(&self, side: Side, now: Timestamp, record: &mut DirectionRecord) {
        let (own, stream) = (self.measures.get(side), self.streams.get(side));
        let troubles = own.counters().copied().unwrap_or_default();
        let only_rtt;
        let extra = match &own.extra {
            Some(extra) => extra.as_ref(),
            None => {
                only_rtt = own.extra_so_far();
                &only_rtt
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
            copies: u64::from(troubles.copies),
            tcp: troubles.counters,
            zero_window_episodes: u64::from(troubles.zero_window_episodes),
            zero_window_ns: troubles.zero_window_ns(now),
            zero_window_max_ns: troubles.zero_window_max_ns(now),
            ack_rtt: extra.ack_rtt.timing(),
            rtt: extra.rtt.timing(),
            rtt_latencies: extra.rtt.latencies().clone(),
            rtt_left_out: extra.rtt_left_out,
            response_time: extra.response_time.timing(),
            goodput_bytes: stream.goodput_bytes(),
            missing_bytes: stream.missing_bytes(),
            differing_overlaps: u64::from(stream.differing_overlaps()),
            mss: own.mss,
            window_scale: self.analysis.window_scale(side),
        };
    }
}

impl Measures {
    /// Records the round-trip times that a segment of this side completes.
    fn record_rtt(&mut self, ack_rtt_ns: Option<i64>, sample: RoundTrip, now: Timestamp) {
        if ack_rtt_ns.is_none() && sample == RoundTrip::Nothing {
            return;
        }
        if let (None, 0, RoundTrip::Prompt(ns)) = (&self.extra, self.only_rtt_ns, sample)
            && ack_rtt_ns.and_then(|ack| u64::try_from(ack).ok()) == Some(ns)
        {
            self.only_rtt_ns = ns;
            return;
        }
        let times = self.extra_mut();
        if let Some(ns) = ack_rtt_ns {
            times.ack_rtt.record(ns);
        }
        match times.rtt_floor.judge(sample, now) {
            Judgement::Nothing => {}
            Judgement::Sample(ns) => times.rtt.record(ns),
            Judgement::LeftOut(reason) => times.rtt_left_out.increment(reason),
        }
    }

    fn extra_mut(&mut self) -> &mut Extra {
        if self.extra.is_none() {
            self.extra = Some(Box::new(self.extra_so_far()));
        }
        self.extra.get_or_insert_default()
    }

    /// What [`Extra`] has to contain when it is allocated.
    fn extra_so_far(&self) -> Extra {
        let mut times = Extra::default();
        if self.only_rtt_ns > 0 {
            times.ack_rtt.record(i64::try_from(self.only_rtt_ns).unwrap_or(i64::MAX));
            times.rtt.record(self.only_rtt_ns);
            times.rtt_floor = RttFloor::of(self.only_rtt_ns);
        }
        times
    }

    fn counters(&self) -> Option<&SideCounters> {
        self.extra.as_ref().and_then(|extra| extra.counters.as_deref())
    }

    /// The other side reports by D-SACK that a segment of this one came twice.
    fn on_dsack(&mut self) {
        if let Some(troubles) = self.extra.as_mut().and_then(|extra| extra.counters.as_mut()) {
            troubles.on_dsack();
        }
    }

    /// Sum and number of the round-trip times.
    fn round_trips(&self) -> (u64, u32) {
        match &self.extra {
            Some(times) => times.rtt.sum(),
            None => (self.only_rtt_ns, u32::from(self.only_rtt_ns > 0)),
        }
    }

    fn bytes(&self) -> usize {
        self.extra.as_ref().map_or(0, |times| size_of::<Extra>() + times.rtt.bytes())
    }

    fn count_flags(&mut self, segment: &Segment<'_>) {
        let flags = segment.tcp.flags;
        self.syn += u32::from(segment.is_syn());
        self.syn_ack += u32::from(segment.is_syn_ack());
        self.fin += u32::from(flags.fin());
        self.rst += u32::from(flags.rst());
        self.psh += u32::from(flags.psh());
        if flags.syn() {
            self.mss = segment.tcp.options.mss.or(self.mss);
        }
    }

    /// Counts what the analysis found, windows and ECN. `ecn` is the IP header's field.
    fn count_findings(&mut self, segment: &Segment<'_>, verdict: &Verdict, ecn: u8) {
        let (found, copy) = (verdict.findings, verdict.copy);
        let flags = segment.tcp.flags;
        let congested = ecn == ECN_CE;
        let signalled = flags.any(TcpFlags::ECE | TcpFlags::CWR) && !flags.syn();
        if self.counters().is_none() && found.is_empty() && !copy && !congested && !signalled {
            return;
        }
        let troubles = self.extra_mut().counters.get_or_insert_default();
        if !found.is_empty() || copy {
            troubles.count_findings(found, segment, copy);
        }
        troubles.update_window(segment);
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
