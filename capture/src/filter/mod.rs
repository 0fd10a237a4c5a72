//! tcpdump's filter expressions (pcap-filter(7)).

mod compile;
mod program;

pub use compile::Filter;
#[cfg(test)]
pub(crate) use program::Program;
pub(crate) use program::{Instruction, op};
