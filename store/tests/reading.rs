//! Reading kept traces while others are joined and kept.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use store::{Counters, Evictions, Query, Store, StoreConfig};
use wire::Timestamp;

const START: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// A store in a file, and one in memory that keeps as much.
fn stores(dir: &tempfile::TempDir) -> [Store; 2] {
    [Some(dir.path().join("t.db")), None].map(|path: Option<PathBuf>| {
        Store::open(StoreConfig { path, max_memory_traces: 100_000, ..StoreConfig::default() })
            .unwrap()
    })
}

/// Adds `count` exchanges of the second `second` and goes on until their traces are kept.
fn keep(store: &mut Store, count: u64, second: u64) -> usize {
    let start = START + second * SECOND;
    let mut kept = 0;
    for exchange in world::exchanges(count, start) {
        store.add_exchange(Box::new(exchange));
    }
    for tick in 0..50 {
        kept += store.tick(Timestamp::from_nanos(start + tick * SECOND / 10)).unwrap().len();
    }
    kept
}

fn all() -> Query {
    Query { limit: usize::MAX, ..Query::default() }
}

/// Nothing was lost on the way to `traces` traces.
fn assert_whole(store: &Store, traces: u64) {
    let Counters { exchanges, traces: finished, late_observations, pruned, evictions, .. } =
        store.counters();
    assert_eq!((exchanges, finished, late_observations, pruned), (traces, traces, 0, 0));
    assert_eq!(evictions, Evictions::default());
}

#[test]
fn a_query_that_takes_long_stops_neither_joining_nor_other_queries() {
    let dir = tempfile::tempdir().unwrap();
    for mut store in stores(&dir) {
        assert_eq!(keep(&mut store, 50, 0), 50);
        let reader = store.reader().unwrap();
        let (began, begins) = channel();
        let (go_on, held) = channel::<()>();
        let slow = thread::spawn({
            let reader = reader.clone();
            move || {
                let mut read = 0;
                let result = reader.for_each(&all(), |_| {
                    if read == 0 {
                        began.send(()).unwrap();
                        held.recv().unwrap();
                    }
                    read += 1;
                });
                result.unwrap();
                read
            }
        });
        begins.recv().unwrap();
        for second in 1..20 {
            assert_eq!(keep(&mut store, 100, 10 * second), 100);
        }
        assert_whole(&store, 1950);
        assert_eq!(reader.traces(&all()).unwrap().len(), 1950);
        assert!(!slow.is_finished());
        go_on.send(()).unwrap();
        // It reads what there was when it began.
        assert_eq!(slow.join().unwrap(), 50);
    }
}

#[test]
fn readers_find_whole_traces_while_the_writer_writes() {
    let dir = tempfile::tempdir().unwrap();
    for mut store in stores(&dir) {
        let reader = store.reader().unwrap();
        let (ended, started) = (AtomicBool::new(false), Barrier::new(4));
        thread::scope(|scope| {
            let readers: Vec<_> = (0..3)
                .map(|_| {
                    let (reader, ended, started) = (reader.clone(), &ended, &started);
                    scope.spawn(move || {
                        let (mut before, mut queries) = (0, 0);
                        started.wait();
                        loop {
                            let found = reader.traces(&all()).unwrap();
                            assert!(found.len() >= before, "{} {before}", found.len());
                            before = found.len();
                            if let Some(newest) = found.first() {
                                assert_eq!(
                                    reader.trace(&newest.trace_id).unwrap().as_ref(),
                                    Some(newest)
                                );
                            }
                            queries += 1;
                            if ended.load(Ordering::Relaxed) {
                                return queries;
                            }
                        }
                    })
                })
                .collect();
            started.wait();
            for second in 0..30 {
                assert_eq!(keep(&mut store, 40, 10 * second), 40);
            }
            ended.store(true, Ordering::Relaxed);
            assert!(readers.into_iter().all(|reader| reader.join().unwrap() > 0));
        });
        assert_whole(&store, 1200);
        assert_eq!(
            reader.services(&all()).unwrap().iter().map(|edge| edge.calls).sum::<u64>(),
            1200
        );
    }
}
