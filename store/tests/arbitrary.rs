//! Whatever comes in: nothing panics, nothing grows without bound, and every call leaves in exactly
//! one trace.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use fact::Outcome;
use proptest::prelude::*;
use store::{Store, StoreConfig};
use wire::{SeqNum, SeqRange, SockIo, SockIoKind, TapId, Timestamp, Transport};
use world::{endpoint, exchange, http, process};

fn small() -> StoreConfig {
    StoreConfig {
        max_unordered_records: 8,
        max_records: 16,
        max_records_per_socket: 4,
        max_sockets: 4,
        max_threads: 2,
        max_calls: 8,
        max_calls_per_trace: 3,
        max_depth: 2,
        max_memory_traces: 4,
        max_wait: Duration::from_secs(3),
        ..StoreConfig::default()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Io {
        kind: u8,
        tid: u32,
        cookie: u64,
        ends: (u8, u8),
        seq: (u32, u32),
        time: u64,
        took: u64,
    },
    Exchange {
        tap: u32,
        udp: bool,
        ends: (u8, u8),
        request: Option<(u32, u32)>,
        response: Option<(u32, u32)>,
        time: u64,
        took: u64,
        header: u8,
    },
    Tick(u64),
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0u64..5_000_000_000, 1 => Just(0u64), 1 => any::<u64>()]
}

fn range() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![6 => (0u32..2000, 0u32..500), 1 => any::<(u32, u32)>()]
}

fn op() -> impl Strategy<Value = Op> {
    let ends = || (0u8..3, 0u8..3);
    prop_oneof![
        3 => (0u8..5, 0u32..4, 0u64..6, ends(), range(), time(), 0u64..1_000_000)
            .prop_map(|(kind, tid, cookie, ends, seq, time, took)| {
                Op::Io { kind, tid, cookie, ends, seq, time, took }
            }),
        3 => (
            (0u32..4, any::<bool>(), ends()),
            (proptest::option::of(range()), proptest::option::of(range())),
            (time(), 0u64..2_000_000_000, 0u8..4),
        )
            .prop_map(|((tap, udp, ends), (request, response), (time, took, header))| {
                Op::Exchange { tap, udp, ends, request, response, time, took, header }
            }),
        1 => time().prop_map(Op::Tick),
    ]
}

fn apply(store: &mut Store, op: &Op) -> Vec<Arc<store::Trace>> {
    match *op {
        Op::Io { kind, tid, cookie, ends, seq, time, took } => {
            let kinds = [
                SockIoKind::Send,
                SockIoKind::Receive,
                SockIoKind::Connect,
                SockIoKind::Accept,
                SockIoKind::Close,
            ];
            store.add_sock_io(&SockIo {
                kind: kinds[usize::from(kind)],
                process: process(tid, tid, "p"),
                cookie,
                local: endpoint(ends.0, 80),
                remote: endpoint(ends.1, 80),
                seq: SeqRange::new(SeqNum(seq.0), seq.1),
                enter: Timestamp::from_nanos(time),
                exit: Timestamp::from_nanos(time.saturating_add(took)),
            });
        }
        Op::Exchange { tap, udp, ends, request, response, time, took, header } => {
            let end = time.saturating_add(took);
            let message = |(start, len), at| http(SeqRange::new(SeqNum(start), len), at, end);
            let request = request.map(|r| message(r, time));
            let response = response.map(|r| message(r, end));
            let mut e = exchange(
                TapId(tap),
                endpoint(ends.0, 80),
                endpoint(ends.1, 80),
                request,
                response,
                "/",
            );
            if udp {
                e.transport = Transport::Udp;
            }
            if request.is_none() {
                e.outcome = Outcome::NoRequest;
            }
            if header > 0 {
                e.attributes.push_text("http.request.header.x-request-id", &format!("id-{header}"));
            }
            store.add_exchange(Box::new(e));
        }
        Op::Tick(time) => return store.tick(Timestamp::from_nanos(time)).unwrap(),
    }
    Vec::new()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn every_observation_leaves_once(
        ops in proptest::collection::vec(op(), 0..200),
        tight in any::<bool>()
    ) {
        let config = if tight { small() } else { StoreConfig::default() };
        let mut store = Store::open(config).unwrap();
        let mut traces = Vec::new();
        for op in &ops {
            traces.extend(apply(&mut store, op));
        }
        traces.extend(store.finish().unwrap());
        let (mut hops, mut calls) = (0u64, 0u64);
        for trace in &traces {
            trace.visit(|call| {
                calls += 1;
                hops += call.hops.len() as u64;
            });
            let text = serde_json::to_string(trace).unwrap();
            let read: store::Trace = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &**trace);
        }
        let counters = store.counters();
        prop_assert_eq!(counters.calls, calls);
        prop_assert_eq!(counters.traces, traces.len() as u64);
        prop_assert_eq!(counters.joined + counters.unmatched, calls);
        let lost = counters.late_observations + counters.excess_observations;
        prop_assert_eq!(hops + lost, counters.exchanges);
        if tight {
            let size = |t: &Arc<store::Trace>| {
                let mut n = 0;
                t.visit(|_| n += 1);
                n
            };
            let largest = traces.iter().map(size).max().unwrap_or(0);
            prop_assert!(largest <= 3);
        }
    }
}

#[test]
fn memory_stays_within_its_bounds() {
    let mut store = Store::open(StoreConfig {
        max_unordered_records: 1000,
        max_records: 1000,
        max_sockets: 200,
        max_threads: 100,
        max_calls: 500,
        max_memory_traces: 100,
        ..StoreConfig::default()
    })
    .unwrap();
    let mut largest = [0u64; 2];
    let mut rng = world::Rng(5);
    for i in 0..200_000u64 {
        let time = i * 20_000;
        let ends = (rng.below(250) as u8, rng.below(250) as u8);
        apply(
            &mut store,
            &Op::Io {
                kind: rng.below(5) as u8,
                tid: rng.next() as u32,
                cookie: i / 4,
                ends,
                seq: (rng.next() as u32, 100),
                time,
                took: 1000,
            },
        );
        if i % 3 == 0 {
            let range = Some((rng.next() as u32, 100));
            apply(
                &mut store,
                &Op::Exchange {
                    tap: 1,
                    udp: i % 2 == 0,
                    ends,
                    request: range,
                    response: range,
                    time,
                    took: 5000,
                    header: 0,
                },
            );
        }
        // The clock stands still in the second half of each second.
        if i % 1000 == 0 && (time / 500_000_000) % 2 == 0 {
            store.tick(Timestamp::from_nanos(time)).unwrap();
        }
        let half = usize::from(i >= 100_000);
        largest[half] = largest[half].max(store.bytes());
    }
    assert!(largest[1] <= largest[0] * 5 / 4, "{largest:?}");
    assert!(largest[1] < 8 << 20, "{largest:?}");
    let evicted = store.counters().evictions;
    assert!(
        evicted.threads > 0
            && evicted.sockets > 0
            && evicted.calls > 0
            && evicted.unordered_records > 0,
        "{evicted:?}"
    );
}
