//! The analyzer: packets in, facts out.

use wire::decode::{Decoded, Decoder, Undecoded};
use wire::{RawFrame, TapId, Timestamp};

use crate::config::Config;
use crate::tracker::Tracker;
use crate::usage::Usage;
use fact::{Fact, Sink, Table};

/// Turns the frames of one shard into facts.
///
/// ```
/// use analyzer::{Analyzer, Config};
/// use fact::{Fact, Sink};
/// use wire::{LinkType, RawFrame, TapId, Timestamp};
///
/// struct Undecoded(u64);
/// impl Sink for Undecoded {
///     fn emit(&mut self, fact: Fact<'_>) {
///         self.0 += u64::from(matches!(fact, Fact::Undecoded { .. }));
///     }
/// }
///
/// let mut analyzer = Analyzer::new(Config::default());
/// let mut sink = Undecoded(0);
/// let frame = RawFrame {
///     time: Timestamp::from_parts(1, 0),
///     tap: TapId(0),
///     link_type: LinkType::Ethernet,
///     wire_len: 60,
///     vlan: None,
///     bytes: &[0; 60],
/// };
/// analyzer.frame(1, &frame, &mut sink);
/// analyzer.finish(&mut sink);
/// assert_eq!(sink.0, 1);
/// ```
#[derive(Debug)]
pub struct Analyzer {
    decoder: Decoder,
    tracker: Tracker,
}

impl Analyzer {
    /// Analyzer with empty tables.
    pub fn new(config: Config) -> Self {
        Self { decoder: Decoder::new(config.decode.clone()), tracker: Tracker::new(config) }
    }

    /// Takes the next frame. `number` counts the frames of the whole input from 1: a flow is named
    /// by that of its first frame. Frames should come in order of time; one that is older than
    /// those before it does no harm.
    pub fn frame<S: Sink>(&mut self, number: u64, frame: &RawFrame<'_>, sink: &mut S) {
        match self.decoder.decode(frame) {
            Ok(packet) => self.tracker.packet(number, &packet, sink),
            Err(reason) => {
                let fragment =
                    matches!(reason, Undecoded::FragmentPending | Undecoded::FragmentRefused);
                let given_up = if fragment { self.decoder.take_given_up() } else { 0 };
                Self::undecoded(frame.tap, reason, given_up, sink);
            }
        }
    }

    /// Emits that a frame gave no packet, and that `given_up` more datagrams were dropped before
    /// all of their fragments came.
    pub fn undecoded<S: Sink>(tap: TapId, reason: Undecoded, given_up: u64, sink: &mut S) {
        sink.emit(Fact::Undecoded { tap, reason });
        if given_up > 0 {
            sink.emit(Fact::Evicted { table: Table::Fragments, entries: given_up });
        }
    }

    /// Takes a packet that was decoded elsewhere, of the frame with that number.
    pub fn packet<S: Sink>(&mut self, number: u64, packet: &Decoded<'_>, sink: &mut S) {
        self.tracker.packet(number, packet, sink);
    }

    /// The time is `now`, by the clock of frames: flows that were idle for too long are closed,
    /// holes and requests that waited for too long are given up, and the figures of flows that
    /// changed come out, each by flow number. Call it about once a second of frame time, from the
    /// first frame on; [`wire::InputClock`] says when. A frame dated more than
    /// [`InputClock::STEP`](wire::InputClock::STEP) after the last tick ends no flow: its time may
    /// be wrong.
    pub fn tick<S: Sink>(&mut self, now: Timestamp, sink: &mut S) {
        self.tracker.tick(now, sink);
    }

    /// Closes all flows, by flow number: the input ended at `end`, which is one time for all
    /// analyzers that share an input.
    pub fn finish_at<S: Sink>(&mut self, end: Timestamp, sink: &mut S) {
        self.tracker.finish(end, sink);
    }

    /// The same at the time of the latest frame or tick.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        self.tracker.finish(self.tracker.latest(), sink);
    }

    /// What is held at the moment. Walks through all flows.
    pub fn usage(&self) -> Usage {
        Usage { fragment_bytes: self.decoder.fragments().memory(), ..self.tracker.usage() }
    }
}
