//! Arguments of `wirespan replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::emit::{Emit, EmitSet, FilterArgs, Output};

/// Which files of a replay are parts of one capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rotated {
    /// Those of one folder whose names differ in numbers only and whose times follow each other
    #[default]
    Auto,
    /// None
    Never,
    /// All
    Always,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// Captures to analyse, merged by time; `-` is standard input. Behind them may stand a tcpdump
    /// filter expression: `wirespan replay a.pcap 'tcp port 80'`
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Form of the records on standard output
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// Kinds of records, separated by commas
    #[arg(
        short,
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "spans,summary",
        value_name = "KINDS"
    )]
    emit: Vec<Emit>,
    /// Whether files are parts of one capture (`tcpdump -C` and `-G`, ring buffers), so that
    /// connections go on from file to file
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) rotated: Rotated,
    /// Write all metrics there at the end, as Prometheus text
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics_out: Option<PathBuf>,
    /// Keep traces in this file, for `wirespan trace --store`
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Threads that analyse; the output does not depend on it
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// Show no progress bar
    #[arg(long)]
    pub(crate) no_progress: bool,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl ReplayArgs {
    pub(crate) fn emit(&self) -> EmitSet {
        self.emit.iter().copied().collect()
    }
}
