//! IP fragments put together again (RFC 791, section 3.2; RFC 8200, section 4.5).

mod datagram;
mod table;

pub(super) use table::{FragmentKey, Outcome, Part, Table, Whole};
