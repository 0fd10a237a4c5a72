//! Everything that can be configured, with its defaults.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Everything that can be configured. The defaults of the libraries' parts are the libraries' own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) capture: Capture,
    pub(crate) http: HttpSettings,
    pub(crate) pipeline: Pipeline,
    pub(crate) analyzer: analyzer::Config,
    pub(crate) store: store::StoreConfig,
    pub(crate) metrics: metrics::Config,
    pub(crate) ring: capture::RingConfig,
    pub(crate) frame_tap: xdp::FrameTapConfig,
    pub(crate) records: Records,
}

/// Which interfaces, and how.
#[derive(Clone, Debug)]
pub(crate) struct Capture {
    pub(crate) interfaces: Vec<String>,
    pub(crate) backend: Backend,
    pub(crate) filter: Option<String>,
    pub(crate) shards: usize,
}

/// How frames are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Packet rings (packet(7)).
    AfPacket,
    /// XDP and TCX programs.
    Xdp,
}

/// What happens to capabilities that are not needed after set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privileges {
    Drop,
    Keep,
}

/// Records of system calls.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) enabled: bool,
    pub(crate) config: xdp::SocketRecordsConfig,
}

impl Default for Records {
    fn default() -> Self {
        Self { enabled: true, config: xdp::SocketRecordsConfig::default() }
    }
}

/// Limits of the HTTP server.
#[derive(Clone, Debug)]
pub(crate) struct HttpSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) max_connections: usize,
    pub(crate) max_header_bytes: usize,
    pub(crate) max_body_bytes: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) connection_timeout: Duration,
    pub(crate) max_listed: usize,
}

/// Queues between threads.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) queue_facts: usize,
    pub(crate) batch_facts: usize,
    pub(crate) flows_listed: usize,
    pub(crate) write_queue_bytes: usize,
    pub(crate) stall: Duration,
    pub(crate) privileges: Privileges,
}

impl Default for Capture {
    fn default() -> Self {
        Self { interfaces: Vec::new(), backend: Backend::AfPacket, filter: None, shards: 0 }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9797)),
            max_connections: 64,
            max_header_bytes: 16 << 10,
            max_body_bytes: 4096,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            connection_timeout: Duration::from_secs(600),
            max_listed: 1000,
        }
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            queue_facts: 32_768,
            batch_facts: 256,
            flows_listed: 2000,
            write_queue_bytes: 16 << 20,
            stall: Duration::from_secs(10),
            privileges: Privileges::Drop,
        }
    }
}

impl Settings {
    /// What is right for each key but wrong together.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Err(error) = capture::interfaces::Selector::new(&self.capture.interfaces) {
            problems.push(format!("`capture.interfaces`: {error}"));
        }
        if let Some(expression) = &self.capture.filter
            && let Err(error) = capture::Filter::compile(expression, wire::LinkType::Ethernet)
        {
            problems.push(format!("`capture.filter`: {error}"));
        }
        if !self.ring.block_size.is_power_of_two() {
            problems.push(format!(
                "`capture.block_bytes` is {}, expected a power of two",
                self.ring.block_size
            ));
        }
        problems
    }

    /// Name of this node in hops: the configured one, else the host's.
    pub(crate) fn node(&self) -> String {
        if !self.store.node.is_empty() {
            return self.store.node.clone();
        }
        std::fs::read_to_string("/proc/sys/kernel/hostname")
            .map_or_else(|_| "localhost".into(), |name| name.trim().to_owned())
    }

    /// Bytes of all rings that the kernel fills.
    pub(crate) fn ring_bytes(&self) -> u64 {
        let frames = match self.capture.backend {
            Backend::Xdp => u64::from(self.frame_tap.ring_bytes),
            Backend::AfPacket => {
                u64::from(self.ring.block_size) * u64::from(self.ring.blocks) * self.shards() as u64
            }
        };
        frames + if self.records.enabled { u64::from(self.records.config.ring_bytes) } else { 0 }
    }

    /// Number of shards with 0 resolved. One thread reads the ring of XDP and TCX programs.
    pub(crate) fn shards(&self) -> usize {
        match self.capture.shards {
            _ if self.capture.backend == Backend::Xdp => 1,
            0 => std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
            n => n,
        }
    }
}
