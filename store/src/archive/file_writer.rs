//! Traces written to a SQLite file: its layout, and what is removed for age and size.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::query::services;
use crate::error::Error;
use crate::model::Trace;

/// "Wspn", which marks the file as ours (`PRAGMA application_id`).
pub(super) const APPLICATION: i64 = 0x5773_706e;
/// Layout of the tables (`PRAGMA user_version`).
pub(super) const LAYOUT: i64 = 1;

const TABLES: &str = "
CREATE TABLE traces (
    number INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    error INTEGER NOT NULL,
    services TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX traces_by_id ON traces (trace_id);
CREATE INDEX traces_by_start ON traces (start_ns);
";

/// The connection that writes. There is one for a file in the program; others only read.
#[derive(Debug)]
pub(crate) struct FileWriter {
    path: PathBuf,
    connection: Connection,
}

impl FileWriter {
    /// Opens `path` for reading and writing, and makes it if it is not there.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path).map_err(|source| open_error(path, source))?;
        let writer = Self { path: path.into(), connection };
        writer.prepare()?;
        Ok(writer)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn prepare(&self) -> Result<(), Error> {
        let path = &self.path;
        let tables: i64 = self
            .connection
            .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
            .map_err(|source| open_error(path, source))?;
        self.connection.busy_timeout(Duration::from_secs(2))?;
        match layout(&self.connection, path)? {
            (APPLICATION, LAYOUT) => {}
            (APPLICATION, found) => {
                return Err(Error::Layout { path: path.clone(), found, known: LAYOUT });
            }
            (0, 0) if tables == 0 => {
                self.connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;")?;
                self.connection.execute_batch(&format!(
                    "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT}; COMMIT;"
                ))?;
            }
            _ => return Err(Error::Foreign { path: path.clone() }),
        }
        self.connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        self.connection.execute_batch("PRAGMA journal_size_limit = 16777216;")?;
        self.connection
            .prepare("SELECT body FROM traces LIMIT 0")
            .map_err(|source| open_error(path, source))?;
        Ok(())
    }

    /// Keeps traces in one transaction; returns how many older ones were removed for age or size.
    pub(super) fn insert(
        &mut self,
        traces: &[Arc<Trace>],
        now_ns: u64,
        max_age: Duration,
        max_bytes: u64,
    ) -> Result<u64, Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO traces (trace_id, start_ns, duration_ns, error, services, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for trace in traces {
                insert.execute(params![
                    trace.trace_id.to_string(),
                    signed(trace.root.start_unix_ns),
                    signed(trace.root.duration_ns()),
                    trace.is_error(),
                    services(trace),
                    serde_json::to_string(trace)?,
                ])?;
            }
        }
        let age = u64::try_from(max_age.as_nanos()).unwrap_or(u64::MAX);
        let oldest = signed(now_ns.saturating_sub(age));
        let mut pruned = transaction
            .prepare_cached(
                "DELETE FROM traces WHERE start_ns + duration_ns < ?1 AND start_ns < ?1",
            )?
            .execute([oldest])?;
        while used_bytes(&transaction)? > max_bytes {
            // A tenth at a time, so that it does not happen at each tick.
            let gone = transaction
                .prepare_cached(
                    "DELETE FROM traces WHERE number IN (SELECT number FROM traces ORDER BY start_ns LIMIT (SELECT count(*) / 10 + 1 FROM traces))",
                )?
                .execute([])?;
            pruned += gone;
            if gone == 0 {
                break;
            }
        }
        transaction.commit()?;
        if pruned > 0 {
            self.connection.execute_batch("PRAGMA incremental_vacuum;")?;
        }
        Ok(pruned as u64)
    }

    /// Memory of the page cache, in bytes.
    pub(super) fn bytes(&self) -> Result<u64, Error> {
        let pages: Option<i64> =
            self.connection.query_row("PRAGMA cache_size", [], |row| row.get(0)).optional()?;
        // Negative: in KiB.
        Ok(pages.map_or(0, |n| if n < 0 { n.unsigned_abs() << 10 } else { (n as u64) << 12 }))
    }
}

/// The marks of a file: whose it is, and in which layout.
pub(super) fn layout(connection: &Connection, path: &Path) -> Result<(i64, i64), Error> {
    let read =
        |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0));
    let marks = read("application_id").and_then(|id| Ok((id, read("user_version")?)));
    marks.map_err(|source| open_error(path, source))
}

fn used_bytes(connection: &Connection) -> Result<u64, Error> {
    let read = |pragma: &str| {
        connection
            .prepare_cached(&format!("PRAGMA {pragma}"))?
            .query_row([], |row| row.get::<_, i64>(0))
    };
    let pages = read("page_count")? - read("freelist_count")?;
    Ok(u64::try_from(pages.saturating_mul(read("page_size")?)).unwrap_or(0))
}

pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn open_error(path: &Path, source: rusqlite::Error) -> Error {
    let path: PathBuf = path.into();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            Error::Damaged { path, source }
        }
        _ => Error::Open { path, source },
    }
}
