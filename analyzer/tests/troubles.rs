//! What went wrong with a connection, by name: constructed segments, one story a test.

mod packets;

use analyzer::{Analyzer, Config};
use fact::TcpCounter::{self, *};
use fact::{CloseReason, FlowRecord, FlowState, Notes, RttLeftOut, Trouble};
use fact::{DirectionRecord, Fact, Sink};
use packets::Given;
use wire::{LinkType, RawFrame, TapId, Timestamp};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const PSH: u8 = 0x18;
const FIN: u8 = 0x11;
const RST: u8 = 0x04;
const RST_ACK: u8 = 0x14;
const MS: u64 = 1_000_000;
const START: u64 = 1_700_000_000_000_000_000;
/// SACK permitted.
const SACK_OK: &[u8] = &[4, 2, 1, 1];

#[derive(Default)]
struct Closed(Vec<FlowRecord>);

impl Sink for Closed {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::FlowClosed(record) = fact {
            self.0.push(record.clone());
        }
    }
}

/// A connection from port 40000 to port 80; the client's numbers start at 1000, the server's at
/// 5000.
#[derive(Clone, Default)]
struct Story {
    frames: Vec<(u64, Vec<u8>)>,
    now: u64,
    options: &'static [u8],
}

impl Story {
    fn new() -> Self {
        Self::default()
    }

    /// After a handshake of 2 ms.
    fn established() -> Self {
        Self::new().shaken()
    }

    fn selective() -> Self {
        let story = Self { options: SACK_OK, ..Self::default() };
        Self { options: &[], ..story.shaken() }
    }

    fn shaken(self) -> Self {
        self.c(SYN, 0, 0, 0).s(SYN_ACK, 0, 1, 0).c(ACK, 1, 1, 0)
    }

    fn add(mut self, given: Given<'_>) -> Self {
        self.now += 1;
        self.frames.push((self.now, packets::given(given)));
        self
    }

    /// A segment of the client, a millisecond after the one before; numbers count from the initial
    /// ones.
    fn c(self, flags: u8, seq: u32, ack: u32, len: usize) -> Self {
        let (options, payload) = (self.options, vec![b'c'; len]);
        let ack = if flags & ACK == 0 { 0 } else { 5000 + ack };
        self.add(Given {
            ports: (40_000, 80),
            seq: 1000 + seq,
            ack,
            flags,
            window: 1000,
            options,
            payload: &payload,
        })
    }

    /// A segment of the server.
    fn s(self, flags: u8, seq: u32, ack: u32, len: usize) -> Self {
        self.s_with(flags, seq, ack, len, 1000, &[])
    }

    fn s_with(
        self,
        flags: u8,
        seq: u32,
        ack: u32,
        len: usize,
        window: u16,
        options: &[u8],
    ) -> Self {
        let payload = vec![b's'; len];
        let options = if self.options.is_empty() { options } else { self.options };
        let ack = if flags & ACK == 0 { 0 } else { 1000 + ack };
        self.add(Given {
            ports: (80, 40_000),
            seq: 5000 + seq,
            ack,
            flags,
            window,
            options,
            payload: &payload,
        })
    }

    fn wait(mut self, ms: u64) -> Self {
        self.now += ms;
        self
    }

    /// All records, after the story and `ms` of nothing.
    fn all_after(self, ms: u64) -> Vec<FlowRecord> {
        let (mut analyzer, mut sink) = (Analyzer::new(Config::default()), Closed::default());
        for (number, (at, bytes)) in (1..).zip(&self.frames) {
            let frame = RawFrame {
                time: Timestamp::from_nanos(START + at * MS),
                tap: TapId(0),
                link_type: LinkType::Ethernet,
                wire_len: bytes.len() as u32,
                vlan: None,
                bytes,
            };
            analyzer.frame(number, &frame, &mut sink);
        }
        analyzer.tick(Timestamp::from_nanos(START + (self.now + ms) * MS), &mut sink);
        analyzer.finish(&mut sink);
        sink.0
    }

    fn record(self) -> FlowRecord {
        let mut all = self.all_after(0);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn trouble(self) -> Option<Trouble> {
        self.record().trouble
    }

    fn notes(self) -> Vec<&'static str> {
        self.record().notes.names().collect()
    }
}

fn counts<const N: usize>(record: &DirectionRecord, counters: [TcpCounter; N]) -> [u32; N] {
    counters.map(|counter| record.tcp[counter])
}

#[test]
fn a_connection_that_went_well_has_no_trouble() {
    let story =
        Story::established().c(PSH, 1, 1, 10).s(PSH, 1, 11, 20).c(FIN, 11, 21, 0).s(FIN, 21, 12, 0);
    let record = story.c(ACK, 12, 22, 0).record();
    assert_eq!(
        (record.trouble, record.notes, record.state),
        (None, Notes::default(), FlowState::Closed)
    );
}

#[test]
fn handshakes_that_fail() {
    let syn = || Story::new().c(SYN, 0, 0, 0);
    assert_eq!(syn().wait(1000).c(SYN, 0, 0, 0).trouble(), Some(Trouble::SynUnanswered));
    let unanswered = syn().s(SYN_ACK, 0, 1, 0).wait(1000).s(SYN_ACK, 0, 1, 0).all_after(200_000);
    assert_eq!(unanswered[0].trouble, Some(Trouble::SynAckUnanswered));
    assert_eq!(syn().s(RST_ACK, 0, 1, 0).trouble(), Some(Trouble::Refused));
    assert_eq!(
        syn().s(SYN_ACK, 0, 1, 0).c(RST, 1, 0, 0).trouble(),
        Some(Trouble::HandshakeAborted)
    );
    let stale = syn().s(ACK, 90_000, 70_000, 0).c(RST, 70_000, 0, 0).record();
    assert_eq!(
        (stale.trouble, stale.state),
        (Some(Trouble::StalePeer), FlowState::HandshakeFailed)
    );
}

#[test]
fn a_full_accept_queue_repeats_its_syn_ack_or_ignores_data() {
    let again = Story::established().wait(1000).s(SYN_ACK, 0, 1, 0).c(ACK, 1, 1, 0);
    assert_eq!(again.trouble(), Some(Trouble::AcceptQueueFull));
    let crossing =
        Story::new().c(SYN, 0, 0, 0).s(SYN_ACK, 0, 1, 0).c(ACK, 1, 1, 0).s(SYN_ACK, 0, 1, 0);
    assert_eq!(crossing.trouble(), None, "a copy that was on the way");
    let ignored = |repeats| {
        let said = Story::established().c(PSH, 1, 1, 100);
        (0..repeats).fold(said, |story, n| story.wait(200 << n).c(PSH, 1, 1, 100))
    };
    assert_eq!(ignored(1).trouble(), None);
    assert_eq!(ignored(2).trouble(), Some(Trouble::AcceptQueueFull));
    assert_eq!(
        ignored(2).s(ACK, 1, 101, 0).s(PSH, 1, 101, 10).trouble(),
        None,
        "it was the network"
    );
}

#[test]
fn resets_before_between_and_after_data() {
    let up = Story::established;
    assert_eq!(up().s(RST_ACK, 1, 1, 0).trouble(), Some(Trouble::ResetBeforeData));
    let unanswered = up().c(PSH, 1, 1, 10).s(RST, 1, 0, 0).record();
    assert_eq!(
        (unanswered.trouble, unanswered.close_reason),
        (Some(Trouble::ResetUnanswered), Some(CloseReason::ServerReset))
    );
    let midway = || up().c(PSH, 1, 1, 10).s(PSH, 1, 11, 10);
    assert_eq!(midway().c(RST, 11, 0, 0).trouble(), Some(Trouble::ResetMidway));
    assert_eq!(midway().c(FIN, 11, 11, 0).s(RST, 11, 0, 0).trouble(), Some(Trouble::ResetAfterFin));
    let clean = midway().c(FIN, 11, 11, 0).s(FIN, 11, 12, 0).c(RST, 12, 0, 0).record();
    assert_eq!((clean.trouble, clean.close_reason), (None, Some(CloseReason::Fin)));
    assert_eq!(midway().s(RST_ACK, 11, 11, 40).notes(), ["reset_with_data"]);
}

#[test]
fn a_reset_after_which_both_sides_go_on_was_in_vain() {
    let forged = || Story::established().c(PSH, 1, 1, 10).s(RST, 900, 0, 0);
    let record = forged().s(ACK, 1, 11, 0).s(PSH, 1, 11, 10).c(ACK, 11, 11, 0).record();
    assert_eq!((record.state, record.close_reason), (FlowState::Open, Some(CloseReason::InputEnd)));
    assert!(record.notes.has(Notes::RESET_IGNORED));
    let late = forged().c(PSH, 11, 1, 10).c(PSH, 21, 1, 10).s(ACK, 1, 11, 0).record();
    assert_eq!((late.state, late.trouble), (FlowState::Reset, Some(Trouble::ResetUnanswered)));
}

#[test]
fn what_stays_unfinished() {
    let up = Story::established;
    let silent =
        up().c(PSH, 1, 1, 10).s(ACK, 1, 11, 0).c(PSH, 11, 1, 10).wait(200).c(PSH, 11, 1, 10);
    let silent = silent.wait(400).c(PSH, 11, 1, 10).wait(800).c(PSH, 11, 1, 10);
    assert_eq!(silent.trouble(), Some(Trouble::PeerSilent));
    let shut = up().c(PSH, 1, 1, 10).s_with(ACK, 1, 11, 0, 0, &[]);
    assert_eq!(shut.trouble(), Some(Trouble::WindowShut));
    let half = up().c(FIN, 1, 1, 0).s(ACK, 1, 2, 0).record();
    assert_eq!((half.trouble, half.state), (Some(Trouble::HalfClosed), FlowState::HalfClosed));
    let alive = up()
        .wait(60_000)
        .c(ACK, 0, 1, 0)
        .s(ACK, 1, 1, 0)
        .wait(60_000)
        .c(ACK, 0, 1, 0)
        .s(ACK, 1, 1, 0);
    assert_eq!(alive.trouble(), Some(Trouble::KeepAliveOnly));
    let idle = up().c(PSH, 1, 1, 10).s(PSH, 1, 11, 10).all_after(3_700_000).remove(0);
    assert_eq!((idle.trouble, idle.state), (Some(Trouble::Idle), FlowState::TimedOut));
    let open = up().c(PSH, 1, 1, 10).s(PSH, 1, 11, 10);
    assert_eq!(open.trouble(), None);
}

#[test]
fn ports_are_reused_after_an_end_or_without_one() {
    let again = |story: Story| story.c(SYN, 70_000, 0, 0).all_after(0);
    let reused = again(Story::established().c(PSH, 1, 1, 10));
    assert_eq!(
        (reused[0].trouble, reused[0].close_reason),
        (Some(Trouble::PortReused), Some(CloseReason::PortReused))
    );
    assert_eq!(reused[1].notes, Notes::default());
    let ended = Story::established().c(FIN, 1, 1, 0).s(FIN, 1, 2, 0).c(ACK, 2, 2, 0);
    let reused = again(ended);
    assert_eq!((reused[0].trouble, reused[0].close_reason), (None, Some(CloseReason::Fin)));
    assert_eq!(reused[1].notes, Notes::TIME_WAIT_REUSE);
}

#[test]
fn ways_to_open() {
    let both = || Story::new().c(SYN, 0, 0, 0).s(SYN, 0, 0, 0);
    let crossed =
        both().c(SYN_ACK, 0, 1, 0).s(SYN_ACK, 0, 1, 0).c(PSH, 1, 1, 10).s(ACK, 1, 11, 0).record();
    assert_eq!((crossed.notes, crossed.trouble), (Notes::SIMULTANEOUS_OPEN, None));
    assert_eq!((crossed.state, crossed.client.port), (FlowState::Open, 40_000));
    assert!(crossed.handshake.unwrap().complete);
    let split = Story::new().c(SYN, 0, 0, 0).s(SYN, 0, 0, 0).c(SYN_ACK, 0, 1, 0).s(ACK, 1, 1, 0);
    let split = split.record();
    assert_eq!((split.notes, split.trouble), (Notes::SPLIT_HANDSHAKE, None));
    assert_eq!((split.state, split.client.port), (FlowState::Open, 40_000));
    let taken = Story::new().c(SYN, 0, 0, 50).s(SYN_ACK, 0, 51, 0).c(ACK, 51, 1, 0).record();
    assert_eq!((taken.notes, taken.directions.to_server.goodput_bytes), (Notes::FAST_OPEN, 50));
    let refused = Story::new()
        .c(SYN, 0, 0, 50)
        .s(SYN_ACK, 0, 1, 0)
        .c(PSH, 1, 1, 50)
        .s(ACK, 1, 51, 0)
        .record();
    assert_eq!(
        (refused.notes, refused.directions.to_server.goodput_bytes),
        (Notes::FAST_OPEN_REFUSED, 50)
    );
}

#[test]
fn acks_that_answer_acks_are_a_storm() {
    let desynchronised = Story::established().c(PSH, 1, 1, 10).s(ACK, 1, 11, 0);
    let storm =
        |n| (0..n).fold(desynchronised.clone(), |story, _| story.c(ACK, 11, 1, 0).s(ACK, 1, 11, 0));
    assert_eq!(storm(4).trouble(), None);
    let record = storm(20).record();
    assert_eq!((record.trouble, record.notes), (Some(Trouble::AckStorm), Notes::ACK_STORM));
    let duplicates =
        [&record.directions.to_server, &record.directions.to_client].map(|d| d.tcp[DuplicateAck]);
    assert_eq!(duplicates.iter().sum::<u32>(), 40);
}

#[test]
fn repeats_by_what_they_are_for() {
    // Four segments, the first lost behind the tap; SACK calls for it, and again in vain until the
    // timer.
    let sack: &[u8] = &[1, 1, 5, 10, 0, 0, 4, 77, 0, 0, 5, 121];
    let mut story = Story::selective();
    for n in 0..4 {
        story = story.c(PSH, 1 + n * 100, 1, 100);
    }
    for _ in 0..3 {
        story = story.s_with(ACK, 1, 1, 0, 1000, sack);
    }
    story = story.wait(30).c(PSH, 1, 1, 100).wait(400).c(PSH, 1, 1, 100);
    let up = story.s(ACK, 1, 401, 0).wait(50).record().directions.to_server;
    assert_eq!(
        counts(&up, [Retransmission, RecoveryRetransmission, TimeoutRetransmission]),
        [2, 0, 2]
    );

    let mut story = Story::selective();
    for n in 0..4 {
        story = story.c(PSH, 1 + n * 100, 1, 100);
    }
    for _ in 0..3 {
        story = story.s_with(ACK, 1, 1, 0, 1000, sack);
    }
    story = story.wait(1).c(PSH, 1, 1, 100).s(ACK, 1, 401, 0);
    // The tail is lost: a probe, then the timer.
    story = story.c(PSH, 401, 1, 100).wait(210).c(PSH, 401, 1, 100).wait(220).c(PSH, 401, 1, 100);
    let record = story.s(ACK, 1, 501, 0).record();
    let up = &record.directions.to_server;
    assert_eq!(
        counts(up, [RecoveryRetransmission, TailLossProbe, TimeoutRetransmission]),
        [1, 1, 1]
    );
    assert_eq!(counts(up, [Retransmission, FastRetransmission, DsackRetransmission]), [3, 1, 0]);
}

/// Count, smallest and largest `rtt` in milliseconds, and what was left out.
fn rtt(direction: &DirectionRecord) -> (u64, i64, i64, Vec<(RttLeftOut, u32)>) {
    let left_out = direction.rtt_left_out.iter().filter(|&(_, count)| count > 0).collect();
    let ms = MS as i64;
    (direction.rtt.count, direction.rtt.min_ns / ms, direction.rtt.max_ns / ms, left_out)
}

#[test]
fn a_syn_that_was_sent_again_gives_no_round_trip_time_but_was_waited_for() {
    let story = Story::new().c(SYN, 0, 0, 0).wait(999).c(SYN, 0, 0, 0).s(SYN_ACK, 0, 1, 0);
    let record = story.c(ACK, 1, 1, 0).record();
    let handshake = record.handshake.unwrap_or_default();
    let halves = (handshake.server_rtt_ns, handshake.client_rtt_ns, handshake.rtt_ns());
    assert_eq!(halves, (None, Some(MS as i64), None));
    assert_eq!((handshake.complete, handshake.connect_ns), (true, Some(1002 * MS)));
    assert_eq!(handshake.syn_to_syn_ack_ns, Some(1001 * MS as i64), "as captured");
    let retransmitted = vec![(RttLeftOut::Retransmitted, 1)];
    assert_eq!(rtt(&record.directions.to_client), (0, 0, 0, retransmitted));
    assert_eq!(rtt(&record.directions.to_server), (1, 1, 1, Vec::new()));

    let story = Story::new().c(SYN, 0, 0, 0).s(SYN_ACK, 0, 1, 0).wait(999).s(SYN_ACK, 0, 1, 0);
    let handshake = story.c(ACK, 1, 1, 0).record().handshake.unwrap_or_default();
    let halves = (handshake.server_rtt_ns, handshake.client_rtt_ns, handshake.rtt_ns());
    assert_eq!(halves, (Some(MS as i64), None, None));
    assert_eq!(handshake.connect_ns, Some(1002 * MS));

    let story = Story::new().c(SYN, 0, 0, 0).s(SYN_ACK, 0, 1, 0).wait(500).c(PSH, 1, 1, 10);
    let handshake = story.record().handshake.unwrap_or_default();
    assert_eq!(handshake.client_rtt_ns, None, "the client waited for its application");
    assert_eq!(handshake.connect_ns, Some(502 * MS));
}

#[test]
fn the_time_of_applications_is_no_round_trip_time() {
    let mut story = Story::established();
    for n in 0..10 {
        story = story.c(PSH, 1 + n, 1 + n, 1).wait(100).s(PSH, 1 + n, 2 + n, 1);
    }
    let record = story.wait(40).c(ACK, 11, 11, 0).record();
    let (up, down) = (&record.directions.to_server, &record.directions.to_client);
    assert_eq!(rtt(down), (1, 1, 1, vec![(RttLeftOut::WithPayload, 10)]));
    let client = vec![(RttLeftOut::WithPayload, 9), (RttLeftOut::Delayed, 1)];
    assert_eq!(rtt(up), (1, 1, 1, client), "the last ACK was delayed");
    assert_eq!(down.ack_rtt.count, 11, "Wireshark's are all there");

    // The same without its handshake: nothing is known of the network.
    let mut midway = Story { now: 10, ..Story::default() };
    for n in 0..10 {
        midway = midway.c(PSH, 1 + n, 1 + n, 1).wait(100).s(PSH, 1 + n, 2 + n, 1);
    }
    let record = midway.c(ACK, 11, 11, 0).record();
    let client = vec![(RttLeftOut::WithPayload, 9), (RttLeftOut::Undecided, 1)];
    assert_eq!(rtt(&record.directions.to_server), (0, 0, 0, client));
}

#[test]
fn a_transfer_has_round_trip_times_without_its_handshake() {
    let mut story = Story { now: 10, ..Story::default() };
    // A window of 40 segments: each ACK covers two, the others are on the way.
    let mut sent = 0;
    for n in 0..40 {
        while sent < 2 * n + 40 {
            story = story.c(ACK, 1 + sent * 100, 1, 100);
            sent += 1;
        }
        story = story.wait(20).s(ACK, 1, 1 + (n + 1) * 200, 0);
    }
    let down = story.record().directions.to_client;
    assert!(down.rtt.count > 35, "{:?} {:?}", down.rtt, down.rtt_left_out);
}

#[test]
fn a_receiver_that_had_the_bytes_says_so() {
    // DSACK of 1001 to 1101, below the acknowledgement.
    let dsack: &[u8] = &[1, 1, 5, 10, 0, 0, 3, 0xe9, 0, 0, 4, 0x4d];
    let story = Story::selective().c(PSH, 1, 1, 100).wait(210).c(PSH, 1, 1, 100).s(ACK, 1, 101, 0);
    let up = story.s_with(ACK, 1, 101, 0, 1000, dsack).record().directions.to_server;
    assert_eq!(counts(&up, [TailLossProbe, DsackRetransmission]), [1, 1]);
    let doubled = Story::selective().c(PSH, 1, 1, 100).s_with(ACK, 1, 101, 0, 1000, dsack).record();
    assert_eq!(doubled.directions.to_server.tcp[DsackRetransmission], 0, "the network doubled it");
}

#[test]
fn a_hole_gives_no_round_trip_time_to_what_came_behind_it() {
    // 1001..1101 is lost before the tap: what follows waits in the receiver until the repeat comes.
    let sack: &[u8] = &[1, 1, 5, 10, 0, 0, 4, 0x4d, 0, 0, 4, 0xb1];
    let story = Story::selective().c(PSH, 101, 1, 100).s_with(ACK, 1, 1, 0, 1000, sack);
    let record = story.wait(300).c(PSH, 1, 1, 100).s(ACK, 1, 201, 0).record();
    let down = &record.directions.to_client;
    assert_eq!((down.rtt.count, down.rtt.max_ns), (1, 1_000_000), "of the handshake only");
}

#[test]
fn closed_windows_come_in_episodes() {
    let shut = |story: Story, ack| story.s_with(ACK, 1, ack, 0, 0, &[]);
    let story = shut(Story::established().c(PSH, 1, 1, 10), 11).wait(499).s(ACK, 1, 11, 0);
    let story = shut(story.c(PSH, 11, 1, 10), 21).wait(100).s_with(FIN, 1, 21, 0, 0, &[]).wait(98);
    let down = story.s(ACK, 2, 21, 0).record().directions.to_client;
    assert_eq!((down.tcp[ZeroWindow], down.zero_window_episodes), (2, 2));
    assert_eq!((down.zero_window_ns, down.zero_window_max_ns), (700 * MS, 500 * MS));
}

#[test]
fn congestion_is_marked_echoed_and_answered() {
    const ECE: u8 = 0x40;
    const CWR: u8 = 0x80;
    let mut story = Story::established().c(PSH, 1, 1, 10);
    if let Some((_, frame)) = story.frames.last_mut() {
        frame[15] |= 3;
    }
    let record =
        story.s(ACK | ECE, 1, 11, 0).s(ACK | ECE, 1, 11, 0).c(PSH | CWR, 11, 1, 10).record();
    let (up, down) = (&record.directions.to_server, &record.directions.to_client);
    assert_eq!(counts(up, [EcnCe, EcnCwr, EcnEcho]), [1, 1, 0]);
    assert_eq!(counts(down, [EcnCe, EcnCwr, EcnEcho]), [0, 0, 2]);
    let asked = Story::new().c(SYN | ECE | CWR, 0, 0, 0).record();
    assert_eq!(counts(&asked.directions.to_server, [EcnEcho, EcnCwr]), [0, 0]);
}
