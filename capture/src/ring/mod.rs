//! Live capture from a node's interfaces: packet rings (packet(7), TPACKET_V3), one per shard.

mod config;
mod fanout;
mod kernel_filter;
mod source;
mod taps;
mod vlan;

pub use config::{Promiscuous, RingConfig};
pub use source::{Ring, Skipped};
pub use taps::{InterfaceTaps, Taps};
