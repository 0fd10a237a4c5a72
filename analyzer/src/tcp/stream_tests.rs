//! Reassembly: holes, overlaps, limits, and any order of segments against a model.

use proptest::prelude::*;
use wire::decode::{Tcp, TcpFlags, TcpOptions};
use wire::{SeqNum, Side, Timestamp};

use super::{Budget, Chunk, Reassembled, Segment, Stream};
use crate::config::ReassemblyLimits;

/// A stream with what came out of it.
struct Feed {
    stream: Stream,
    limits: ReassemblyLimits,
    used: usize,
    data: Vec<u8>,
    gaps: Vec<(u64, u64)>,
    next: u64,
    ended: bool,
    forced: u64,
}

impl Feed {
    fn new() -> Self {
        Self::with(ReassemblyLimits::default())
    }

    fn with(limits: ReassemblyLimits) -> Self {
        Self {
            stream: Stream::default(),
            limits,
            used: 0,
            data: Vec::new(),
            gaps: Vec::new(),
            next: 0,
            ended: false,
            forced: 0,
        }
    }

    fn call(
        &mut self,
        f: impl FnOnce(&mut Stream, &mut Budget<'_>, &mut dyn FnMut(Chunk<'_>)) -> Reassembled,
    ) {
        let (data, gaps, next) = (&mut self.data, &mut self.gaps, &mut self.next);
        let mut budget = Budget { limits: &self.limits, used: &mut self.used };
        let mut out = |chunk: Chunk<'_>| match chunk {
            Chunk::Data { offset, bytes, .. } => {
                assert_eq!(offset, *next, "chunks follow each other");
                assert!(!bytes.is_empty());
                *next += bytes.len() as u64;
                data.extend_from_slice(bytes);
            }
            Chunk::Gap { offset, len, .. } => {
                assert_eq!(offset, *next, "gaps follow chunks");
                *next += len;
                gaps.push((offset, len));
            }
        };
        let reassembled = f(&mut self.stream, &mut budget, &mut out);
        self.ended |= reassembled.finished;
        self.forced += reassembled.holes_dropped;
        assert_eq!(self.used, self.stream.queued_bytes());
    }

    fn cut(&mut self, at: u64, seq: u32, flags: u8, payload: &[u8], len: u32) {
        let tcp = Tcp {
            seq: SeqNum(seq),
            ack: SeqNum(0),
            flags: TcpFlags(flags),
            window: 1000,
            options: TcpOptions::default(),
            payload_len: len,
            payload,
            short: false,
        };
        let segment =
            Segment { time: Timestamp::from_nanos(at), side: Side::Low, ip_id: 0, tcp: &tcp };
        self.call(|stream, budget, mut out| stream.on_segment(&segment, true, budget, &mut out));
    }

    /// Takes a segment whose payload nobody wants.
    fn unwanted(&mut self, seq: u32, payload: &[u8], len: u32) {
        let tcp = Tcp {
            seq: SeqNum(seq),
            ack: SeqNum(0),
            flags: TcpFlags(TcpFlags::ACK),
            window: 1000,
            options: TcpOptions::default(),
            payload_len: len,
            payload,
            short: false,
        };
        let segment =
            Segment { time: Timestamp::from_nanos(0), side: Side::Low, ip_id: 0, tcp: &tcp };
        self.stream.on_segment(
            &segment,
            false,
            &mut Budget { limits: &self.limits, used: &mut self.used },
            &mut |_| {},
        );
    }

    fn segment(&mut self, seq: u32, flags: u8, payload: &[u8]) {
        self.cut(0, seq, flags, payload, payload.len() as u32);
    }

    fn on_ack(&mut self, at: u64, ack: u32, answered: bool) {
        let time = Timestamp::from_nanos(at);
        self.call(|stream, budget, mut out| {
            stream.on_ack(SeqNum(ack), time, answered, budget, &mut out)
        });
    }
}

const MS: u64 = 1_000_000;

#[test]
fn the_first_copy_wins_and_differing_ones_are_counted() {
    let mut feed = Feed::new();
    feed.segment(99, TcpFlags::SYN, b"");
    feed.segment(104, 0, b"EFGH");
    feed.segment(100, 0, b"abcdefxy");
    feed.segment(108, 0, b"ij");
    feed.segment(100, 0, b"ABCD");
    assert_eq!(feed.data, b"abcdEFGHij");
    assert_eq!(feed.stream.differing_overlaps(), 1);
    assert_eq!(feed.stream.goodput_bytes(), 10);
}

#[test]
fn a_segment_that_covers_several_held_ones_fills_only_what_is_missing() {
    let mut feed = Feed::new();
    feed.segment(0, 0, b"0");
    feed.segment(3, 0, b"3");
    feed.segment(6, 0, b"6");
    feed.segment(2, 0, b"234567");
    feed.segment(1, 0, b"1");
    assert_eq!(feed.data, b"01234567");
    assert_eq!((feed.stream.goodput_bytes(), feed.stream.missing_bytes()), (8, 0));
    assert!(!feed.stream.is_waiting());
}

#[test]
fn data_with_the_syn_starts_at_offset_zero_and_numbers_wrap() {
    let mut feed = Feed::new();
    feed.segment(u32::MAX - 2, TcpFlags::SYN, b"hel");
    feed.segment(1, 0, b"lo");
    assert_eq!(feed.data, b"hello");
    assert_eq!(feed.stream.base(), SeqNum(u32::MAX - 1));
}

#[test]
fn repeats_of_what_was_over_before_the_capture_began_are_not_heard() {
    let mut feed = Feed::new();
    feed.stream.on_ack_before_start(SeqNum(1_000));
    feed.segment(990, TcpFlags::ACK, b"before");
    feed.segment(996, TcpFlags::ACK, b"half new");
    assert_eq!(feed.data, b" new");
    let mut feed = Feed::new();
    feed.stream.on_ack_before_start(SeqNum(1_000));
    feed.segment(1_200, TcpFlags::ACK, b"further on");
    assert_eq!((feed.data.as_slice(), feed.gaps.len()), (&b"further on"[..], 0));
}

#[test]
fn what_the_snap_length_cut_is_a_gap() {
    let mut feed = Feed::new();
    feed.cut(0, 10, 0, b"head", 100);
    feed.segment(110, 0, b"next");
    assert_eq!(feed.data, b"headnext");
    assert_eq!(feed.gaps, [(4, 96)]);
    assert_eq!(feed.stream.missing_bytes(), 96);
}

#[test]
fn a_hole_that_the_receiver_has_is_given_up_after_a_moment() {
    let mut feed = Feed::new();
    feed.segment(0, 0, b"aa");
    feed.segment(4, 0, b"cc");
    feed.on_ack(0, 6, false);
    assert_eq!(feed.data, b"aa", "the capture may be out of order");
    feed.on_ack(6 * MS, 6, false);
    assert_eq!(feed.data, b"aacc");
    assert_eq!(feed.gaps, [(2, 2)]);
    feed.segment(2, 0, b"bb");
    assert_eq!(feed.data, b"aacc", "late bytes do not come out behind their gap");
}

#[test]
fn an_answer_proves_that_the_request_was_sent() {
    let mut feed = Feed::new();
    feed.segment(0, 0, b"a");
    feed.on_ack(0, 500, true);
    assert_eq!(feed.gaps, [(1, 499)]);
    feed.on_ack(0, 501, true);
    assert_eq!(feed.gaps.len(), 1, "one more is a FIN that was not captured");
}

#[test]
fn a_hole_is_waited_for_only_so_long() {
    let mut feed = Feed::new();
    feed.segment(0, 0, b"a");
    feed.segment(2, TcpFlags::FIN, b"c");
    let expire = |feed: &mut Feed, at| {
        feed.call(|stream, budget, mut out| {
            stream.expire(Timestamp::from_nanos(at), budget, &mut out)
        });
    };
    expire(&mut feed, 9_999 * MS);
    assert_eq!(feed.data, b"a");
    expire(&mut feed, 10_000 * MS);
    assert_eq!(feed.data, b"ac");
    assert!(feed.ended);
}

#[test]
fn too_much_waiting_gives_up_the_hole() {
    let mut feed =
        Feed::with(ReassemblyLimits { stream_bytes: 1000, ..ReassemblyLimits::default() });
    feed.segment(0, 0, b"a");
    for n in 0..20 {
        feed.segment(2 + n, 0, b"b");
    }
    assert!(feed.forced > 0 && feed.gaps == [(1, 1)]);
    assert!(feed.used <= 1000);
}

#[test]
fn a_fin_counts_only_behind_the_last_byte() {
    let mut feed = Feed::new();
    feed.segment(0, 0, b"a");
    feed.segment(2, TcpFlags::FIN, b"c");
    assert!(!feed.ended);
    feed.segment(1, 0, b"b");
    assert!(feed.ended);
    assert_eq!(feed.data, b"abc");
}

proptest! {
    /// Any cutting, order and repetition of a stream gives the stream.
    #[test]
    fn a_stream_comes_out_as_it_went_in(
        isn in any::<u32>(),
        len in 1usize..400,
        cuts in proptest::collection::vec((0usize..400, 1usize..60), 0..60),
        seed in any::<u64>(),
    ) {
        let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + i / 256) as u8).collect();
        let mut pieces: Vec<(usize, usize)> = cuts.iter()
            .map(|&(start, n)| (start.min(len), (start + n).min(len)))
            .filter(|(start, end)| start < end)
            .collect();
        pieces.extend((0..len).step_by(13).map(|start| (start, (start + 13).min(len))));
        let mut state = seed | 1;
        for i in (1..pieces.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            pieces.swap(i, (state >> 33) as usize % (i + 1));
        }
        let mut feed = Feed::new();
        feed.segment(isn, TcpFlags::SYN, b"");
        for (start, end) in pieces {
            feed.segment(isn.wrapping_add(1 + start as u32), 0, &bytes[start..end]);
        }
        prop_assert_eq!(&feed.data, &bytes);
        prop_assert!(feed.gaps.is_empty() && !feed.stream.is_waiting());
        prop_assert_eq!(feed.stream.goodput_bytes(), len as u64);
        prop_assert_eq!(feed.stream.missing_bytes(), 0);
        prop_assert_eq!((feed.stream.differing_overlaps(), feed.used), (0, 0));
    }

    /// With segments missing, what comes out and the gaps together are the stream, and nothing
    /// stays behind.
    #[test]
    fn with_losses_data_and_gaps_are_the_stream(
        kept in proptest::collection::vec(any::<bool>(), 1..60),
        swap in proptest::collection::vec((0usize..60, 0usize..60), 0..20),
    ) {
        let mut order: Vec<usize> = (0..kept.len()).filter(|&i| kept[i]).collect();
        for (a, b) in swap {
            if a < order.len() && b < order.len() {
                order.swap(a, b);
            }
        }
        let mut feed = Feed::new();
        feed.segment(0, TcpFlags::SYN, b"");
        for &i in &order {
            feed.segment(1 + 10 * i as u32, 0, &[i as u8; 10]);
        }
        feed.call(|stream, budget, mut out| stream.flush(Timestamp::ZERO, budget, &mut out));
        order.sort_unstable();
        let expected: Vec<u8> = order.iter().flat_map(|&i| [i as u8; 10]).collect();
        prop_assert_eq!(&feed.data, &expected);
        let end = order.last().map_or(0, |&i| 10 * (i as u64 + 1));
        prop_assert_eq!(feed.next, end);
        prop_assert_eq!(feed.stream.goodput_bytes() + feed.stream.missing_bytes(), end);
        prop_assert_eq!(feed.used, 0);
    }
}

#[test]
fn what_was_captured_and_not_wanted_is_not_missing() {
    let mut feed = Feed::new();
    feed.unwanted(1, b"abc", 3);
    feed.unwanted(7, b"ghi", 3);
    feed.unwanted(10, b"j", 3);
    feed.unwanted(4, b"def", 3);
    assert_eq!(
        (feed.stream.goodput_bytes(), feed.stream.missing_bytes()),
        (12, 2),
        "only what the capture cut off"
    );
}
