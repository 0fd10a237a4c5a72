//! Statements in SQL and related languages: literals masked as OpenTelemetry requires for
//! `db.query.text`, and the operation and table of a statement.
//!
//! Nothing here parses SQL. Statements are split into tokens, which is enough to know where a
//! literal begins and ends.

mod dialect;
mod lexer;
mod mask;
mod numbers;
mod sqlstate;
mod statement;
mod statement_cache;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use dialect::Dialect;
pub(crate) use sqlstate::outcome;
pub(crate) use statement::Statement;
pub(crate) use statement_cache::StatementCache;
