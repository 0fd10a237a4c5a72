//! Limits and options of the metrics.

/// Limits and options of the metrics.
#[derive(Clone, Debug)]
pub struct Config {
    /// Most series of each edge family; the rest is counted under `__overflow__`.
    pub max_series: usize,
    /// Whether edges also carry addresses and the server's port.
    pub addresses: bool,
    /// Whether the operation of HTTP, HTTP/2 and FastCGI requests is method and route,
    /// `GET /user/{id}`, instead of `GET`.
    pub routes: bool,
    /// Version of the program, for `wirespan_build_info`.
    pub version: &'static str,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_series: 2_000,
            addresses: false,
            routes: false,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
