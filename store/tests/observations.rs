//! Which exchanges are observations of one call.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use fact::{Exchange, FlowId, Protocol};
use store::{Counters, Store, StoreConfig};
use wire::{Endpoint, SeqNum, SeqRange, TapId};
use world::{endpoint, exchange, http};

const T: u64 = 1_700_000_000_000_000_000;
const MS: u64 = 1_000_000;

/// An exchange with the sequence numbers that all have here.
fn seen(tap: u32, client: Endpoint, server: Endpoint, path: &str, times: (u64, u64)) -> Exchange {
    let request = http(SeqRange::new(SeqNum(1000), 100), times.0, times.0);
    let response = http(SeqRange::new(SeqNum(2000), 100), times.1, times.1);
    let mut exchange = exchange(TapId(tap), client, server, Some(request), Some(response), path);
    exchange.flow = FlowId(u64::from(client.port) << 32 | u64::from(server.port));
    exchange
}

/// Hops of the calls, and what was counted.
fn hops(exchanges: Vec<Exchange>) -> (Vec<usize>, Counters) {
    let mut store = Store::open(StoreConfig::default()).unwrap();
    exchanges.into_iter().for_each(|exchange| store.add_exchange(Box::new(exchange)));
    let mut hops: Vec<usize> = store.finish().unwrap().iter().map(|t| t.root.hops.len()).collect();
    hops.sort_unstable();
    (hops, store.counters())
}

#[test]
fn equal_sequence_numbers_of_unrelated_connections_are_no_evidence() {
    let times = (T, T + 10 * MS);
    let inner = (T + MS, T + 9 * MS);
    // One after the other and at the same time, at one tap.
    let one_tap = |i: u8, times| {
        seen(1, endpoint(10 + i, 20_000 + u16::from(i)), endpoint(100 + i, 80), "/x", times)
    };
    assert_eq!(hops((0..40).map(|i| one_tap(i, times)).collect()).0, [1; 40]);
    let later = |i: u8| (T + u64::from(i) * 20 * MS, T + u64::from(i) * 20 * MS + MS);
    assert_eq!(hops((0..40).map(|i| one_tap(i, later(i))).collect()).0, [1; 40]);
    // At two taps: other content, another protocol, another operation, not inside, other lengths.
    let outside = seen(1, endpoint(10, 20_000), endpoint(100, 80), "/x", times);
    let other = |path: &str, times| seen(2, endpoint(11, 20_001), endpoint(101, 80), path, times);
    let mut protocol = other("/x", inner);
    protocol.protocol = Protocol::new("redis");
    let mut operation = other("/x", inner);
    operation.operation = "POST".into();
    let mut longer = other("/x", inner);
    longer.response = Some(http(SeqRange::new(SeqNum(2000), 101), inner.1, inner.1));
    for exchange in
        [other("/y", inner), protocol, operation, longer, other("/x", (T + MS, T + 11 * MS))]
    {
        assert_eq!(hops(vec![outside.clone(), exchange]).0, [1, 1]);
    }
}

#[test]
fn translated_addresses_are_one_call() {
    let (client, service, pod) = (endpoint(10, 20_000), endpoint(99, 80), endpoint(3, 8080));
    let masqueraded = endpoint(1, 30_000);
    let before = seen(1, client, service, "/x", (T, T + 10 * MS));
    let bridge_before = seen(2, client, service, "/x", (T + MS, T + 9 * MS));
    let bridge_after = seen(2, client, pod, "/x", (T + 2 * MS, T + 8 * MS));
    let after = seen(3, client, pod, "/x", (T + 3 * MS, T + 7 * MS));
    assert_eq!(hops(vec![before.clone(), after]).0, [2]);
    assert_eq!(hops(vec![bridge_before.clone(), bridge_after]).0, [2]);
    // Both ends are translated: the bridge alone is no evidence, with the client's tap it is.
    let both = seen(2, masqueraded, pod, "/x", (T + 2 * MS, T + 8 * MS));
    assert_eq!(hops(vec![bridge_before.clone(), both.clone()]).0, [1, 1]);
    assert_eq!(hops(vec![before, bridge_before, both]).0, [3]);
}

#[test]
fn the_next_exchange_of_one_flow_is_another_call() {
    let (client, server) = (endpoint(10, 20_000), endpoint(99, 80));
    let first = seen(1, client, server, "/x", (T, T + MS));
    let mut again = seen(1, client, server, "/x", (T + 2 * MS, T + 3 * MS));
    assert_eq!(hops(vec![first.clone(), again.clone()]).0, [1, 1]);
    again.flow = FlowId(7);
    assert_eq!(hops(vec![first, again]).0, [1, 1]);
}

#[test]
fn taps_beyond_the_limit_are_counted() {
    let at = |tap: u32| seen(tap, endpoint(10, 20_000), endpoint(99, 80), "/x", (T, T + MS));
    let (hops, counters) = hops((0..70).map(at).collect());
    assert_eq!((hops, counters.excess_observations), (vec![64], 6));
}
