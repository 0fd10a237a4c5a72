//! The state of a connection: keyspace, compression, prepared statements.

use std::sync::Arc;

use crate::kit::sql::{Statement, StatementCache};

/// What is known of a connection.
#[derive(Debug, Default)]
pub(super) struct CqlSession {
    pub(super) literals: bool,
    pub(super) keyspace: String,
    /// For reading statements.
    pub(super) statement: Statement,
    /// Statements that are being prepared, by stream; of too many, the oldest is removed.
    preparing: Vec<(u16, Arc<Statement>)>,
    pub(super) prepared: StatementCache<Vec<u8>>,
}

impl CqlSession {
    const PREPARING: usize = 64;

    pub(super) fn new(literals: bool) -> Self {
        Self { literals, ..Self::default() }
    }

    pub(super) fn prepare(&mut self, stream: u16) {
        self.preparing.retain(|(s, _)| *s != stream);
        if self.preparing.len() >= Self::PREPARING {
            self.preparing.remove(0);
        }
        self.preparing.push((stream, Arc::new(self.statement.clone())));
    }

    /// A statement was prepared and has this id. None: it could not be prepared.
    pub(super) fn on_prepared(&mut self, stream: u16, id: Option<&[u8]>) {
        let Some(index) = self.preparing.iter().position(|(s, _)| *s == stream) else { return };
        let (_, statement) = self.preparing.remove(index);
        if let Some(id) = id {
            self.prepared.insert(id.to_vec(), statement);
        }
    }

    /// Responses may be missing: what is being prepared is removed.
    pub(super) fn on_loss(&mut self) {
        self.preparing.clear();
    }

    /// Bytes allocated on the heap.
    pub(super) fn bytes(&self) -> usize {
        let preparing: usize =
            self.preparing.iter().map(|(_, s)| size_of::<Statement>() + s.bytes()).sum();
        self.keyspace.capacity() + self.statement.bytes() + preparing + self.prepared.bytes()
    }
}
