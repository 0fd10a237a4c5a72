//! Diagnostics go to standard error through `tracing`; the level comes from `-v`, `-q` or
//! `WIRESPAN_LOG`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. Flags win over `WIRESPAN_LOG`, which takes the directives of
/// `tracing-subscriber` (`debug`, `wirespan=trace,store=info`…); the default is warnings.
pub(crate) fn start(level: Option<&str>) {
    let filter = match level {
        Some(level) => EnvFilter::new(level),
        None => EnvFilter::try_from_env("WIRESPAN_LOG").unwrap_or_else(|_| EnvFilter::new("warn")),
    };
    let colour = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .try_init();
    debug_assert!(started.is_ok(), "logging is started once");
}
