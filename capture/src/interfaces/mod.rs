//! The interfaces of this network namespace: which there are, what they are, which of them to tap,
//! and what changes.

mod cni;
mod interface;
mod message;
mod select;
mod watch;

pub use cni::{CniPod, read_cni_cache};
pub use interface::Interface;
pub use select::{Choice, Selector};
pub(crate) use watch::find;
pub use watch::{Change, Watch, list};
