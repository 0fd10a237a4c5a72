//! Traces read from a SQLite file, by connections that only read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OpenFlags, Params, named_params, params};

use super::file_writer::{APPLICATION, LAYOUT, layout, open_error, signed};
use super::query::Query;
use crate::error::Error;
use crate::model::Trace;

/// Connections that stay open between queries.
const MOST_IDLE: usize = 4;

/// A file of traces. Each query has a connection of its own, so that none waits for another; the
/// write-ahead log lets them read what was committed while others write.
#[derive(Debug)]
pub(super) struct FileReader {
    path: PathBuf,
    /// Not in use. The lock is held to take one or to put one back.
    idle: Mutex<Vec<Connection>>,
}

impl FileReader {
    /// Opens as many connections as stay idle: later the process may have no right to the file.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let idle = (0..MOST_IDLE).map(|_| connect(path)).collect::<Result<_, _>>()?;
        Ok(Self { path: path.into(), idle: Mutex::new(idle) })
    }

    /// Hands the traces that fit `query` to `each` while it reads them.
    pub(super) fn find(
        &self,
        query: &Query,
        each: &mut dyn FnMut(Arc<Trace>),
    ) -> Result<(), Error> {
        self.with_connection(|connection| {
            let select = connection.prepare_cached(
                "SELECT body FROM traces
                 WHERE duration_ns >= :duration AND (:error IS NULL OR error = :error)
                   AND (:service IS NULL OR instr(services, :service) > 0)
                 ORDER BY start_ns DESC LIMIT :limit",
            )?;
            let parameters = named_params! {
                ":duration": signed(query.min_duration_ns()),
                ":error": query.error,
                ":service": query.service(),
                ":limit": signed(query.limit as u64),
            };
            read(select, parameters, each)
        })
    }

    pub(super) fn with_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<Arc<Trace>>, Error> {
        let mut found = Vec::new();
        self.with_connection(|connection| {
            let select = connection.prepare_cached(
                "SELECT body FROM traces WHERE trace_id >= ?1 AND trace_id < ?1 || 'g'
                 ORDER BY start_ns DESC LIMIT ?2",
            )?;
            read(select, params![prefix, signed(limit as u64)], &mut |trace| found.push(trace))
        })?;
        Ok(found)
    }

    fn with_connection<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let result = query(&connection);
        // A connection that failed is not used again.
        let mut idle = self.idle();
        if result.is_ok() && idle.len() < MOST_IDLE {
            idle.push(connection);
        }
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(
    mut select: CachedStatement<'_>,
    parameters: impl Params,
    each: &mut dyn FnMut(Arc<Trace>),
) -> Result<(), Error> {
    let mut rows = select.query(parameters)?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        each(Arc::new(serde_json::from_str(body)?));
    }
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|source| open_error(path, source))?;
    connection.busy_timeout(Duration::from_secs(2))?;
    match layout(&connection, path)? {
        (APPLICATION, LAYOUT) => {}
        (APPLICATION, found) => {
            return Err(Error::Layout { path: path.into(), found, known: LAYOUT });
        }
        _ => return Err(Error::Foreign { path: path.into() }),
    }
    connection.execute_batch("PRAGMA query_only = ON;")?;
    Ok(connection)
}
