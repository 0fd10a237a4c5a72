//! The vocabulary that every crate of Wirespan shares, and the decoding of frames into it.
//!
//! Nothing here does I/O, reads a clock or starts a thread. The types stand in the order in which
//! data becomes them: a source yields a [`RawFrame`], a [`Decoder`](decode::Decoder) makes it a
//! [`Decoded`](decode::Decoded) with a [`FlowKey`]; independently the kernel yields a [`SockIo`]
//! for each system call on a socket. What joins the two are [`SeqRange`]s of the same connection.

#![forbid(unsafe_code)]

pub mod decode;
mod direction;
mod endpoint;
mod flow_key;
mod frame;
mod input_clock;
mod invariant;
mod link_type;
mod seq;
mod sock_io;
mod source;
mod spread;
mod tap;
mod time;

pub use direction::{Direction, PerDirection};
pub use endpoint::Endpoint;
pub use flow_key::{FlowKey, Side, Transport};
pub use frame::{RawFrame, VlanTag};
pub use input_clock::InputClock;
pub use invariant::{invariant_failed, invariant_failures};
pub use link_type::LinkType;
pub use seq::{SeqNum, SeqRange};
pub use sock_io::{Process, SockIo, SockIoKind};
pub use source::{Batch, Drops, Source, SourceError};
pub(crate) use spread::Spread;
pub use tap::{Tap, TapId, TapKind};
pub use time::Timestamp;
