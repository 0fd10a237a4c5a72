//! Facts of one of several shards on their way to the thread that writes, a block of frames at a
//! time.

use std::ops::Range;

use fact::{Exchange, FlowRecord};
use serde::Serialize;
use wire::{Timestamp, invariant};

use super::order::Position;
use crate::output::json::{Flow, Span};
use crate::pipeline::{Destination, OwnedFact};
use crate::taps::TapCache;

/// What one shard found in one block of frames, with the position of each item. Lines of JSON are
/// written out already.
#[derive(Debug, Default)]
pub(super) struct BlockOutput {
    /// What was found before this block is to be shown first.
    pub(super) pause: bool,
    items: Vec<(Position, Item)>,
    text: Vec<u8>,
}

#[derive(Debug)]
enum Item {
    /// Where in `text` the line is, with its end of line.
    Line(Range<usize>),
    Fact(OwnedFact),
    Tick(Timestamp),
    /// Taken by the thread that writes.
    Taken,
}

/// An item for the thread that writes.
pub(super) enum OutputItem<'a> {
    /// A line of JSON with its end of line.
    Line(&'a [u8]),
    Fact(OwnedFact),
    /// All facts before this time stand before this item.
    Tick(Timestamp),
}

impl BlockOutput {
    pub(super) fn clear(&mut self) {
        self.pause = false;
        self.items.clear();
        self.text.clear();
    }

    /// The positions of all items, by index.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> {
        self.items.iter().map(|(position, _)| *position)
    }

    /// Moves out the item at `index`; none where there is no item any more.
    pub(super) fn take(&mut self, index: usize) -> Option<OutputItem<'_>> {
        let (_, item) = self.items.get_mut(index)?;
        Some(match std::mem::replace(item, Item::Taken) {
            Item::Line(range) => OutputItem::Line(self.text.get(range).unwrap_or_default()),
            Item::Fact(fact) => OutputItem::Fact(fact),
            Item::Tick(now) => OutputItem::Tick(now),
            Item::Taken => {
                invariant!("an item is taken once");
                return None;
            }
        })
    }

    fn push_line(&mut self, position: Position, record: &impl Serialize) {
        let start = self.text.len();
        if serde_json::to_writer(&mut self.text, record).is_err() {
            invariant!("a record can be written to memory");
            return self.text.truncate(start);
        }
        self.text.push(b'\n');
        self.items.push((position, Item::Line(start..self.text.len())));
    }
}

/// Collects what one shard finds in a block.
#[derive(Debug)]
pub(super) struct BlockOutlet {
    position: Position,
    output: BlockOutput,
    /// Names of taps, where records are lines of JSON and nothing else is done with facts.
    lines: Option<TapCache>,
    /// Whether ticks are passed on: by one of all shards.
    ticks: bool,
}

impl BlockOutlet {
    pub(super) fn new(lines: Option<TapCache>, ticks: bool) -> Self {
        Self { position: Position::default(), output: BlockOutput::default(), lines, ticks }
    }

    /// Returns what was found so far, and goes on with `next`, which is empty.
    pub(super) const fn replace_output(&mut self, next: BlockOutput) -> BlockOutput {
        std::mem::replace(&mut self.output, next)
    }

    pub(super) fn into_output(self) -> BlockOutput {
        self.output
    }
}

impl Destination for BlockOutlet {
    #[inline]
    fn on_frame(&mut self, number: u64) {
        self.position = Position::frame(number);
    }

    fn on_tick(&mut self, number: u64) {
        self.position = Position::tick(number);
    }

    fn on_tick_end(&mut self, now: Timestamp) {
        if self.ticks && self.lines.is_none() {
            self.output.items.push((self.position.tick_end(), Item::Tick(now)));
        }
    }

    fn on_exchange(&mut self, exchange: &Exchange) {
        let position = self.position.of_flow(exchange.flow.0);
        match &mut self.lines {
            Some(taps) => {
                self.output.push_line(position, &Span::new(exchange, taps.name(exchange.tap)));
            }
            None => self.output.items.push((position, Item::Fact(exchange.into()))),
        }
    }

    fn on_flow_closed(&mut self, flow: &FlowRecord) {
        let position = self.position.of_flow(flow.id.0);
        match &mut self.lines {
            Some(taps) => self.output.push_line(position, &Flow::new(flow, taps.name(flow.tap))),
            None => self.output.items.push((position, Item::Fact(flow.into()))),
        }
    }
}
