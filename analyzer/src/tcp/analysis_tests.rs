//! One rule of the analysis after the other, on connections made by hand.

use fact::{RttLeftOut, TcpCounter};
use wire::decode::{Tcp, TcpFlags, TcpOptions};
use wire::{SeqNum, Side, Timestamp};

use super::analysis::Verdict;
use super::{Analysis, Findings, RoundTrip, Segment};

const CLIENT: Side = Side::High;
const SERVER: Side = Side::Low;
const ACK: u8 = TcpFlags::ACK;
const MS: u64 = 1_000_000;

/// A connection after its handshake of 10 ms: the client's next byte is 1001, the server's 5001.
struct Talk {
    analysis: Analysis,
    now: u64,
    window: u16,
}

impl Talk {
    fn new() -> Self {
        Self::with_scales(Some(0), Some(2), 30_000)
    }

    fn with_scales(client: Option<u8>, server: Option<u8>, window: u16) -> Self {
        let mut talk = Self { analysis: Analysis::default(), now: 1_700_000_000_000 * MS, window };
        let options = |window_scale| TcpOptions { window_scale, ..TcpOptions::default() };
        assert_eq!(talk.segment(CLIENT, 1000, 0, TcpFlags::SYN, 0, options(client)), nothing());
        assert_eq!(
            talk.segment(SERVER, 5000, 1001, TcpFlags::SYN | ACK, 0, options(server)),
            nothing()
        );
        talk.now += 8 * MS;
        assert_eq!(talk.client(1001, 0), nothing());
        talk
    }

    fn segment(
        &mut self,
        side: Side,
        seq: u32,
        ack: u32,
        flags: u8,
        len: u32,
        options: TcpOptions,
    ) -> Findings {
        self.verdict(side, seq, ack, flags, len, options).findings
    }

    /// The round-trip time that an acknowledgement of the server gives.
    fn rtt_of_answer(&mut self, ack: u32, options: TcpOptions) -> Option<u64> {
        match self.verdict(SERVER, 5001, ack, ACK, 0, options).round_trip {
            RoundTrip::Prompt(ns) | RoundTrip::LeavesOutNext(ns) | RoundTrip::Unproven(ns) => {
                Some(ns)
            }
            RoundTrip::LeftOut(..) | RoundTrip::Nothing => None,
        }
    }

    fn verdict(
        &mut self,
        side: Side,
        seq: u32,
        ack: u32,
        flags: u8,
        len: u32,
        options: TcpOptions,
    ) -> Verdict {
        self.now += MS;
        let tcp = Tcp {
            seq: SeqNum(seq),
            ack: SeqNum(ack),
            flags: TcpFlags(flags),
            window: if side == SERVER { self.window } else { 1000 },
            options,
            payload_len: len,
            payload: &[],
            short: false,
        };
        let segment = Segment { time: Timestamp::from_nanos(self.now), side, ip_id: 0, tcp: &tcp };
        self.analysis.on_segment(&segment, 100)
    }

    /// The client sends `len` bytes and acknowledges the SYN/ACK only.
    fn client(&mut self, seq: u32, len: u32) -> Findings {
        self.segment(CLIENT, seq, 5001, ACK, len, TcpOptions::default())
    }

    /// The server sends an acknowledgement only.
    fn server(&mut self, ack: u32) -> Findings {
        self.segment(SERVER, 5001, ack, ACK, 0, TcpOptions::default())
    }

    /// The server acknowledges with this window.
    fn opens(&mut self, ack: u32, window: u16) -> Findings {
        self.window = window;
        self.server(ack)
    }
}

impl PartialEq<TcpCounter> for Findings {
    fn eq(&self, only: &TcpCounter) -> bool {
        *self == all(&[*only])
    }
}

fn nothing() -> Findings {
    Findings::default()
}

fn all(list: &[TcpCounter]) -> Findings {
    let mut sum = Findings::default();
    list.iter().for_each(|&finding| sum.add(finding));
    sum
}

#[test]
fn the_last_byte_that_the_scaled_window_takes_fills_it() {
    let mut talk = Talk::new();
    talk.opens(1001, 100);
    assert_eq!(talk.client(1001, 399), nothing());
    assert_eq!(talk.client(1400, 1), TcpCounter::WindowFull);
    // The acknowledgement moves the window.
    assert_eq!(talk.server(1401), nothing());
    assert_eq!(talk.client(1401, 300), nothing());
    assert_eq!(talk.client(1701, 100), TcpCounter::WindowFull);
}

#[test]
fn windows_of_syns_and_those_without_the_option_are_not_scaled() {
    let mut talk = Talk::with_scales(Some(0), Some(2), 100);
    assert_eq!(talk.client(1001, 100), TcpCounter::WindowFull, "the SYN/ACK's window");
    let mut talk = Talk::with_scales(None, None, 200);
    talk.opens(1001, 100);
    assert_eq!(talk.client(1001, 100), TcpCounter::WindowFull);
    let mut unseen = Talk { analysis: Analysis::default(), now: 0, window: 100 };
    unseen.opens(1001, 100);
    assert_eq!(unseen.client(1001, 100), nothing(), "whether the window is scaled is not known");
}

#[test]
fn a_keep_alive_repeats_the_last_byte_or_nothing() {
    for len in [0, 1] {
        let mut talk = Talk::new();
        talk.client(1001, 50);
        talk.server(1051);
        assert_eq!(talk.client(1050, len), TcpCounter::KeepAlive);
        assert_eq!(talk.server(1051), TcpCounter::KeepAliveAck);
        // The same once more without a keep-alive before it is a duplicate.
        assert_eq!(talk.client(1051, 0), TcpCounter::DuplicateAck);
        assert_eq!(talk.server(1051), TcpCounter::DuplicateAck);
    }
    let mut talk = Talk::new();
    talk.client(1001, 50);
    talk.server(1051);
    assert_ne!(talk.client(1049, 2), TcpCounter::KeepAlive, "two bytes are a retransmission");
}

#[test]
fn a_closed_window_is_probed_and_opens_again() {
    let mut talk = Talk::new();
    talk.client(1001, 50);
    assert_eq!(talk.opens(1051, 0), TcpCounter::ZeroWindow);
    assert_eq!(talk.client(1051, 1), TcpCounter::ZeroWindowProbe);
    let answer = all(&[TcpCounter::ZeroWindow, TcpCounter::ZeroWindowProbeAck]);
    assert_eq!(talk.server(1051), answer);
    // A probe takes no sequence number: the next one is a probe again.
    assert_eq!(talk.client(1051, 1), TcpCounter::ZeroWindowProbe);
    assert_eq!(talk.server(1051), answer);
    assert_eq!(talk.client(1051, 0), TcpCounter::DuplicateAck);
    assert_eq!(talk.server(1051), TcpCounter::ZeroWindow, "no probe before it");
    assert_eq!(talk.opens(1051, 100), TcpCounter::WindowUpdate);
    assert_eq!(talk.client(1051, 1), nothing());
}

#[test]
fn a_single_byte_into_an_open_window_is_no_probe() {
    let mut talk = Talk::new();
    talk.opens(1001, 100);
    assert_eq!(talk.client(1001, 1), nothing());
}

/// Three segments on the way, of which the first is lost, with this many duplicate
/// acknowledgements.
fn lost_first(duplicates: u32) -> Talk {
    let mut talk = Talk::new();
    for n in 0..3 {
        assert_eq!(talk.client(1001 + n * 50, 50), nothing());
    }
    for _ in 0..duplicates {
        assert_eq!(talk.server(1001), TcpCounter::DuplicateAck);
    }
    talk
}

#[test]
fn fast_is_what_follows_two_duplicates_within_20_ms() {
    let fast = all(&[TcpCounter::Retransmission, TcpCounter::FastRetransmission]);
    let mut talk = lost_first(2);
    assert_eq!(talk.client(1001, 50), fast);

    let mut talk = lost_first(2);
    talk.now += 18 * MS;
    assert_eq!(talk.client(1001, 50), fast, "after 19 ms");

    let mut talk = lost_first(2);
    talk.now += 19 * MS;
    assert_eq!(talk.client(1001, 50), TcpCounter::Retransmission, "after 20 ms");

    let mut talk = lost_first(2);
    talk.now += 10 * MS;
    assert_eq!(talk.client(1051, 50), TcpCounter::Retransmission, "not what the receiver asks for");
}

#[test]
fn one_duplicate_is_not_enough() {
    let mut talk = lost_first(1);
    assert_eq!(talk.client(1001, 50), TcpCounter::OutOfOrder, "within the initial round-trip time");
    let mut talk = lost_first(1);
    talk.now += 10 * MS;
    assert_eq!(talk.client(1001, 50), TcpCounter::Retransmission);
}

#[test]
fn what_was_acknowledged_already_is_sent_again_for_nothing() {
    let spurious = all(&[TcpCounter::Retransmission, TcpCounter::SpuriousRetransmission]);
    let mut talk = lost_first(2);
    talk.server(1151);
    assert_eq!(talk.client(1001, 50), spurious, "also soon after duplicates");
    assert_eq!(talk.client(1101, 50), spurious);
    talk.now += 1000 * MS;
    assert_eq!(talk.client(1001, 150), spurious);
    assert_eq!(talk.client(1101, 51), TcpCounter::Retransmission, "a byte of it is new");
}

#[test]
fn a_time_out_has_nothing_that_calls_for_it() {
    let mut talk = Talk::new();
    talk.client(1001, 50);
    talk.now += 200 * MS;
    assert_eq!(talk.client(1001, 50), TcpCounter::Retransmission);
}

#[test]
fn holes_are_lost_segments_and_acknowledged_ones_tell_of_the_capture() {
    let mut talk = Talk::new();
    talk.client(1001, 50);
    assert_eq!(talk.client(1101, 50), TcpCounter::LostSegment);
    assert_eq!(talk.server(1151), TcpCounter::AckedLostSegment, "the hole was captured by nobody");
    assert_eq!(talk.server(1300), TcpCounter::AckedLostSegment, "beyond everything sent");
    assert_eq!(talk.server(1400), nothing(), "told once");
}

#[test]
fn another_initial_sequence_number_starts_over() {
    let talk = Talk::new();
    let starts_over = |seq: u32| {
        let tcp = Tcp {
            seq: SeqNum(seq),
            ack: SeqNum(0),
            flags: TcpFlags(TcpFlags::SYN),
            window: 1,
            options: TcpOptions::default(),
            payload_len: 0,
            payload: &[],
            short: false,
        };
        talk.analysis.is_new_connection(CLIENT, &tcp)
    };
    assert!(!starts_over(1000));
    assert!(starts_over(1001));
}

#[test]
fn a_syn_without_the_option_does_not_undo_a_known_window_scale() {
    let mut talk = Talk::new();
    talk.segment(SERVER, 5000, 1001, TcpFlags::SYN | ACK, 0, TcpOptions::default());
    talk.opens(1001, 100);
    talk.client(1001, 0);
    assert_eq!(talk.client(1001, 400), TcpCounter::WindowFull, "scaled by 4, as first told");
}

#[test]
fn a_syn_ack_without_scaling_on_the_other_side_ends_its_own() {
    let mut talk = Talk::with_scales(None, None, 200);
    let scaled = TcpOptions { window_scale: Some(2), ..TcpOptions::default() };
    talk.segment(SERVER, 5000, 1001, TcpFlags::SYN | ACK, 0, scaled);
    assert_eq!(talk.analysis.window_scale(SERVER), None);
    talk.segment(SERVER, 5000, 0, TcpFlags::SYN, 0, scaled);
    assert_eq!(talk.analysis.window_scale(SERVER), Some(2));
    talk.segment(SERVER, 5000, 1001, TcpFlags::SYN | ACK, 0, TcpOptions::default());
    assert_eq!(talk.analysis.window_scale(SERVER), None, "the option is not needed for that");
}

#[test]
fn a_window_scale_in_the_middle_of_a_connection_is_taken_too() {
    let mut talk = Talk::with_scales(None, None, 200);
    let scaled = TcpOptions { window_scale: Some(3), ..TcpOptions::default() };
    talk.segment(SERVER, 5001, 1001, ACK, 0, scaled);
    assert_eq!(talk.client(1001, 200), nothing());
    assert_eq!(talk.client(1201, 1400), TcpCounter::WindowFull);
}

/// A handshake that the capture has in the wrong order: 2 ms pass from the first ACK to the SYN.
fn backwards() -> Talk {
    let mut talk =
        Talk { analysis: Analysis::default(), now: 1_700_000_000_000 * MS, window: 1000 };
    talk.segment(CLIENT, 1000, 0, TcpFlags::SYN, 0, TcpOptions::default());
    talk.now -= 3 * MS;
    talk.client(1001, 0);
    talk.client(1001, 100);
    talk
}

#[test]
fn with_a_negative_initial_round_trip_time_every_later_repeat_is_out_of_order() {
    let mut talk = backwards();
    talk.now += 10_000 * MS;
    assert_eq!(talk.client(1001, 50), TcpCounter::OutOfOrder);
    let mut talk = backwards();
    talk.now -= 2 * MS;
    assert!(talk.client(1001, 50).has(TcpCounter::Retransmission), "1 ms before what it repeats");
    let mut talk = backwards();
    talk.now -= 4 * MS;
    assert_eq!(talk.client(1001, 50), TcpCounter::OutOfOrder, "3 ms before it");
}

#[test]
fn a_syn_at_the_epoch_gives_no_initial_round_trip_time() {
    let mut analysis = Analysis::default();
    let mut send = |ns: u64, seq: u32, flags: u8, payload_len: u32| {
        let (seq, ack, flags, options) =
            (SeqNum(seq), SeqNum(1), TcpFlags(flags), TcpOptions::default());
        let tcp =
            Tcp { seq, ack, flags, window: 1000, options, payload_len, payload: &[], short: false };
        let segment =
            Segment { time: Timestamp::from_nanos(ns), side: CLIENT, ip_id: 0, tcp: &tcp };
        analysis.on_segment(&segment, 100).findings
    };
    send(0, 0, TcpFlags::SYN, 0);
    assert_eq!(send(1_000, 41, ACK, 2), TcpCounter::LostSegment);
    assert_eq!(send(6_000, 1, ACK, 38), TcpCounter::OutOfOrder, "3 ms are allowed, not 1 µs");
}

#[test]
fn a_copy_of_what_was_acknowledged_gives_no_round_trip_time() {
    let mut talk = Talk::new();
    let stamped = |value, echo| TcpOptions {
        timestamps: Some(wire::decode::Timestamps { value, echo }),
        ..TcpOptions::default()
    };
    talk.segment(CLIENT, 1001, 5001, ACK, 50, stamped(7, 1));
    assert_eq!(talk.rtt_of_answer(1051, stamped(2, 7)), Some(MS));
    talk.segment(CLIENT, 1001, 5001, ACK, 50, stamped(7, 1));
    assert_eq!(talk.rtt_of_answer(1051, stamped(2, 7)), None, "the echo is that of the first copy");
}

#[test]
fn an_ack_of_half_the_circle_ahead_acknowledges_what_was_not_seen() {
    let mut talk = Talk::new();
    talk.client(1001, 50);
    assert_eq!(talk.server(1051u32.wrapping_add(1 << 31)), TcpCounter::AckedLostSegment);
    // It does not cover the segment: an ordinary ACK still does.
    assert!(talk.verdict(SERVER, 5001, 1051, ACK, 0, TcpOptions::default()).ack_rtt_ns.is_some());
}

#[test]
fn the_syn_acks_of_a_simultaneous_open_give_no_round_trip_time() {
    let mut talk =
        Talk { analysis: Analysis::default(), now: 1_700_000_000_000 * MS, window: 1000 };
    let stamped = |value, echo| TcpOptions {
        timestamps: Some(wire::decode::Timestamps { value, echo }),
        ..TcpOptions::default()
    };
    // The server's SYN has no ACK flag; its field of 0 lies behind what the client sent, and takes
    // the SYN off the list.
    talk.segment(CLIENT, 3_000_000_000, 0, TcpFlags::SYN, 0, stamped(7, 0));
    talk.segment(SERVER, 1000, 0, TcpFlags::SYN, 0, stamped(9, 0));
    talk.segment(CLIENT, 3_000_000_000, 1001, TcpFlags::SYN | ACK, 0, stamped(7, 9));
    let crossing = talk.verdict(SERVER, 1000, 3_000_000_001, TcpFlags::SYN | ACK, 0, stamped(9, 7));
    let left_out = RoundTrip::LeftOut(RttLeftOut::Retransmitted, None);
    assert_eq!(crossing.round_trip, left_out, "it answers the SYN, not the SYN/ACK it crosses");
}

#[test]
fn the_kernel_answers_syn_syn_ack_and_keep_alive_at_once() {
    let mut talk = Talk { analysis: Analysis::default(), now: 1_700_000_000_000 * MS, window: 1 };
    let options = TcpOptions::default();
    let mut tell =
        |side, seq, ack, flags, len| talk.verdict(side, seq, ack, flags, len, options).round_trip;
    tell(CLIENT, 1000, 0, TcpFlags::SYN, 0);
    assert_eq!(tell(SERVER, 5000, 1001, TcpFlags::SYN | ACK, 0), RoundTrip::Prompt(MS));
    assert_eq!(tell(CLIENT, 1001, 5001, ACK, 0), RoundTrip::Prompt(MS));
    tell(CLIENT, 1001, 5001, ACK, 10);
    assert_eq!(tell(SERVER, 5001, 1011, ACK, 0), RoundTrip::Unproven(MS));
    tell(CLIENT, 1010, 5001, ACK, 0);
    let answer = tell(SERVER, 5001, 1011, ACK, 0);
    assert_eq!(answer, RoundTrip::Nothing, "it may answer something else: the last byte repeated");
    talk.now += 1000 * MS;
    let mut tell =
        |side, seq, ack, flags, len| talk.verdict(side, seq, ack, flags, len, options).round_trip;
    assert_eq!(tell(CLIENT, 1010, 5001, ACK, 0), RoundTrip::Nothing);
    assert_eq!(tell(SERVER, 5001, 1011, ACK, 0), RoundTrip::Prompt(MS), "of the keep-alive");
    for _ in 0..2 {
        talk.now += 1000 * MS;
        talk.verdict(CLIENT, 1010, 5001, ACK, 0, options);
    }
    let answer = talk.verdict(SERVER, 5001, 1011, ACK, 0, options).round_trip;
    assert_eq!(answer, RoundTrip::Nothing, "of one of two");
}

#[test]
fn a_refusal_is_as_prompt_as_a_handshake() {
    let mut talk = Talk { analysis: Analysis::default(), now: 1_700_000_000_000 * MS, window: 1 };
    let options = TcpOptions::default();
    talk.verdict(CLIENT, 1000, 0, TcpFlags::SYN, 0, options);
    let refusal = talk.verdict(SERVER, 0, 1001, TcpFlags::RST | ACK, 0, options);
    assert_eq!(refusal.round_trip, RoundTrip::Prompt(MS));
}

#[test]
fn what_an_application_sends_gives_no_round_trip_time() {
    let options = TcpOptions::default();
    for (flags, len, reason) in [
        (ACK, 5, RttLeftOut::WithPayload),
        (TcpFlags::FIN | ACK, 5, RttLeftOut::WithPayload),
        (TcpFlags::FIN | ACK, 0, RttLeftOut::Closing),
        (TcpFlags::RST | ACK, 0, RttLeftOut::Closing),
    ] {
        let mut talk = Talk::new();
        talk.client(1001, 50);
        talk.now += 100 * MS;
        let answer = talk.verdict(SERVER, 5001, 1051, flags, len, options);
        assert_eq!(answer.ack_rtt_ns, Some(101 * MS as i64), "Wireshark's");
        assert_eq!(answer.round_trip, RoundTrip::LeftOut(reason, Some(101 * MS)));
    }
    // Payload of the client with the ACK of the SYN/ACK: it may have waited for its application.
    let mut talk = Talk { analysis: Analysis::default(), now: 1_700_000_000_000 * MS, window: 1 };
    talk.verdict(CLIENT, 1000, 0, TcpFlags::SYN, 0, options);
    talk.verdict(SERVER, 5000, 1001, TcpFlags::SYN | ACK, 0, options);
    let first = talk.verdict(CLIENT, 1001, 5001, ACK, 7, options);
    assert_eq!(first.round_trip, RoundTrip::LeftOut(RttLeftOut::WithPayload, Some(MS)));
}

#[test]
fn an_ack_is_prompt_if_the_next_segment_had_not_arrived() {
    let options = TcpOptions::default();
    let mut talk = Talk::new();
    talk.client(1001, 50);
    talk.client(1051, 50);
    talk.now += 18 * MS;
    let answer = talk.verdict(SERVER, 5001, 1051, ACK, 0, options);
    assert_eq!(
        answer.round_trip,
        RoundTrip::LeavesOutNext(20 * MS),
        "the next one came 1 ms later"
    );
    let answer = talk.verdict(SERVER, 5001, 1101, ACK, 0, options);
    assert_eq!(answer.round_trip, RoundTrip::Unproven(20 * MS), "nothing more is on the way");

    let mut talk = Talk::new();
    talk.client(1001, 50);
    talk.now += 18 * MS;
    talk.client(1051, 50);
    let answer = talk.verdict(SERVER, 5001, 1051, ACK, 0, options);
    assert_eq!(answer.round_trip, RoundTrip::Unproven(20 * MS), "a delayed one looks the same");

    // The next one is lost, and what came after it is reported.
    let mut talk = Talk::new();
    (0..3).for_each(|n| _ = talk.client(1001 + n * 50, 50));
    let sack = TcpOptions { sack: [(SeqNum(1101), SeqNum(1151)); 4], sack_count: 1, ..options };
    let answer = talk.verdict(SERVER, 5001, 1051, ACK, 0, sack);
    assert_eq!(answer.round_trip, RoundTrip::Unproven(3 * MS));
}

/// A late ACK of fewer bytes does not make what was acknowledged before it fresh again.
#[test]
fn a_copy_of_what_was_acknowledged_gives_no_round_trip_time_after_a_late_ack_either() {
    let mut talk = Talk::new();
    let stamped = |value, echo| TcpOptions {
        timestamps: Some(wire::decode::Timestamps { value, echo }),
        ..TcpOptions::default()
    };
    talk.segment(CLIENT, 1001, 5001, ACK, 1, stamped(7, 1));
    talk.segment(CLIENT, 1002, 5001, ACK, 2, stamped(7, 1));
    talk.rtt_of_answer(1004, stamped(2, 7));
    talk.rtt_of_answer(1002, stamped(2, 7));
    talk.segment(CLIENT, 1002, 5001, ACK, 2, stamped(9, 1));
    assert_eq!(talk.rtt_of_answer(1004, stamped(3, 9)), None);
}

/// The receiver echoes the timestamp of the first of them, which it did not need.
#[test]
fn two_copies_with_one_timestamp_give_no_round_trip_time_if_one_was_acknowledged() {
    let mut talk = Talk::new();
    let stamped = |value, echo| TcpOptions {
        timestamps: Some(wire::decode::Timestamps { value, echo }),
        ..TcpOptions::default()
    };
    (1001..1004).for_each(|seq| _ = talk.segment(CLIENT, seq, 5001, ACK, 1, stamped(7, 1)));
    talk.rtt_of_answer(1002, stamped(2, 7));
    talk.segment(CLIENT, 1001, 5001, ACK, 1, stamped(9, 1));
    talk.segment(CLIENT, 1002, 5001, ACK, 1, stamped(9, 1));
    assert_eq!(talk.rtt_of_answer(1004, stamped(3, 9)), None);
}

#[test]
fn an_ack_from_half_the_circle_away_covers_the_last_segment_and_not_the_first() {
    let mut talk = Talk::new();
    talk.client(1001, 1);
    talk.client(1002, 5000);
    let far = 6002u32.wrapping_sub(1 << 31).wrapping_sub(1);
    talk.segment(SERVER, 5001, far, ACK, 0, TcpOptions::default());
    let covered = |talk: &mut Talk, ack| {
        talk.verdict(SERVER, 5001, ack, ACK, 0, TcpOptions::default()).ack_rtt_ns
    };
    assert!(covered(&mut talk, 1002).is_some());
    assert!(covered(&mut talk, 6002).is_none(), "forgotten");
}
