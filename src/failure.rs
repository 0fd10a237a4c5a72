//! How a command ends: one line on standard error, and the exit status that the documentation
//! promises.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// Exit statuses of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The operating system, a device or a database refused.
    Runtime = 1,
    /// Wrong usage or configuration, or input that is no capture.
    Usage = 2,
    /// A capture was cut short; everything before the cut was analysed.
    CutShort = 3,
}

/// Why a command did not end well. The text says what happened and, where there is something to do,
/// what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) lines: Vec<String>,
}

impl Failure {
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::new(Status::Usage, text)
    }

    pub(crate) fn runtime(text: impl fmt::Display) -> Self {
        Self::new(Status::Runtime, text)
    }

    pub(crate) fn new(status: Status, text: impl fmt::Display) -> Self {
        Self { status, lines: vec![text.to_string()] }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    /// A failure travels unchanged inside of an `anyhow` error; anything else is a runtime failure
    /// with its causes.
    fn from(error: anyhow::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(|other| Self::runtime(format!("{other:#}")))
    }
}

/// Whether the reader of standard output has gone away, which ends a command quietly.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Prints a failure as `wirespan: …` and turns the result into the exit status.
pub(crate) fn report(result: anyhow::Result<()>) -> ExitCode {
    let error = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => return ExitCode::SUCCESS,
        Err(error) => Failure::from(error),
    };
    let mut stderr = io::stderr().lock();
    for line in &error.lines {
        // Nothing is left to tell anybody when standard error itself is closed.
        let _ = writeln!(stderr, "wirespan: {line}");
    }
    ExitCode::from(error.status as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_status_through_anyhow() {
        let error = anyhow::Error::new(Failure::usage("no")).context("while trying");
        // Context hides the type from `downcast`, so failures are made last; a bare one survives.
        assert_eq!(Failure::from(error).status, Status::Usage);
        assert_eq!(Failure::from(anyhow::Error::new(Failure::usage("no"))).status, Status::Usage);
    }

    #[test]
    fn a_closed_pipe_is_recognised_below_a_context() {
        let error = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe))
            .context("writing records");
        assert!(is_closed_pipe(&error));
    }
}
