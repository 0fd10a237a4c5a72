//! Arguments of `wirespan run`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::emit::{Emit, EmitSet, FilterArgs};

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Interface to tap: a name, a glob such as `veth*`, or `any`; may be repeated
    #[arg(short = 'i', long = "interface", value_name = "IFACE")]
    pub(crate) interfaces: Vec<String>,
    /// How frames are captured: af_packet (the default) or xdp
    #[arg(long, value_name = "BACKEND")]
    pub(crate) backend: Option<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Packets only: load no kernel programs that record system calls
    #[arg(long)]
    pub(crate) no_ebpf: bool,
    /// Address and port of the HTTP server; the default is 127.0.0.1:9797
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Keep traces in this file instead of in memory
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(crate) duration: Option<f64>,
    /// Write records to standard output as they are made
    #[arg(short, long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<RunOutput>,
    /// Kinds of records, separated by commas; the default is spans,summary
    #[arg(
        short,
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "KINDS",
        requires = "output"
    )]
    emit: Vec<Emit>,
    /// Also write what is captured to this file, as pcapng
    #[arg(short = 'w', long = "write", value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
}

/// Forms of records while running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunOutput {
    /// One JSON object a line
    Jsonl,
}

impl RunArgs {
    /// Kinds of records to write to standard output; none without `--output`.
    pub(crate) fn emit(&self) -> EmitSet {
        match (self.output, self.emit.is_empty()) {
            (None, _) => EmitSet::default(),
            (Some(RunOutput::Jsonl), true) => [Emit::Spans, Emit::Summary].into_iter().collect(),
            (Some(RunOutput::Jsonl), false) => self.emit.iter().copied().collect(),
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if s > 0.0 && s <= 1e9 => Ok(s),
        _ => Err("expected a number of seconds above 0".to_owned()),
    }
}
