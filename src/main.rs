//! The `wirespan` binary: command line, configuration, privileges, threads, channels, HTTP and
//! systemd.
//!
//! Everything that has a clock, a thread or a side effect lives here; the libraries below are
//! handed frames, times and facts and give back facts and records.

#![forbid(unsafe_code)]

mod cli;
mod clock;
mod config;
mod failure;
mod http;
mod interfaces;
mod live;
mod logging;
mod names;
mod output;
mod pipeline;
mod privileges;
mod replay;
mod run;
mod signals;
mod taps;
mod trace;

use std::io::Write;
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
        Command::CheckConfig { file, .. } => match file {
            Some(file) => Ok(config::check_file(file).map(drop)?),
            None => Ok(std::io::stdout().lock().write_all(config::example().as_bytes())?),
        },
        Command::Completions { shell } => {
            Ok(cli::completions(*shell, &mut std::io::stdout().lock())?)
        }
        Command::Run(args) => run::execute(args, quiet),
        Command::Trace(args) => trace::execute(args),
        Command::Interfaces(args) => interfaces::execute(args),
    }
}
