use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Everything that can be configured. The defaults of the libraries' parts are the libraries' own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) capture: Capture,
    pub(crate) http: Http,
    pub(crate) pipeline: Pipeline,
    pub(crate) analyzer: analyzer::Config,
    pub(crate) store: store::StoreConfig,
    pub(crate) metrics: metrics::Config,
}

/// Which interfaces, and how.
#[derive(Clone, Debug)]
pub(crate) struct Capture {
    pub(crate) interfaces: Vec<String>,
    pub(crate) exclude: Vec<String>,
    /// `af_packet` or `xdp`.
    pub(crate) backend: String,
    pub(crate) filter: Option<String>,
    pub(crate) shards: usize,
}

/// Limits of the HTTP server.
#[derive(Clone, Debug)]
pub(crate) struct Http {
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
    pub(crate) queue_batches: usize,
    pub(crate) batch_facts: usize,
    pub(crate) flows_listed: usize,
    pub(crate) write_queue_bytes: usize,
    pub(crate) stall: Duration,
    pub(crate) privileges: String,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            interfaces: vec!["any".to_owned()],
            exclude: Vec::new(),
            backend: "af_packet".to_owned(),
            filter: None,
            shards: 0,
        }
    }
}

impl Default for Http {
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
            queue_batches: 256,
            batch_facts: 256,
            flows_listed: 2000,
            write_queue_bytes: 16 << 20,
            stall: Duration::from_secs(10),
            privileges: "drop".to_owned(),
        }
    }
}

impl Settings {
    /// What is right for each key but wrong together.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.capture.interfaces.is_empty() {
            problems.push("`capture.interfaces` is empty: name at least one interface, or \"any\"".to_owned());
        }
        problems
    }

    /// Number of shards with 0 resolved.
    pub(crate) fn shards(&self) -> usize {
        match self.capture.shards {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
            n => n,
        }
    }
}
