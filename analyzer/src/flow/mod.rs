//! Flows: the table, what is kept of each, and its record.

mod client;
mod delivery;
mod entry;
mod index;
mod order;
mod record;
mod table;

pub(crate) use entry::{Flow, TimeoutClass};
pub(crate) use record::record;
pub(crate) use table::Table;

use order::Order;
