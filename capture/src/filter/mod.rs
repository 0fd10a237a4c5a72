//! tcpdump's filter expressions (pcap-filter(7)).

mod compile;
mod program;

pub use compile::Filter;
pub(crate) use program::{Instruction, op};
