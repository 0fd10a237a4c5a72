use std::io::{self, Write};

use fact::FlowRecord;
use store::Trace;

use crate::cli::EmitSet;
use crate::output::json::{Flow, TracedSpan};
use crate::output::{Stdout, Summary};

/// Writes records to standard output as they are made. Spans come with their trace, when it is complete: only then is known to
/// which trace they belong, and which processes took part.
#[derive(Debug)]
pub(super) struct Emitter {
    out: Option<Stdout>,
    emit: EmitSet,
}

impl Emitter {
    /// To be made in the thread that writes.
    pub(super) fn new(emit: EmitSet) -> Self {
        let any = emit != EmitSet::default();
        Self { out: any.then(Stdout::lock), emit }
    }

    pub(super) fn flow(&mut self, flow: &FlowRecord, tap: &str) -> io::Result<()> {
        match &mut self.out {
            Some(out) if self.emit.flows => out.json(&Flow::new(flow, tap)),
            _ => Ok(()),
        }
    }

    pub(super) fn trace(&mut self, trace: &Trace) -> io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        if self.emit.spans {
            for span in store::flatten(trace) {
                out.json(&TracedSpan::from(&span))?;
            }
        }
        if self.emit.traces {
            out.json(trace)?;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// Writes the summary record, once the thread that wrote all others has ended.
pub(super) fn write_summary(emit: EmitSet, summary: &Summary) -> io::Result<()> {
    if !emit.summary {
        return Ok(());
    }
    let mut out = Stdout::lock();
    out.json(summary)?;
    out.flush()
}
