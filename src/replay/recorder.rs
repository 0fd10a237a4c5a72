use std::io::{self, Write};
use std::sync::Arc;

use fact::{Exchange, FlowRecord};
use store::{Store, Trace};

use super::found::{Found, Place};
use crate::cli::{EmitSet, Output};
use crate::output::json::{Flow, Span, TracedSpan};
use crate::output::table::{FLOW_COLUMNS, Grid, SPAN_COLUMNS, flow_row, span_row};
use crate::output::{Stdout, Style, Summary, tree};
use crate::taps::{TapCache, Taps};

/// Writes findings as records, in the order in which they are given, and feeds the store.
pub(super) struct Recorder {
    out: Stdout,
    output: Output,
    emit: EmitSet,
    taps: TapCache,
    spans: Grid,
    flows: Grid,
    style: Style,
    store: Option<Store>,
}

impl Recorder {
    pub(super) fn new(output: Output, emit: EmitSet, taps: Arc<Taps>, store: Option<Store>) -> Self {
        let style = Style::for_stdout();
        Self {
            out: Stdout::lock(),
            output,
            emit,
            taps: TapCache::new(taps),
            spans: Grid::new(SPAN_COLUMNS, style),
            flows: Grid::new(FLOW_COLUMNS, style),
            style,
            store,
        }
    }

    /// Writes findings after putting them in order.
    pub(super) fn record(&mut self, found: &mut Vec<(Place, Found)>) -> anyhow::Result<()> {
        found.sort_by_key(|(place, _)| *place);
        found.drain(..).try_for_each(|(_, found)| self.found(&found))
    }

    /// Writes a finding.
    pub(super) fn found(&mut self, found: &Found) -> anyhow::Result<()> {
        match found {
            Found::Exchange(exchange) => self.exchange(exchange)?,
            Found::Flow(flow) => self.flow(flow)?,
            Found::Tick(now) => {
                if let Some(store) = &mut self.store {
                    let traces = store.tick(*now)?;
                    self.traces(&traces)?;
                }
            }
        }
        Ok(())
    }

    /// Writes lines of JSON as they are.
    pub(super) fn lines(&mut self, text: &[u8]) -> io::Result<()> {
        self.out.write_all(text)
    }

    /// The names of taps, for others to write lines of JSON, where these are all that is wanted of a finding.
    pub(super) fn only_lines(&self) -> Option<TapCache> {
        (self.store.is_none() && matches!(self.output, Output::Jsonl)).then(|| self.taps.another())
    }

    /// Writes an exchange.
    pub(super) fn exchange(&mut self, exchange: &Exchange) -> anyhow::Result<()> {
        let alone = self.emit.spans && !self.spans_come_with_traces();
        let (tap, new) = self.taps.get(exchange.tap);
        if let Some(store) = &mut self.store {
            if let Some(tap) = tap.filter(|_| new) {
                store.add_tap((**tap).clone());
            }
            store.add_exchange(Box::new(exchange.clone()));
        }
        if !alone {
            return Ok(());
        }
        let tap = tap.map_or("", |tap| tap.name.as_str());
        match self.output {
            Output::Jsonl => self.out.json(&Span::new(exchange, tap))?,
            Output::Table => {
                let key = (exchange.start().as_nanos(), exchange.flow.0);
                self.spans.push(key, span_row(exchange, tap), &mut self.out)?;
            }
        }
        Ok(())
    }

    /// Only when a trace is complete is known which spans belong to it, and which caused which.
    const fn spans_come_with_traces(&self) -> bool {
        self.emit.traces && matches!(self.output, Output::Jsonl)
    }

    /// Writes the record of a flow.
    pub(super) fn flow(&mut self, flow: &FlowRecord) -> anyhow::Result<()> {
        let tap = self.taps.name(flow.tap);
        match self.output {
            Output::Jsonl => self.out.json(&Flow::new(flow, tap))?,
            Output::Table => {
                self.flows.push((flow.start.as_nanos(), flow.id.0), flow_row(flow, tap), &mut self.out)?;
            }
        }
        Ok(())
    }

    fn traces(&mut self, traces: &[Trace]) -> io::Result<()> {
        if !self.emit.traces {
            return Ok(());
        }
        for trace in traces {
            match self.output {
                Output::Jsonl => {
                    if self.emit.spans {
                        for span in store::flatten(trace) {
                            self.out.json(&TracedSpan::from(&span))?;
                        }
                    }
                    self.out.json(trace)?;
                }
                Output::Table => {
                    self.spans.print(&mut self.out)?;
                    writeln!(self.out, "{}", tree::draw(trace, self.style))?;
                }
            }
        }
        Ok(())
    }

    /// Writes what is left: rows that wait, traces that are not complete, the summary.
    pub(super) fn finish(mut self, summary: &Summary) -> anyhow::Result<Option<Store>> {
        self.spans.print(&mut self.out)?;
        self.flows.print(&mut self.out)?;
        if let Some(store) = &mut self.store {
            let traces = store.finish()?;
            self.traces(&traces)?;
        }
        if self.emit.summary && self.output == Output::Jsonl {
            self.out.json(summary)?;
        }
        self.out.flush()?;
        Ok(self.store)
    }
}
