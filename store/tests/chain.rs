//! Traces of a chain of an event-loop proxy, a threaded service and a back end under concurrency,
//! without headers.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use std::sync::Arc;
use store::{Cause, StoreConfig};
use world::{Score, Setup, run, score};

fn check(setup: &Setup) {
    let (traces, store) = run(setup, StoreConfig { use_headers: false, ..StoreConfig::default() });
    let n = setup.requests;
    assert_eq!(
        score(&traces, setup.calls),
        Score { traces: n, complete: n, foreign: 0 },
        "{setup:?} {:?}",
        store.counters()
    );
    let counters = store.counters();
    assert_eq!(
        (counters.unmatched, counters.ambiguous, counters.orphans),
        (0, 0, 0),
        "{counters:?}"
    );
    assert_eq!(counters.joined as usize, n * (2 + setup.calls));
}

#[test]
fn sixteen_fresh_connections_through_one_event_loop_are_told_apart() {
    check(&Setup::default());
}

#[test]
fn kept_connections_are_told_apart() {
    check(&Setup { seed: 2, client_keeps: true, proxy_keeps: true, ..Setup::default() });
    check(&Setup { seed: 3, client_keeps: true, ..Setup::default() });
    check(&Setup { seed: 4, proxy_keeps: true, ..Setup::default() });
}

#[test]
fn translated_addresses_make_no_difference() {
    check(&Setup { seed: 5, nat: true, ..Setup::default() });
    check(&Setup { seed: 6, nat: true, proxy_keeps: true, ..Setup::default() });
}

#[test]
fn few_threads_and_several_calls_each() {
    check(&Setup { seed: 7, threads: 3, calls: 3, ..Setup::default() });
}

#[test]
fn many_interleavings() {
    for seed in 100..120 {
        check(&Setup {
            seed,
            requests: 200,
            clients: 1 + (seed as usize % 32),
            client_keeps: seed % 2 == 0,
            proxy_keeps: seed % 3 == 0,
            nat: seed % 5 == 0,
            threads: 1 + (seed as usize % 7),
            calls: 1 + (seed as usize % 3),
            io_delay: (seed % 4) * 60_000_000,
            ..Setup::default()
        });
    }
}

#[test]
fn the_cause_is_named_and_ids_are_the_same_in_every_run() {
    let setup = Setup { requests: 50, ..Setup::default() };
    let (mut first, _) = run(&setup, StoreConfig::default());
    // Other delays on the way to the store must not show.
    let (mut second, _) = run(&Setup { io_delay: 0, ..setup }, StoreConfig::default());
    first.sort_by_key(|t| t.root.start_unix_ns);
    second.sort_by_key(|t| t.root.start_unix_ns);
    assert_eq!(first.len(), 50);
    for trace in &first {
        assert_eq!(trace.root.cause, Cause::None);
        assert_eq!(trace.root.children[0].cause, Cause::Thread);
        assert_eq!(trace.root.client.process.as_ref().unwrap().command, "curl");
        assert_eq!(&*trace.root.hops[0].tap, "veth_client");
        assert_eq!(&*trace.root.hops[1].tap, "bridge");
        assert_eq!(&*trace.root.hops[2].tap, "veth_proxy");
    }
    let ids = |traces: &[Arc<store::Trace>]| {
        traces.iter().map(|t| t.trace_id).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(ids(&first).len(), 50);
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(first, second);
}

#[test]
fn lost_records_cost_links_and_make_no_wrong_ones() {
    let setup = Setup { seed: 9, lost: 2, ..Setup::default() };
    let (traces, _) = run(&setup, StoreConfig { use_headers: false, ..StoreConfig::default() });
    let score = score(&traces, setup.calls);
    // Some 20 records a request, each lost with 0.2 %; while something is missing in the proxy's
    // only thread, its other requests are in doubt.
    assert!(score.complete * 100 >= setup.requests * 88, "{score:?}");
    assert_eq!(score.foreign, 0, "{score:?}");
}
