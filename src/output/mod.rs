//! What goes to standard output: records as JSON lines, tables and trees for people.

pub(crate) mod json;
mod printable;
mod stdout;
mod style;
mod summary;
pub(crate) mod table;
pub(crate) mod tree;
pub(crate) mod units;
mod words;

pub(crate) use stdout::Stdout;
pub(crate) use style::Style;
pub(crate) use summary::{Captured, Summary};
pub(crate) use units::{bytes, count, nanos};
