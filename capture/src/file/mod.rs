//! Capture files: pcap and pcapng, plain or compressed.

mod block;
mod input;
mod interface;
mod pcap;
mod pcapng;
mod reader;
mod step;

pub use block::Block;
pub use input::TapNames;
pub use reader::CaptureFile;
