//! Capture files: pcap and pcapng, plain or compressed.

mod cooked;
mod frame_block;
mod input;
mod interface;
mod losses;
mod options;
mod pcap;
mod pcapng;
mod reader;
mod step;

pub use frame_block::FrameBlock;
pub use input::TapNames;
pub use reader::CaptureFile;
