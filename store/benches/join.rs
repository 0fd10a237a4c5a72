//! Joins per second: kernel records and exchanges of a simulated chain through a store in memory.

#![allow(missing_docs, reason = "criterion's macros make public items")]

#[path = "../tests/world/mod.rs"]
mod world;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use store::{Store, StoreConfig};
use wire::Timestamp;
use world::{Input, Setup};

fn join(c: &mut Criterion) {
    let setup =
        Setup { requests: 10_000, proxy_keeps: true, client_keeps: true, ..Setup::default() };
    let inputs = world::simulate(&setup);
    let calls = inputs.iter().filter(|(_, input)| matches!(input, Input::Exchange(_))).count() / 3;
    let mut group = c.benchmark_group("join");
    group.sample_size(10).throughput(Throughput::Elements(calls as u64));
    for (name, file) in [("calls_in_memory", false), ("calls_in_file", true)] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || {
                    let dir = tempfile::tempdir().expect("a temporary directory");
                    let path = file.then(|| dir.path().join("t.db"));
                    (
                        Store::open(StoreConfig { path, ..StoreConfig::default() })
                            .expect("a new store"),
                        dir,
                    )
                },
                |(mut store, dir)| {
                    let mut next = 0;
                    for (at, input) in &inputs {
                        if *at > next {
                            store.tick(Timestamp::from_nanos(*at)).expect("kept");
                            next = *at + 100_000_000;
                        }
                        match input {
                            Input::Io(io) => store.add_sock_io(io),
                            Input::Exchange(exchange) => store.add_exchange(exchange.clone()),
                        }
                    }
                    store.finish().expect("kept");
                    (store, dir)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, join);
criterion_main!(benches);
