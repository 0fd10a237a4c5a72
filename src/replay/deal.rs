use capture::FrameBlock;
use wire::decode::{DecodeConfig, Decoder, OwnedDecoded, Route, Undecoded};
use wire::{InputClock, RawFrame, TapId, Timestamp};

use super::feed::Read;
use super::filter::Filters;

/// Owner of a frame that no shard gets.
const NOBODY: u16 = u16::MAX;
/// Classes that flows are put into by their hash, to be given to shards one by one.
const CLASSES: usize = 1 << 16;

/// A block of frames, and who gets which of them.
#[derive(Debug, Default)]
pub(super) struct Dealt {
    pub(super) block: FrameBlock,
    /// For every frame the shard.
    owners: Vec<u16>,
    /// Number of the first frame that anybody gets.
    first: u64,
    /// What is told instead of the frame at that place, or to all before it; by place.
    notes: Vec<(usize, Note)>,
}

#[derive(Debug)]
enum Note {
    Tick(Timestamp),
    Packet(Box<OwnedDecoded>),
    Undecoded(TapId, Undecoded, u64),
}

/// What a shard gets.
pub(super) enum What<'a> {
    Frame(RawFrame<'a>),
    /// Time has come to that, before the frame of the same number.
    Tick(Timestamp),
    /// A packet that was put together from fragments.
    Packet(&'a OwnedDecoded),
    /// A fragment that gave no packet, and how many datagrams were given up by then that were not told yet.
    Undecoded(TapId, Undecoded, u64),
}

impl Dealt {
    fn clear(&mut self) {
        self.owners.clear();
        self.notes.clear();
    }

    /// Hands over all that is for `shard`, in order, with the numbers of frames.
    pub(super) fn visit(&self, shard: u16, mut each: impl FnMut(u64, What<'_>)) {
        let mut number = self.first;
        let mut notes = self.notes.iter().peekable();
        let mut next_note = notes.peek().map_or(usize::MAX, |(at, _)| *at);
        for (at, &owner) in self.owners.iter().enumerate() {
            let mut whole = true;
            while at == next_note {
                match notes.next() {
                    Some((_, Note::Tick(now))) => each(number, What::Tick(*now)),
                    Some((_, note)) => {
                        if owner == shard {
                            each(number, note.instead());
                        }
                        whole = false;
                    }
                    None => {}
                }
                next_note = notes.peek().map_or(usize::MAX, |(at, _)| *at);
            }
            if owner == shard
                && whole
                && let Some(frame) = self.block.get(at)
            {
                each(number, What::Frame(frame));
            }
            number += u64::from(owner != NOBODY);
        }
        for (_, note) in notes {
            each(number, note.instead());
        }
    }
}

impl Note {
    const fn instead(&self) -> What<'_> {
        match self {
            Self::Tick(now) => What::Tick(*now),
            Self::Packet(packet) => What::Packet(packet),
            Self::Undecoded(tap, reason, given_up) => What::Undecoded(*tap, *reason, *given_up),
        }
    }
}

/// Deals frames out to shards, by flow: every class of flows goes to the shard that had the fewest frames when the class was
/// first seen. What is dealt to whom depends on the input and the number of shards alone.
pub(super) struct Dealer<'a> {
    filters: &'a mut Filters,
    clock: InputClock,
    read: Read,
    /// Keeps fragments, which do not show whose they are.
    router: Decoder,
    owners: Vec<u16>,
    frames: Vec<u64>,
}

impl<'a> Dealer<'a> {
    /// Dealer to shards 0 to `shards` - 1, which decode with `config`.
    pub(super) fn new(filters: &'a mut Filters, config: &DecodeConfig, shards: u16) -> Self {
        Self {
            filters,
            clock: InputClock::default(),
            read: Read::default(),
            router: Decoder::new(config.clone()),
            owners: vec![NOBODY; CLASSES],
            frames: vec![0; usize::from(shards)],
        }
    }

    /// Says of every frame in the block whose it is.
    pub(super) fn deal(&mut self, dealt: &mut Dealt) {
        dealt.clear();
        dealt.first = self.read.analysed + 1;
        let Dealt { block, owners, notes, .. } = dealt;
        for (at, frame) in block.frames().enumerate() {
            self.read.count(&frame);
            if !self.filters.match_frame(&frame) {
                owners.push(NOBODY);
                continue;
            }
            self.read.analysed += 1;
            if let Some(now) = self.clock.frame(frame.time) {
                notes.push((at, Note::Tick(now)));
            }
            let (class, note) = match self.router.route(&frame) {
                Route::Frame(hash) => (hash, None),
                Route::Packet(hash, packet) => (hash, Some(Note::Packet(Box::new(packet.to_owned())))),
                Route::Fragment(reason) => {
                    let given_up = self.router.newly_given_up();
                    (0, Some(Note::Undecoded(frame.tap, reason, given_up)))
                }
                Route::Any => (0, None),
            };
            notes.extend(note.map(|note| (at, note)));
            owners.push(owner(&mut self.owners, &mut self.frames, class));
        }
    }

    /// Lets time come to the input's end behind the last frame.
    pub(super) fn end(&mut self, dealt: &mut Dealt) {
        dealt.notes.push((dealt.block.len(), Note::Tick(self.clock.now())));
    }

    /// What was read so far.
    pub(super) const fn read(&self) -> &Read {
        &self.read
    }

    pub(super) fn into_read(self) -> Read {
        self.read
    }
}

/// The shard that gets flows of this hash.
#[inline]
fn owner(owners: &mut [u16], frames: &mut [u64], hash: u64) -> u16 {
    let Some(owner) = owners.get_mut(hash as usize % CLASSES) else { return 0 };
    if *owner == NOBODY {
        let fewest = (0..).zip(frames.iter()).min_by_key(|(_, frames)| **frames);
        *owner = fewest.map_or(0, |(index, _)| index);
    }
    if let Some(frames) = frames.get_mut(usize::from(*owner)) {
        *frames += 1;
    }
    *owner
}
