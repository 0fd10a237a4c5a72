//! Statements in SQL and its relatives: literals masked as OpenTelemetry asks of `db.query.text`,
//! and what a statement is about.
//!
//! Nothing here understands SQL. Statements are cut into tokens, which is all that is needed to
//! know where a literal begins and ends.

mod dialect;
mod lexer;
mod mask;
mod numbers;
mod remembered;
mod sqlstate;
mod statement;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use dialect::Dialect;
pub(crate) use remembered::Remembered;
pub(crate) use sqlstate::outcome;
pub(crate) use statement::Statement;
