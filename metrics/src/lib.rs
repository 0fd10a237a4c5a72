//! Every Prometheus family of Wirespan, and the sink that fills them.
//!
//! [`Metrics`] owns the families and writes them as text. [`Metered`] observes the facts of one
//! analyzer and passes them on; it turns cumulative figures of flows into increments, so that a
//! counter moves while a flow is open and never counts twice. The binary adds figures that are no
//! facts (ring drops, channel drops, memory) through [`Metrics`].

#![forbid(unsafe_code)]

mod config;
mod deferred;
mod edge;
mod edge_key;
mod exemplars;
mod families;
mod histogram;
mod metered;
mod metrics;
mod names;
mod route;
mod series_cache;
mod snapshot;
mod tally;
mod text;
mod traced_call;

pub use config::Config;
pub use families::{FamilyInfo, JoinResult, families};
pub use metered::Metered;
pub use metrics::Metrics;
pub use names::Names;
pub use text::Format;
pub use traced_call::TracedCall;
