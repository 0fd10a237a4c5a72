//! A fact that leaves the thread of the analyzer that found it.

use fact::{Exchange, FlowRecord};

/// A fact that becomes a record, owned so that one thread can pass it to another.
#[derive(Debug)]
pub(crate) enum OwnedFact {
    Exchange(Box<Exchange>),
    Flow(Box<FlowRecord>),
}

impl From<&Exchange> for OwnedFact {
    fn from(exchange: &Exchange) -> Self {
        Self::Exchange(Box::new(exchange.clone()))
    }
}

impl From<&FlowRecord> for OwnedFact {
    fn from(flow: &FlowRecord) -> Self {
        Self::Flow(Box::new(flow.clone()))
    }
}
