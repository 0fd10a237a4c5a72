//! Finished traces: kept in a SQLite file or in memory by one writer, and found again by any number
//! of readers beside it.

mod file_reader;
mod file_writer;
mod memory;
mod query;
mod reader;
mod writer;

pub use query::Query;
pub use reader::Reader;
pub(crate) use writer::Archive;
