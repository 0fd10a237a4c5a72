//! Every Prometheus family of Wirespan, and the sink that fills them.
//!
//! [`Metrics`] owns the families and writes them as text. [`Metered`] observes the facts of one analyzer and passes them on; it
//! turns cumulative flow figures into increments, so a counter moves while a flow is open and never counts twice. Figures that
//! are not facts (ring drops, channel drops, memory) are told by the binary through [`Metrics`].

#![forbid(unsafe_code)]

mod capped;
mod edge;
mod exemplars;
mod families;
mod histogram;
mod metered;
mod names;
mod route;
mod snapshot;
mod tally;
mod text;

pub use families::{Config, JoinResult, Metrics, TracedCall};
pub use metered::Metered;
pub use names::Names;
pub use text::Format;
