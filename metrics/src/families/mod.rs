//! The families, in the order of the contract: edges (flows, TCP, requests), then Wirespan itself.

mod flows;
mod own;
mod requests;
mod tcp;

pub use own::JoinResult;
pub use requests::TracedCall;

pub(crate) use flows::Flows;
pub(crate) use own::Own;
pub(crate) use requests::Requests;
pub(crate) use tcp::Tcp;

use std::sync::Arc;

use prometheus_client::registry::Registry;

use crate::edge::Edge;
use crate::exemplars::Exemplars;
use crate::tally::Tally;
use crate::text::{Format, to_prometheus};

/// Limits and options of the metrics.
#[derive(Clone, Debug)]
pub struct Config {
    /// Most series of each edge family; the rest is counted under `__overflow__`.
    pub max_series: usize,
    /// Whether edges also carry addresses and the server's port.
    pub addresses: bool,
    /// Whether the operation of HTTP, HTTP/2 and FastCGI requests is method and route, `GET /user/{id}`, instead of `GET`.
    pub routes: bool,
    /// Version of the program, for `wirespan_build_info`.
    pub version: &'static str,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_series: 2_000, addresses: false, routes: false, version: env!("CARGO_PKG_VERSION") }
    }
}

/// All families.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) config: Config,
    pub(crate) flows: Flows,
    pub(crate) tcp: Tcp,
    pub(crate) requests: Requests,
    pub(crate) own: Own,
    pub(crate) exemplars: Exemplars,
    registry: Registry,
}

impl Metrics {
    /// Makes and registers every family.
    pub fn new(config: Config) -> Self {
        let mut registry = Registry::with_prefix("wirespan");
        let flows = Flows::register(&mut registry, config.max_series);
        let tcp = Tcp::register(&mut registry, config.max_series);
        let requests = Requests::register(&mut registry, config.max_series);
        let own = Own::register(&mut registry, config.version);
        let exemplars = Exemplars::new(config.max_series);
        Self { config, flows, tcp, requests, own, exemplars, registry }
    }

    /// Adds what a shard counted on one edge.
    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &Tally) {
        self.flows.add(edge, &tally.flows);
        self.tcp.add(edge, &tally.tcp);
        self.requests.add(edge, &tally.requests);
    }

    /// Writes all families as text.
    pub fn encode(&self, format: Format) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        match format {
            Format::OpenMetrics => self.exemplars.annotate(&text),
            Format::Prometheus => to_prometheus(&text),
        }
    }
}
