use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;

/// Standard output, buffered. Every error comes back, so that a closed pipe ends the command.
#[derive(Debug)]
pub(crate) struct Stdout {
    inner: BufWriter<StdoutLock<'static>>,
}

impl Stdout {
    pub(crate) fn lock() -> Self {
        Self { inner: BufWriter::with_capacity(64 << 10, io::stdout().lock()) }
    }

    /// Writes `record` as one line of JSON.
    pub(crate) fn json(&mut self, record: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.inner, record).map_err(io::Error::from)?;
        self.inner.write_all(b"\n")
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
