//! Keeping traces in a file and in memory, and finding them.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use store::{Error, Query, Reader, Store, StoreConfig, Trace, Workloads};
use wire::{Endpoint, Process, Timestamp};
use world::{Input, Setup, run};

fn config(path: &std::path::Path) -> StoreConfig {
    StoreConfig { path: Some(path.into()), ..StoreConfig::default() }
}

#[test]
fn what_was_kept_is_found_in_a_file_and_in_memory_alike() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup { requests: 60, ..Setup::default() };
    let (traces, file_store) = run(&setup, config(&dir.path().join("t.db")));
    let (_, memory_store) = run(&setup, StoreConfig::default());
    let (in_file, in_memory) = (file_store.reader().unwrap(), memory_store.reader().unwrap());
    let longest = traces.iter().map(|t| t.root.duration_ns()).max().unwrap();
    let queries = [
        Query::default(),
        Query { limit: 7, ..Query::default() },
        Query { service: Some("GUNICORN".into()), ..Query::default() },
        Query { service: Some("10.0.0.4:9000".into()), ..Query::default() },
        Query { service: Some("nobody".into()), ..Query::default() },
        Query { min_duration: Duration::from_nanos(longest), ..Query::default() },
        Query { error: Some(true), ..Query::default() },
        Query { error: Some(false), limit: 1000, ..Query::default() },
    ];
    let found: Vec<_> = queries.iter().map(|q| in_file.traces(q).unwrap()).collect();
    for (query, found) in queries.iter().zip(&found) {
        assert_eq!(*found, in_memory.traces(query).unwrap(), "{query:?}");
        assert!(found.windows(2).all(|w| w[0].root.start_unix_ns >= w[1].root.start_unix_ns));
    }
    let counts: Vec<_> = found.iter().map(Vec::len).collect();
    assert_eq!(counts, [60, 7, 60, 60, 0, 1, 0, 60]);
    let one = &traces[13];
    let id = one.trace_id.to_string();
    for reader in [&in_file, &in_memory] {
        assert_eq!(reader.trace(&one.trace_id).unwrap().as_ref(), Some(one));
        assert_eq!(reader.trace_by_prefix(&id[..12].to_uppercase()).unwrap().as_ref(), Some(one));
        assert_eq!(reader.trace_by_prefix("%").unwrap(), None);
        assert!(matches!(
            (0..16).map(|n| reader.trace_by_prefix(&format!("{n:x}"))).find(Result::is_err),
            Some(Err(Error::AmbiguousPrefix(_)))
        ));
    }
    let edges = in_file.services(&Query::default()).unwrap();
    let pairs: Vec<_> =
        edges.iter().map(|e| (e.client.as_str(), e.server.as_str(), e.calls)).collect();
    assert_eq!(
        pairs,
        [("curl", "nginx", 60), ("gunicorn", "backend", 60), ("nginx", "gunicorn", 60)]
    );
}

/// Calls what has an address of the chain's pods by that pod.
#[derive(Debug)]
struct Pods;

impl Workloads for Pods {
    fn workload(&self, endpoint: Endpoint, process: Option<&Process>) -> Option<Arc<str>> {
        let name = process.map_or("nobody", Process::command);
        Some(format!("{name}@{}", endpoint.address).into())
    }
}

#[test]
fn services_are_told_apart_and_found_by_their_workloads() {
    let mut store = Store::open(StoreConfig::default()).unwrap();
    store.set_workloads(Arc::new(Pods));
    for (_, input) in world::simulate(&Setup { requests: 5, clients: 1, ..Setup::default() }) {
        match input {
            Input::Io(io) => store.add_sock_io(&io),
            Input::Exchange(exchange) => store.add_exchange(exchange),
        }
    }
    store.finish().unwrap();
    let reader = store.reader().unwrap();
    let edges = reader.services(&Query::default()).unwrap();
    let pairs: Vec<_> = edges.iter().map(|e| (e.client.as_str(), e.server.as_str())).collect();
    assert_eq!(
        pairs,
        [
            ("curl@10.0.0.10", "nginx@10.0.0.2"),
            ("gunicorn@10.0.0.3", "backend@10.0.0.4"),
            ("nginx@10.0.0.2", "gunicorn@10.0.0.3")
        ]
    );
    let of = |name: &str| Query { service: Some(name.to_owned()), ..Query::default() };
    assert_eq!(reader.traces(&of("NGINX@10.0.0.2")).unwrap().len(), 5);
    assert_eq!(reader.traces(&of("nobody")).unwrap().len(), 0);
}

#[test]
fn a_trace_that_was_kept_before_workloads_had_names_is_read() {
    let (traces, _) = run(&Setup { requests: 1, ..Setup::default() }, StoreConfig::default());
    let mut older = serde_json::to_value(&*traces[0]).unwrap();
    let client = older["root"]["client"].as_object_mut().unwrap();
    assert!(!client.contains_key("workload"), "none is not written");
    let read: Trace = serde_json::from_value(older.clone()).unwrap();
    assert_eq!(
        (read.root.client.workload.as_deref(), read.root.client.name()),
        (None, Some("curl"))
    );
    older["root"]["client"]["workload"] = "shop/web".into();
    let read: Trace = serde_json::from_value(older).unwrap();
    assert_eq!(read.root.client.name(), Some("shop/web"));
}

#[test]
fn a_reader_sees_what_another_connection_writes_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let (_, mut writer) = run(&Setup { requests: 5, ..Setup::default() }, config(&path));
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.traces(&Query::default()).unwrap().len(), 5);
    let more = world::exchanges(3, 1_700_000_100_000_000_000);
    more.into_iter().for_each(|e| writer.add_exchange(Box::new(e)));
    writer.finish().unwrap();
    assert_eq!(reader.traces(&Query::default()).unwrap().len(), 8);
}

#[test]
fn the_file_stays_small_and_keeps_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let mut store = Store::open(StoreConfig { max_bytes: 1 << 20, ..config(&path) }).unwrap();
    for round in 0..40u64 {
        let start = 1_700_000_000_000_000_000 + round * 10_000_000_000;
        world::exchanges(100, start).into_iter().for_each(|e| store.add_exchange(Box::new(e)));
        store.tick(Timestamp::from_nanos(start + 9_000_000_000)).unwrap();
    }
    store.finish().unwrap();
    let kept =
        store.reader().unwrap().traces(&Query { limit: 10_000, ..Query::default() }).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size <= (1 << 20) + 300_000, "{size}");
    assert!(
        kept.len() > 100 && kept.len() as u64 + store.counters().pruned == 4000,
        "{} {:?}",
        kept.len(),
        store.counters()
    );
    assert_eq!(kept[0].root.start_unix_ns, 1_700_000_390_000_000_000 + 99 * 1_000_000);
}

#[test]
fn the_old_go() {
    let dir = tempfile::tempdir().unwrap();
    for path in [Some(dir.path().join("t.db")), None] {
        let mut store = Store::open(StoreConfig {
            path,
            max_age: Duration::from_secs(60),
            ..StoreConfig::default()
        })
        .unwrap();
        for round in 0..10u64 {
            let start = 1_700_000_000_000_000_000 + round * 20_000_000_000;
            world::exchanges(10, start).into_iter().for_each(|e| store.add_exchange(Box::new(e)));
            store.tick(Timestamp::from_nanos(start + 5_000_000_000)).unwrap();
            store.tick(Timestamp::from_nanos(start + 10_000_000_000)).unwrap();
        }
        let kept =
            store.reader().unwrap().traces(&Query { limit: 1000, ..Query::default() }).unwrap();
        assert_eq!(kept.len(), 30);
        assert_eq!(store.counters().pruned, 70);
    }
}

#[test]
fn a_file_that_is_no_trace_store_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    std::fs::write(
        &path,
        b"\xff\xd8\xff\xe0 JFIF, by no means a database, and long enough to be looked at twice",
    )
    .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(config(&path)), Err(Error::Damaged { .. })));
    assert!(matches!(Reader::open(&path), Err(Error::Damaged { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let message = Store::open(config(&path)).unwrap_err().to_string();
    assert!(message.contains("not a trace store"), "{message}");

    let other = dir.path().join("other.db");
    rusqlite::Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE a (b); PRAGMA user_version = 7;")
        .unwrap();
    assert!(matches!(Store::open(config(&other)), Err(Error::Foreign { .. })));
    assert!(matches!(Reader::open(&other), Err(Error::Foreign { .. })));

    let newer = dir.path().join("newer.db");
    drop(Store::open(config(&newer)).unwrap());
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99;").unwrap();
    assert!(matches!(Store::open(config(&newer)), Err(Error::Layout { found: 99, .. })));

    assert!(matches!(Reader::open(&dir.path().join("none")), Err(Error::Open { .. })));
    assert!(matches!(
        Store::open(config(&dir.path().join("no/such/dir"))),
        Err(Error::Open { .. })
    ));
}

#[test]
fn a_trace_is_the_record_of_the_interface() {
    let (traces, _) = run(
        &Setup { requests: 1, ..Setup::default() },
        StoreConfig { node: "n1".into(), ..StoreConfig::default() },
    );
    let json = serde_json::to_value(&traces[0]).unwrap();
    assert_eq!(json["type"], "trace");
    assert_eq!(json["trace_id"].as_str().unwrap().len(), 32);
    let root = &json["root"];
    assert_eq!(root["protocol"], "http");
    assert_eq!(root["operation"], "GET");
    assert_eq!(root["outcome"], "ok");
    assert_eq!(root["attributes"]["http.response.status_code"], 200);
    assert_eq!(root["client"]["process"]["command"], "curl");
    assert_eq!(root["server"]["address"], "10.0.0.2");
    assert_eq!(root["server"]["port"], 80);
    assert_eq!(root["server"]["process"]["pid"], 200);
    assert_eq!(root["hops"][0]["tap"], "veth_client");
    assert_eq!(root["hops"][0]["kind"], "veth");
    assert_eq!(root["hops"][0]["node"], "n1");
    assert!(root["hops"][0]["request_ns"].as_u64() < root["hops"][0]["response_ns"].as_u64());
    assert_eq!(root["cause"], "none");
    assert_eq!(root["children"][0]["cause"], "thread");
    let back: store::Trace = serde_json::from_value(json).unwrap();
    assert_eq!(back, *traces[0]);
}

#[test]
fn spans_are_linked_in_path_order() {
    let (traces, _) = run(&Setup { requests: 1, ..Setup::default() }, StoreConfig::default());
    let spans = store::flatten(&traces[0]);
    assert_eq!(spans.len(), 3 * 5);
    let at: Vec<_> = spans.iter().take(6).map(|s| s.observed_at.as_str()).collect();
    assert_eq!(at, ["client_process", "tap", "tap", "tap", "server_process", "client_process"]);
    assert_eq!(spans[0].parent_span_id, None);
    for pair in spans.windows(2) {
        assert_eq!(pair[1].parent_span_id, Some(pair[0].span_id));
    }
    let ids: std::collections::BTreeSet<_> = spans.iter().map(|s| s.span_id).collect();
    assert_eq!(ids.len(), spans.len());
}
