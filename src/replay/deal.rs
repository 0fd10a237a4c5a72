//! Which shard analyses which frame, where several do.

use capture::FrameBlock;
use wire::decode::{DecodeConfig, Decoder, OwnedDecoded, Route, Undecoded};
use wire::{InputClock, RawFrame, TapId, Timestamp, invariant};

use super::filter::Filters;
use super::totals::InputTotals;

/// Owner of a frame that no shard analyses.
const NO_SHARD: u16 = u16::MAX;
/// Classes of flows by their hash. A class as a whole has one shard.
const CLASSES: usize = 1 << 16;

/// A block of frames, and the shard of each.
#[derive(Debug, Default)]
pub(super) struct Dealt {
    pub(super) block: FrameBlock,
    /// The input pauses before this block: what was found until then is to be shown.
    pub(super) pause: bool,
    /// The shard of each frame.
    owners: Vec<u16>,
    /// Number of the first frame that a shard analyses.
    first: u64,
    /// What a shard gets instead of the frame at that index, or all shards before it; by index.
    notes: Vec<(usize, Note)>,
}

#[derive(Debug)]
enum Note {
    Tick(Timestamp),
    End(Timestamp),
    Packet(Box<OwnedDecoded>),
    Undecoded(TapId, Undecoded, u64),
}

/// What a shard gets.
pub(super) enum DealtItem<'a> {
    Frame(RawFrame<'a>),
    /// Time comes to this before the frame of the same number.
    Tick(Timestamp),
    /// The input ended at this time.
    End(Timestamp),
    /// A packet that was put together from fragments, instead of the last of them.
    Packet(&'a OwnedDecoded),
    /// A fragment that gave no packet, and how many datagrams were given up since the last such
    /// item.
    Undecoded(TapId, Undecoded, u64),
}

impl Dealt {
    fn clear(&mut self) {
        self.owners.clear();
        self.notes.clear();
    }

    /// Calls `each` for all items of `shard`, in order, with the numbers of their frames.
    pub(super) fn visit(&self, shard: u16, mut each: impl FnMut(u64, DealtItem<'_>)) {
        let mut number = self.first;
        let mut notes = self.notes.iter().peekable();
        let mut next_note = notes.peek().map_or(usize::MAX, |(at, _)| *at);
        for (at, &owner) in self.owners.iter().enumerate() {
            let mut whole = true;
            while at == next_note {
                match notes.next() {
                    Some((_, Note::Tick(now))) => each(number, DealtItem::Tick(*now)),
                    Some((_, note)) => {
                        if owner == shard {
                            each(number, note.instead());
                        }
                        whole = false;
                    }
                    None => {
                        invariant!("the next note is there");
                    }
                }
                next_note = notes.peek().map_or(usize::MAX, |(at, _)| *at);
            }
            if owner == shard
                && whole
                && let Some(frame) = self.block.get(at)
            {
                each(number, DealtItem::Frame(frame));
            }
            number += u64::from(owner != NO_SHARD);
        }
        for (_, note) in notes {
            each(number, note.instead());
        }
    }
}

impl Note {
    const fn instead(&self) -> DealtItem<'_> {
        match self {
            Self::Tick(now) => DealtItem::Tick(*now),
            Self::End(time) => DealtItem::End(*time),
            Self::Packet(packet) => DealtItem::Packet(packet),
            Self::Undecoded(tap, reason, given_up) => {
                DealtItem::Undecoded(*tap, *reason, *given_up)
            }
        }
    }
}

/// Assigns frames to shards by flow: each class of flows goes to the shard that had the fewest
/// frames when the class was first seen. The assignment depends on the input and the number of
/// shards alone.
pub(super) struct Dealer<'a> {
    filters: &'a mut Filters,
    clock: InputClock,
    totals: InputTotals,
    /// Puts fragments together, of which only the first shows its ports.
    router: Decoder,
    owners: Vec<u16>,
    frames: Vec<u64>,
}

impl<'a> Dealer<'a> {
    /// A dealer for shards 0 to `shards` - 1, which decode with `config`.
    pub(super) fn new(filters: &'a mut Filters, config: &DecodeConfig, shards: u16) -> Self {
        Self {
            filters,
            clock: InputClock::default(),
            totals: InputTotals::default(),
            router: Decoder::new(config.clone()),
            owners: vec![NO_SHARD; CLASSES],
            frames: vec![0; usize::from(shards)],
        }
    }

    /// Assigns the frames of the block.
    pub(super) fn deal(&mut self, dealt: &mut Dealt) {
        dealt.clear();
        dealt.first = self.totals.analysed + 1;
        let Dealt { block, owners, notes, .. } = dealt;
        for (at, frame) in block.frames().enumerate() {
            self.totals.add(&frame);
            if !self.filters.match_frame(&frame) {
                owners.push(NO_SHARD);
                continue;
            }
            self.totals.add_analysed(&frame);
            if let Some(now) = self.clock.on_frame(frame.time) {
                notes.push((at, Note::Tick(now)));
            }
            let (class, note) = match self.router.route(&frame) {
                Route::Frame(hash) => (hash, None),
                Route::Packet(hash, packet) => {
                    (hash, Some(Note::Packet(Box::new(packet.to_owned()))))
                }
                Route::Fragment(reason) => {
                    let given_up = self.router.take_given_up();
                    (0, Some(Note::Undecoded(frame.tap, reason, given_up)))
                }
                Route::Any => (0, None),
            };
            notes.extend(note.map(|note| (at, note)));
            owners.push(owner(&mut self.owners, &mut self.frames, class));
        }
    }

    /// Adds the tick at the end of the input, and the end itself, behind the last frame.
    pub(super) fn end(&mut self, dealt: &mut Dealt) {
        dealt.notes.push((dealt.block.len(), Note::Tick(self.clock.now())));
        dealt.notes.push((dealt.block.len(), Note::End(self.clock.end())));
    }

    /// What was read so far.
    pub(super) const fn totals(&self) -> &InputTotals {
        &self.totals
    }

    pub(super) fn into_totals(self) -> InputTotals {
        self.totals
    }
}

/// The shard of flows with this hash.
#[inline]
fn owner(owners: &mut [u16], frames: &mut [u64], hash: u64) -> u16 {
    let Some(owner) = owners.get_mut(hash as usize % CLASSES) else {
        invariant!("there is an owner for each class");
        return 0;
    };
    if *owner == NO_SHARD {
        let fewest = (0..).zip(frames.iter()).min_by_key(|(_, frames)| **frames);
        *owner = fewest.map_or(0, |(index, _)| index);
    }
    if let Some(frames) = frames.get_mut(usize::from(*owner)) {
        *frames += 1;
    }
    *owner
}
