//! Flows: the table, what is kept of each, and its record.

mod client;
mod datagrams;
mod delivery;
mod entry;
mod gone;
mod held;
mod index;
mod networks;
mod order;
mod record;
mod table;

pub(crate) use entry::{Fit, Flow, TimeoutClass};
pub(crate) use gone::Gone;
pub(crate) use record::record;
pub(crate) use table::Table;

use datagrams::Datagrams;
use gone::GoneConnection;
use held::Held;
use networks::Networks;
use order::Order;
