use std::ops::Range;

use fact::{Exchange, FlowRecord};
use fact::{Fact, Sink};
use serde::Serialize;
use wire::Timestamp;

use super::found::{Finds, Found, Place, Wanted};
use crate::output::Captured;
use crate::output::json::{Flow, Span};
use crate::taps::TapCache;

/// Findings of one shard in one block of frames, each with its place; lines of JSON are written out already.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    items: Vec<(Place, Item)>,
    text: Vec<u8>,
}

#[derive(Debug)]
enum Item {
    /// Where in `text` the line is, with its end of line.
    Line(Range<usize>),
    Found(Found),
}

/// A finding, as it goes to the one who writes.
pub(super) enum Gleaned<'a> {
    Line(&'a [u8]),
    Found(&'a Found),
}

impl Gathered {
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.text.clear();
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.items.iter().map(|(place, _)| *place)
    }

    pub(super) fn get(&self, index: usize) -> Option<Gleaned<'_>> {
        Some(match &self.items.get(index)?.1 {
            Item::Line(range) => Gleaned::Line(self.text.get(range.clone()).unwrap_or_default()),
            Item::Found(found) => Gleaned::Found(found),
        })
    }

    fn line(&mut self, place: Place, record: &impl Serialize) {
        let start = self.text.len();
        // Nothing can fail in memory; a record that could not be written whole is left out.
        if serde_json::to_writer(&mut self.text, record).is_err() {
            return self.text.truncate(start);
        }
        self.text.push(b'\n');
        self.items.push((place, Item::Line(start..self.text.len())));
    }
}

/// Keeps what becomes a record, as a line of JSON where that is all that is asked for, and counts the rest.
#[derive(Debug)]
pub(super) struct Gatherer {
    place: Place,
    pub(super) gathered: Gathered,
    pub(super) counts: Captured,
    wanted: Wanted,
    /// Names of taps, where records are lines.
    lines: Option<TapCache>,
    /// Whether ticks are passed on: by one of all threads.
    ticks: bool,
}

impl Gatherer {
    pub(super) fn new(wanted: Wanted, lines: Option<TapCache>, ticks: bool) -> Self {
        let (place, gathered, counts) = (Place::default(), Gathered::default(), Captured::default());
        Self { place, gathered, counts, wanted, lines, ticks }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let place = self.place.of_flow(exchange.flow.0);
        match &mut self.lines {
            Some(taps) => {
                let tap = taps.name(exchange.tap);
                self.gathered.line(place, &Span::new(exchange, tap));
            }
            None => {
                let found = Found::Exchange(Box::new(exchange.clone()));
                self.gathered.items.push((place, Item::Found(found)));
            }
        }
    }

    fn flow(&mut self, flow: &FlowRecord) {
        let place = self.place.of_flow(flow.id.0);
        match &mut self.lines {
            Some(taps) => {
                let tap = taps.name(flow.tap);
                self.gathered.line(place, &Flow::new(flow, tap));
            }
            None => {
                let found = Found::Flow(Box::new(flow.clone()));
                self.gathered.items.push((place, Item::Found(found)));
            }
        }
    }
}

impl Finds for Gatherer {
    fn stand(&mut self, place: Place) {
        self.place = place;
    }

    fn mark(&mut self, now: Timestamp) {
        if self.ticks && self.lines.is_none() {
            self.gathered.items.push((self.place.last(), Item::Found(Found::Tick(now))));
        }
    }
}

impl Sink for Gatherer {
    fn emit(&mut self, fact: Fact<'_>) {
        self.counts.emit(fact);
        match fact {
            Fact::Exchange(exchange) if self.wanted.exchanges => self.exchange(exchange),
            Fact::FlowClosed(flow) if self.wanted.flows => self.flow(flow),
            _ => {}
        }
    }
}
