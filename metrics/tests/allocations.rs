//! Counting an open flow again allocates nothing. Alone in its file: it counts the allocations of
//! the whole process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fact::{
    ClientBy, DirectionRecord, Fact, FlowId, FlowRecord, FlowState, Latencies, Notes, Sink,
};
use metrics::{Config, Metered, Metrics, Names};
use wire::{Endpoint, PerDirection, TapId, TapKind, Timestamp, Transport};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: `ptr` came from the system's allocator with this layout, as `alloc` passes it on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Registry(Arc<str>);

impl Names for Registry {
    fn tap_kind(&self, _: TapId) -> TapKind {
        TapKind::Veth
    }
    fn workload(&self, _: Endpoint) -> Option<Arc<str>> {
        Some(self.0.clone())
    }
}

struct Discard;

impl Sink for Discard {
    fn emit(&mut self, _: Fact<'_>) {}
}

/// A flow with more round-trip times than are kept one by one.
fn flow(id: u64, packets: u64) -> FlowRecord {
    let mut rtt_latencies = Latencies::default();
    (0..packets).for_each(|n| rtt_latencies.record(40_000 + n));
    let sent = DirectionRecord { packets, rtt_latencies, ..DirectionRecord::default() };
    let endpoint = |port| Endpoint::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    FlowRecord {
        id: FlowId(id),
        tap: TapId(0),
        transport: Transport::Tcp,
        client: endpoint(40_000),
        server: endpoint(80),
        client_by: ClientBy::Syn,
        vlans: Vec::new(),
        tunnels: Vec::new(),
        start: Timestamp::from_nanos(1),
        end: Timestamp::from_nanos(2),
        state: FlowState::Open,
        close_reason: None,
        trouble: None,
        notes: Notes::default(),
        directions: PerDirection { to_server: sent.clone(), to_client: sent },
        handshake: None,
        l7: None,
    }
}

#[test]
fn the_progress_of_open_flows_allocates_nothing() {
    let metrics = Arc::new(Metrics::new(Config::default()));
    let mut sink = Metered::new(Discard, metrics, Arc::new(Registry("nginx".into())));
    let flows = |packets| -> Vec<FlowRecord> { (0..100).map(|id| flow(id, packets)).collect() };
    for flow in &flows(20) {
        sink.emit(Fact::FlowProgress(flow));
    }
    sink.flush();
    let (first, more) = (&flows(30), &flows(40));
    // The first flow of an interval makes the edge's tally.
    sink.emit(Fact::FlowProgress(&first[0]));
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for flow in first.iter().skip(1).chain(more) {
        sink.emit(Fact::FlowProgress(flow));
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
}
