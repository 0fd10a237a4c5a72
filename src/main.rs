//! The `wirespan` binary: command line, configuration, privileges, threads, channels, HTTP and systemd.
//!
//! Everything that has a clock, a thread or a side effect lives here; the libraries below are handed
//! frames, times and facts and give back facts and records.

#![forbid(unsafe_code)]

mod batch;
mod cli;
mod config;
mod failure;
mod logging;
mod names;
mod output;
mod replay;
mod signals;
mod taps;

use std::process::ExitCode;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    logging::start(cli.verbosity.level());
    failure::report(execute(&cli))
}

fn execute(cli: &Cli) -> anyhow::Result<()> {
    let quiet = cli.verbosity.quiet;
    match &cli.command {
        Command::Replay(args) => replay::execute(args, quiet),
        Command::CheckConfig { file } => Ok(config::check_file(file).map(|_| ())?),
        Command::Completions { shell } => Ok(cli::completions(*shell, &mut std::io::stdout().lock())?),
        _ => Ok(()),
    }
}
