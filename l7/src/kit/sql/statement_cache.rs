//! Prepared statements of a connection by their names; a bounded cache.

use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashMap};

use super::Statement;

/// Most statements of one connection.
const MOST: usize = 512;
/// Most memory of one connection's statements, in bytes.
const MOST_BYTES: usize = 256 * 1024;

/// The name of a statement.
pub(crate) trait Name: Eq + Hash + Clone {
    /// Memory behind it, in bytes.
    fn heap(&self) -> usize;
}

impl Name for u32 {
    fn heap(&self) -> usize {
        0
    }
}

impl Name for Box<[u8]> {
    fn heap(&self) -> usize {
        self.len()
    }
}

impl Name for Vec<u8> {
    fn heap(&self) -> usize {
        self.capacity()
    }
}

/// Prepared statements of a connection by their names. Beyond its bounds the least recently used
/// one is removed.
#[derive(Debug)]
pub(crate) struct StatementCache<K> {
    statements: HashMap<K, (Arc<Statement>, u64), RandomState>,
    /// Counts uses; a statement keeps the count of its last.
    clock: u64,
    bytes: usize,
}

impl<K> Default for StatementCache<K> {
    fn default() -> Self {
        Self { statements: HashMap::default(), clock: 0, bytes: 0 }
    }
}

impl<K: Name> StatementCache<K> {
    /// Stores a statement under a name, in place of the one before.
    pub(crate) fn insert(&mut self, name: K, statement: Arc<Statement>) {
        self.remove(&name);
        self.clock += 1;
        self.bytes += cost(&name, &statement);
        self.statements.insert(name, (statement, self.clock));
        while self.statements.len() > MOST || self.bytes > MOST_BYTES {
            let oldest = self.statements.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else {
                wire::invariant!("an empty cache takes no memory");
                return;
            };
            self.remove(&oldest);
        }
    }

    /// The statement of a name.
    pub(crate) fn get<Q: ?Sized + Hash + Equivalent<K>>(
        &mut self,
        name: &Q,
    ) -> Option<Arc<Statement>> {
        let (statement, used) = self.statements.get_mut(name)?;
        self.clock += 1;
        *used = self.clock;
        Some(Arc::clone(statement))
    }

    /// Removes a statement.
    pub(crate) fn remove<Q: ?Sized + Hash + Equivalent<K>>(&mut self, name: &Q) {
        if let Some((name, (statement, _))) = self.statements.remove_entry(name) {
            self.bytes -= cost(&name, &statement);
        }
    }

    /// Removes all statements.
    pub(crate) fn clear(&mut self) {
        self.statements.clear();
        self.bytes = 0;
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.statements.allocation_size()
    }
}

fn cost<K: Name>(name: &K, statement: &Statement) -> usize {
    let counts = 2 * size_of::<usize>();
    counts + size_of::<Statement>() + statement.bytes() + name.heap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::sql::Dialect;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut all = StatementCache::<u32>::default();
        let mut statement = Statement::default();
        statement.read(b"SELECT 1", Dialect::MYSQL, false);
        let statement = Arc::new(statement);
        for n in 0..MOST as u32 {
            all.insert(n, Arc::clone(&statement));
        }
        assert!(all.get(&0).is_some());
        all.insert(9999, Arc::clone(&statement));
        assert!(all.get(&0).is_some() && all.get(&1).is_none() && all.get(&9999).is_some());
        assert_eq!(all.statements.len(), MOST);
        let mut long = Statement::default();
        long.read("SELECT a, ".repeat(200).as_bytes(), Dialect::MYSQL, false);
        let long = Arc::new(long);
        for n in 0..2000 {
            all.insert(n, Arc::clone(&long));
        }
        assert!(all.bytes() < 2 * MOST_BYTES);
        all.clear();
        assert_eq!((all.bytes, all.statements.len()), (0, 0));
    }
}
