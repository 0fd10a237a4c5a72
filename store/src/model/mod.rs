//! What the store answers with: traces of calls. Values have types here and become text where they
//! leave: JSON through serde, whose form is that of the records and of the kept file.

mod attributes;
mod call;
mod hop;
mod id;
mod peer;
mod text;
mod trace;

pub use attributes::Attributes;
pub use call::{Call, Cause, Undecided};
pub use hop::{Hop, Message, TcpTotals};
pub use id::{SpanId, TraceId};
pub use peer::{Peer, ProcessInfo};
pub(crate) use text::protocol as protocol_text;
pub use trace::{LongestPart, PartKind, Trace};
