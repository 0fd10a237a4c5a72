//! Arguments of `wirespan interfaces`.

use std::path::PathBuf;

use clap::Args;

use super::emit::Output;

#[derive(Args, Debug)]
pub(crate) struct InterfacesArgs {
    /// Judge by these names and globs instead of the configured ones; may be repeated
    #[arg(short = 'i', long = "interface", value_name = "IFACE")]
    pub(crate) interfaces: Vec<String>,
    /// Form of the list
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
