//! Facts to records on standard output, and to the store.

use std::io::{self, Write};
use std::sync::Arc;

use fact::{Exchange, FlowRecord};
use metrics::Metrics;
use store::{Store, Trace};
use wire::Timestamp;

use super::owned_fact::OwnedFact;
use crate::cli::{EmitSet, Output};
use crate::names::count_calls;
use crate::output::json::{Flow, Span, TracedSpan};
use crate::output::table::{FLOW_COLUMNS, Grid, SPAN_COLUMNS, flow_row, span_row};
use crate::output::{Stdout, Style, Summary, tree};
use crate::taps::{TapCache, Taps};

/// When `span` records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanRecords {
    /// At each exchange, as its tap saw it.
    WithExchanges,
    /// When their trace is complete: only then is known which spans belong to it, which caused
    /// which, and which processes took part.
    WithTraces,
}

/// Writes facts and traces as records in the order in which they come, as JSON lines or as tables,
/// and adds the exchanges to the store.
///
/// It holds the lock of standard output, so it stays in the thread that made it.
pub(crate) struct Recorder {
    out: Option<Stdout>,
    output: Output,
    emit: EmitSet,
    spans: SpanRecords,
    taps: TapCache,
    span_grid: Grid,
    flow_grid: Grid,
    style: Style,
    store: Option<Store>,
    metrics: Option<Arc<Metrics>>,
}

impl Recorder {
    /// A recorder of the kinds in `emit`; without any it leaves standard output alone.
    pub(crate) fn new(
        output: Output,
        emit: EmitSet,
        spans: SpanRecords,
        taps: Arc<Taps>,
        store: Option<Store>,
    ) -> Self {
        let style = Style::for_stdout();
        Self {
            out: (emit != EmitSet::default()).then(Stdout::lock),
            output,
            emit,
            spans,
            taps: TapCache::new(taps),
            span_grid: Grid::new(SPAN_COLUMNS, style),
            flow_grid: Grid::new(FLOW_COLUMNS, style),
            style,
            store,
            metrics: None,
        }
    }

    /// Counts the calls of the traces that it writes.
    pub(crate) fn counting_calls(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// The names of taps for other threads to write lines of JSON, where nothing else is to be done
    /// with a fact.
    pub(crate) fn taps_for_lines(&self) -> Option<TapCache> {
        (self.store.is_none() && self.output == Output::Jsonl).then(|| self.taps.another())
    }

    pub(crate) const fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    pub(crate) const fn store_mut(&mut self) -> Option<&mut Store> {
        self.store.as_mut()
    }

    /// Writes the record of a fact, and moves an exchange into the store.
    pub(crate) fn record(&mut self, fact: OwnedFact) -> io::Result<()> {
        match fact {
            OwnedFact::Exchange(exchange) => {
                self.write_span(&exchange)?;
                self.add_to_store(exchange);
                Ok(())
            }
            OwnedFact::Flow(flow) => self.write_flow(&flow),
        }
    }

    /// Writes the record of an exchange that the analyzer still owns; the store gets a copy.
    pub(crate) fn record_exchange(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.write_span(exchange)?;
        if self.store.is_some() {
            self.add_to_store(Box::new(exchange.clone()));
        }
        Ok(())
    }

    fn add_to_store(&mut self, exchange: Box<Exchange>) {
        let Some(store) = &mut self.store else { return };
        if let (Some(tap), true) = self.taps.get(exchange.tap) {
            store.add_tap((**tap).clone());
        }
        store.add_exchange(exchange);
    }

    fn write_span(&mut self, exchange: &Exchange) -> io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        if !self.emit.spans || self.spans == SpanRecords::WithTraces {
            return Ok(());
        }
        let tap = self.taps.name(exchange.tap);
        match self.output {
            Output::Jsonl => out.json(&Span::new(exchange, tap)),
            Output::Table => {
                let key = (exchange.start().as_nanos(), exchange.flow.0);
                self.span_grid.push(key, span_row(exchange, tap), out)?;
                self.repeat_heads();
                Ok(())
            }
        }
    }

    /// Prints the head of a table again where rows of the other stand below its last.
    fn repeat_heads(&mut self) {
        if self.span_grid.take_new_rows() {
            self.flow_grid.repeat_head();
        }
        if self.flow_grid.take_new_rows() {
            self.span_grid.repeat_head();
        }
    }

    /// Writes the record of a flow.
    pub(crate) fn write_flow(&mut self, flow: &FlowRecord) -> io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        if !self.emit.flows {
            return Ok(());
        }
        let tap = self.taps.name(flow.tap);
        match self.output {
            Output::Jsonl => out.json(&Flow::new(flow, tap)),
            Output::Table => {
                let key = (flow.start.as_nanos(), flow.id.0);
                self.flow_grid.push(key, flow_row(flow, tap), out)?;
                self.repeat_heads();
                Ok(())
            }
        }
    }

    /// Writes lines of JSON that another thread made with [`taps_for_lines`](Self::taps_for_lines).
    pub(crate) fn write_lines(&mut self, text: &[u8]) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), |out| out.write_all(text))
    }

    /// Moves the store's time to `now`; returns the traces that became complete, which are not yet
    /// written.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Result<Vec<Arc<Trace>>, store::Error> {
        self.store.as_mut().map_or_else(|| Ok(Vec::new()), |store| store.tick(now))
    }

    /// Completes all traces of the store, as at the end of the input.
    pub(crate) fn finish_traces(&mut self) -> Result<Vec<Arc<Trace>>, store::Error> {
        self.store.as_mut().map_or_else(|| Ok(Vec::new()), Store::finish)
    }

    /// Writes the records of complete traces, and of their spans where those come with traces.
    pub(crate) fn write_traces(&mut self, traces: &[Arc<Trace>]) -> io::Result<()> {
        traces.iter().try_for_each(|trace| self.write_trace(trace))
    }

    fn write_trace(&mut self, trace: &Trace) -> io::Result<()> {
        if let Some(metrics) = &self.metrics {
            count_calls(metrics, trace);
        }
        let Some(out) = &mut self.out else { return Ok(()) };
        if self.emit.spans && self.spans == SpanRecords::WithTraces {
            for span in store::flatten(trace) {
                out.json(&TracedSpan::from(&span))?;
            }
        }
        if !self.emit.traces {
            return Ok(());
        }
        match self.output {
            Output::Jsonl => out.json(trace),
            Output::Table => {
                self.span_grid.print(out)?;
                self.span_grid.repeat_head();
                self.flow_grid.repeat_head();
                writeln!(out, "{}", tree::draw(trace, self.style))
            }
        }
    }

    /// Writes rows that wait to be sorted.
    pub(crate) fn write_rows(&mut self) -> io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        self.span_grid.print(out)?;
        self.repeat_heads();
        let Some(out) = &mut self.out else { return Ok(()) };
        self.flow_grid.print(out)?;
        self.repeat_heads();
        Ok(())
    }

    /// Writes out all records so far, also rows that wait to be sorted.
    pub(crate) fn show(&mut self) -> io::Result<()> {
        self.write_rows()?;
        self.flush()
    }

    /// Hands everything written so far to the system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }

    /// Gives up standard output, and returns the store.
    pub(crate) fn into_store(self) -> Option<Store> {
        self.store
    }
}

/// Writes the summary record, once the recorder that wrote all others is gone. A table has none.
pub(crate) fn write_summary(output: Output, emit: EmitSet, summary: &Summary) -> io::Result<()> {
    if !emit.summary || output != Output::Jsonl {
        return Ok(());
    }
    let mut out = Stdout::lock();
    out.json(summary)?;
    out.flush()
}
