//! Standard output, buffered.

use std::io::{self, StdoutLock, Write};

use serde::Serialize;

/// Bytes that are written at once.
const BLOCK: usize = 64 << 10;

/// Standard output, buffered. Every error comes back, so that a closed pipe ends the command.
#[derive(Debug)]
pub(crate) struct Stdout {
    inner: StdoutLock<'static>,
    /// Records are put together in memory: they consist of many small pieces.
    buffer: Vec<u8>,
}

impl Stdout {
    pub(crate) fn lock() -> Self {
        Self { inner: io::stdout().lock(), buffer: Vec::with_capacity(2 * BLOCK) }
    }

    /// Writes `record` as one line of JSON.
    pub(crate) fn json(&mut self, record: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, record).map_err(io::Error::from)?;
        self.buffer.push(b'\n');
        self.write_blocks()
    }

    fn write_blocks(&mut self) -> io::Result<()> {
        if self.buffer.len() < BLOCK {
            return Ok(());
        }
        let result = self.inner.write_all(&self.buffer);
        self.buffer.clear();
        result
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        self.write_blocks()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.write_all(&self.buffer);
        self.buffer.clear();
        result.and_then(|()| self.inner.flush())
    }
}

impl Drop for Stdout {
    fn drop(&mut self) {
        // Whoever ends early has an error to tell already.
        let _ = self.flush();
    }
}
