//! A packet in order costs no allocation: neither data nor the acknowledgement of it, once the flow
//! is warm.
//!
//! The payload is of no known protocol, so that only the flow and the stream are measured, first
//! while the conversation still looks at it, then after it gave up.

#![allow(unsafe_code)]

mod packets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use analyzer::{Analyzer, Config};
use fact::{Fact, Sink};
use packets::Ends;
use wire::{LinkType, RawFrame, TapId, Timestamp};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread.
struct Counting;

fn count() {
    // The slot is gone while a thread ends; nothing is measured then.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract;
// the counter is a plain cell of the thread and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: `ptr` came from the system's allocator with this layout, as `alloc` and `realloc`
        // pass it on.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: `ptr` came from the system's allocator with this layout; the caller answers for
        // `new_size`.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Nowhere;

impl Sink for Nowhere {
    fn emit(&mut self, _: Fact<'_>) {}
}

/// Allocations that `work` makes in this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

struct Feed {
    analyzer: Analyzer,
    number: u64,
}

impl Feed {
    fn take(&mut self, bytes: &[u8]) {
        self.number += 1;
        let frame = RawFrame {
            time: Timestamp::from_nanos(1_700_000_000_000_000_000 + self.number * 10_000),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        self.analyzer.frame(self.number, &frame, &mut Nowhere);
    }
}

#[test]
fn packets_in_order_do_not_allocate() {
    let mut feed = Feed { analyzer: Analyzer::new(Config::default()), number: 0 };
    let mut ends = Ends::new(40_000, 7);
    for frame in ends.handshake() {
        feed.take(&frame);
    }
    // Frames are made before the count starts; sequence numbers go on from burst to burst.
    let bursts: Vec<Vec<Vec<u8>>> = (0..40).map(|_| ends.burst(50, 1400)).collect();
    let mut counted = Vec::new();
    for burst in &bursts {
        counted.push(allocations(|| burst.iter().for_each(|frame| feed.take(frame))));
    }
    assert!(counted[0] > 0, "nothing is counted at all");
    assert_eq!(
        counted[10..].iter().sum::<u64>(),
        0,
        "allocations by burst of 100 packets: {counted:?}"
    );
}
