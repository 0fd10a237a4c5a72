//! Packets a second, CPU time a packet and losses of a receiver, while another thread sends
//! datagrams of 100 bytes through a veth pair as fast as it can.

use std::io::Read;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use afpacket::sync::RawPacketStream;
use capture::interfaces::{Selector, Watch};
use capture::{Ring, RingConfig, Taps};
use rustix::time::{ClockId, clock_gettime};
use wire::{Source, TapId};

use crate::Amount;
use crate::network::{Netns, pair};

/// Destination ports of what is counted, and of what says that the sender is done.
const COUNTED: [u8; 2] = 7000_u16.to_be_bytes();
const DONE: [u8; 2] = 7001_u16.to_be_bytes();
/// Where an Ethernet frame of IPv4 without options has the destination port of UDP.
const PORT: std::ops::Range<usize> = 36..38;

/// What a receiver counts.
#[derive(Default)]
struct Count {
    packets: u64,
    done: bool,
    /// CPU time of the thread before the first packet: setting up is not measured.
    cpu_before_ns: f64,
}

impl Count {
    fn new() -> Self {
        Self { cpu_before_ns: cpu_ns(), ..Self::default() }
    }

    fn add(&mut self, frame: &[u8]) {
        let port = frame.get(PORT).unwrap_or_default();
        self.packets += u64::from(port == COUNTED);
        self.done |= port == DONE;
    }
}

/// CPU time of this thread so far.
fn cpu_ns() -> f64 {
    let cpu = clock_gettime(ClockId::ThreadCPUTime);
    cpu.tv_sec as f64 * 1e9 + cpu.tv_nsec as f64
}

/// Counts until the sender is done; calls `ready` when it sees packets.
type Receiver = fn(ready: &AtomicBool) -> Count;

fn by_ring(ready: &AtomicBool) -> Count {
    let watch = Watch::open().expect("netlink");
    let selector = Selector::new(&["a0"]).expect("a name");
    let names = Box::new(|_: &capture::interfaces::Interface| TapId(0));
    let taps = Arc::new(Taps::new(selector, watch.interfaces(), names));
    let mut rings = Ring::open(&RingConfig::default(), 1, &taps).expect("root may do it");
    let mut count = Count::new();
    ready.store(true, Ordering::Release);
    while !count.done {
        rings[0]
            .next_batch(Duration::from_millis(100), &mut |frame| count.add(frame.bytes))
            .expect("the device stays");
    }
    count
}

fn by_afpacket(ready: &AtomicBool) -> Count {
    let mut stream = RawPacketStream::new().expect("root may do it");
    stream.bind("a0").expect("the device is there");
    let (mut count, mut buffer) = (Count::new(), vec![0; 65_536]);
    ready.store(true, Ordering::Release);
    while !count.done {
        let len = stream.read(&mut buffer).expect("the device stays");
        count.add(&buffer[..len]);
    }
    count
}

/// Sends from `b`; then says that it is done until the receiver has heard it.
/// Returns datagrams a second.
fn send(netns: &Netns, datagrams: u32, heard: &AtomicBool) -> f64 {
    netns.enter();
    let socket = UdpSocket::bind("10.97.0.2:0").expect("a port is free");
    let payload = [0x5a; 100];
    // The other end's address is resolved before anything is counted.
    let _ = socket.send_to(&payload, "10.97.0.1:7002");
    thread::sleep(Duration::from_millis(100));
    // Nobody listens: refusals of earlier datagrams come back as errors.
    let start = Instant::now();
    for _ in 0..datagrams {
        let _ = socket.send_to(&payload, "10.97.0.1:7000");
    }
    let rate = f64::from(datagrams) / start.elapsed().as_secs_f64();
    while !heard.load(Ordering::Acquire) {
        let _ = socket.send_to(&payload, "10.97.0.1:7001");
        thread::sleep(Duration::from_millis(20));
    }
    rate
}

fn measure_one(what: &str, amount: Amount, receiver: Receiver) {
    let (a, b) = pair();
    let (ready, heard) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            a.enter();
            let count = receiver(&ready);
            heard.store(true, Ordering::Release);
            let cpu_ns = cpu_ns() - count.cpu_before_ns;
            let lost = u64::from(amount.datagrams).saturating_sub(count.packets);
            println!(
                "{what:<46} {:>10.1} ns of CPU a packet, {lost} of {} lost",
                cpu_ns / count.packets.max(1) as f64,
                amount.datagrams,
            );
        });
        while !ready.load(Ordering::Acquire) {
            thread::sleep(Duration::from_millis(1));
        }
        let rate = scope.spawn(|| send(&b, amount.datagrams, &heard)).join();
        println!("{:<46} {:>10.0} packets/s sent", "", rate.expect("the sender ends"));
    });
}

pub(crate) fn measure(amount: Amount) {
    if !rustix::process::geteuid().is_root() {
        println!("receiving: skipped, needs root (network namespaces)");
        return;
    }
    for _ in 0..amount.repetitions {
        measure_one("receive: capture::Ring", amount, by_ring);
        measure_one("receive: afpacket", amount, by_afpacket);
    }
}
