//! Finished traces: kept in a SQLite file or in memory, and found again.

mod database;
mod kept;
mod memory;
mod query;

pub use kept::Archive;
pub use query::Query;
