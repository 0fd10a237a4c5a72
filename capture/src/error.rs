//! Errors of setting up a capture.

use std::io;

/// Why something could not be set up. What goes wrong later, while frames are read, is a
/// [`SourceError`](wire::SourceError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{path}: {source}")]
    File {
        /// The file, as it was named.
        path: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A file is there, but is no capture that can be read.
    #[error("{path} {problem}")]
    NotACapture {
        /// The file, as it was named.
        path: String,
        /// What it is instead, as the end of a sentence: `is empty`.
        problem: String,
    },
    /// A filter expression does not compile.
    #[error("filter expression `{expression}`: {problem}")]
    Filter {
        /// The expression.
        expression: String,
        /// libpcap's words.
        problem: String,
    },
    /// An interface pattern is not valid.
    #[error("interface pattern `{pattern}`: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value of the ring's configuration is out of its range.
    #[error("{key} is {value}: {expected}")]
    Config {
        /// Name of the value.
        key: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// The operating system refused a socket.
    #[error("{what}: {source}{}", hint(source))]
    Socket {
        /// What was tried.
        what: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
}

fn hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        " (needs CAP_NET_RAW; run it as root)"
    } else {
        ""
    }
}
