//! How records of sockets are made and read.

use std::time::Duration;

/// How the records are made and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketRecordsConfig {
    /// Size of the ring buffer in bytes; made a power of two and a multiple of the page size. A
    /// send or a receive takes 48 bytes by socket tracepoints, 112 by system call.
    pub ring_bytes: u32,
    /// Processes, by their ids in the initial pid namespace, whose calls are not recorded, besides
    /// this one; 7 at most, the rest is not heeded.
    pub ignore: Vec<u32>,
    /// A waiting reader is woken when this part of the ring is filled, in percent; 0 wakes it for
    /// every record.
    pub wake_percent: u8,
    /// Longest time that a record waits for the reader when the ring is filled less than that.
    pub latency: Duration,
    /// Whether sends and receives are recorded by the socket tracepoints where the kernel has them
    /// (6.3), else by system call.
    pub socket_tracepoints: bool,
    /// Threads and, apart from them, sockets in a generation of those that short records name by
    /// number; two generations are remembered. With the next one the kernel programs tell of all
    /// that are in use again.
    pub identities: usize,
}

impl Default for SocketRecordsConfig {
    /// 8 MiB (some 170,000 short records), a reader that looks every 20 ms, woken earlier when the
    /// ring is filled by a quarter, 65,536 threads and sockets (at most 24 MB).
    fn default() -> Self {
        Self {
            ring_bytes: 8 << 20,
            ignore: Vec::new(),
            wake_percent: 25,
            latency: Duration::from_millis(20),
            socket_tracepoints: true,
            identities: 65_536,
        }
    }
}
