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
}
