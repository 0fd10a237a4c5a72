//! The command line: what can be said, and which command does it.

mod emit;
mod interfaces;
mod replay;
mod run;
mod trace;

pub(crate) use emit::{EmitSet, Output};
pub(crate) use interfaces::InterfacesArgs;
pub(crate) use replay::{ReplayArgs, Rotated};
pub(crate) use run::RunArgs;
pub(crate) use trace::TraceArgs;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

/// Network metrics and distributed traces from packets and system calls.
#[derive(Debug, Parser)]
#[command(name = "wirespan", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said on standard error.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Verbosity {
    /// Say more on standard error; repeat for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say only errors on standard error, no summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

impl Verbosity {
    /// Level asked for by flags, if any.
    pub(crate) fn level(self) -> Option<&'static str> {
        match (self.quiet, self.verbose) {
            (true, _) => Some("error"),
            (false, 0) => None,
            (false, 1) => Some("info"),
            (false, 2) => Some("debug"),
            (false, _) => Some("trace"),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Analyse captures: pcap and pcapng, also compressed with gzip or zstd, and from a pipe
    Replay(ReplayArgs),
    /// Tap this node's interfaces until stopped
    Run(RunArgs),
    /// List recent traces, or draw one as a tree with its hops
    Trace(TraceArgs),
    /// List what could be tapped, and why it is selected or not
    Interfaces(InterfacesArgs),
    /// Check a configuration file and report every mistake in it
    CheckConfig {
        /// TOML file to check
        #[arg(required_unless_present = "example")]
        file: Option<PathBuf>,
        /// Print a configuration file with every key, its meaning and its default instead
        #[arg(long, conflicts_with = "file")]
        example: bool,
    },
    /// Print a completion script
    Completions {
        /// Shell to complete for
        shell: clap_complete::Shell,
    },
}

/// Reads the command line. Help and version end well; a mistake is told in the form of every other
/// error, with status 2.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(arguments).map_err(|error| {
        if !error.use_stderr() {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let _ = write!(std::io::stderr().lock(), "wirespan: {text}");
        ExitCode::from(2)
    })
}

/// Writes the completion script of `shell`.
pub(crate) fn completions(shell: clap_complete::Shell, out: &mut dyn Write) -> std::io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wirespan", &mut script);
    out.write_all(&script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_expression_may_follow_two_dashes() {
        let cli = Cli::try_parse_from([
            "wirespan", "replay", "a.pcap", "b.pcap", "--", "tcp", "port", "80",
        ])
        .unwrap();
        let Command::Replay(replay) = cli.command else { panic!("another command") };
        assert_eq!(replay.files.len(), 2);
        assert_eq!(replay.filter.expression().as_deref(), Some("tcp port 80"));
    }

    #[test]
    fn two_expressions_are_a_mistake() {
        assert!(
            Cli::try_parse_from(["wirespan", "replay", "-f", "udp", "a.pcap", "--", "tcp"])
                .is_err()
        );
    }
}
