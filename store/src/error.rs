//! Errors of a store.

use std::path::PathBuf;

/// What can go wrong in the store: only the database can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file exists and is no SQLite database, or a damaged one.
    #[error("{path}: not a trace store, or a damaged one ({source})")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The file is a SQLite database of another program.
    #[error("{path}: a database of another program, not a trace store")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a version whose layout this one does not know.
    #[error("{path}: trace store of layout {found}, this version knows layout {known}")]
    Layout {
        /// The file.
        path: PathBuf,
        /// Layout of the file.
        found: i64,
        /// Layout of this version.
        known: i64,
    },
    /// The file cannot be opened.
    #[error("{path}: cannot open the trace store: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// Reading or writing failed.
    #[error("trace store: {0}")]
    Database(#[from] rusqlite::Error),
    /// A kept trace cannot be read back.
    #[error("trace store: a kept trace cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A prefix of a trace id fits several traces.
    #[error("trace id {0} fits more than one trace")]
    AmbiguousPrefix(String),
}
