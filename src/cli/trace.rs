//! Arguments of `wirespan trace`.

use std::path::PathBuf;

use clap::Args;

use super::emit::Output;

#[derive(Args, Debug)]
pub(crate) struct TraceArgs {
    /// Trace to draw (its first digits are enough if they are unique); without it recent traces are
    /// listed
    #[arg(value_name = "TRACE_ID")]
    pub(crate) id: Option<String>,
    /// Read this file, as written by `--store`
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(crate) store: Option<PathBuf>,
    /// Ask the `wirespan run` that listens there
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9797")]
    pub(crate) url: String,
    /// Only traces that this service takes part in
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only traces that took at least this many milliseconds
    #[arg(long, value_name = "MS")]
    pub(crate) min_duration_ms: Option<u64>,
    /// Only traces with an error
    #[arg(long)]
    pub(crate) error: bool,
    /// How many traces to list, newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

impl TraceArgs {
    /// Whether not all traces are asked for.
    pub(crate) fn is_filtered(&self) -> bool {
        self.service.is_some() || self.min_duration_ms.is_some() || self.error
    }
}
