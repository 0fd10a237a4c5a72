use std::io::{self, Read};

const CAPACITY: usize = 1 << 20;

/// Large reads into one buffer that records are parsed in. It grows only as far as one record needs and the
/// input really delivers.
pub(super) struct Buffer {
    input: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
}

impl Buffer {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, bytes: vec![0; CAPACITY], start: 0, end: 0, offset: 0, ended: false }
    }

    /// What is in memory from the reading position on.
    pub(super) fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Offset of the reading position in the uncompressed input.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Moves the reading position over bytes in memory.
    pub(super) fn consume(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// Reads until `n` bytes are in memory; `false` when the input ends before.
    pub(super) fn fill(&mut self, n: usize) -> io::Result<bool> {
        while self.end - self.start < n {
            if self.ended {
                return Ok(false);
            }
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.end == self.bytes.len() {
                let larger = (2 * self.bytes.len()).min(n.next_power_of_two().max(CAPACITY));
                self.bytes.resize(larger.max(self.end + 1), 0);
            }
            self.read_once()?;
        }
        Ok(true)
    }

    /// Moves the reading position `n` bytes on, in memory or not; `false` when the input ends before.
    pub(super) fn skip(&mut self, mut n: usize) -> io::Result<bool> {
        loop {
            let here = n.min(self.end - self.start);
            self.consume(here);
            n -= here;
            if n == 0 {
                return Ok(true);
            }
            if !self.fill(1)? {
                return Ok(false);
            }
        }
    }

    fn read_once(&mut self) -> io::Result<()> {
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.input.read(room) {
                Ok(n) => {
                    self.end += n.min(room.len());
                    self.ended = n == 0;
                    return Ok(());
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.ended = true;
                    return Err(e);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_larger_than_the_buffer_is_read_whole() {
        let content: Vec<u8> = (0..3 * CAPACITY).map(|i| (i % 251) as u8).collect();
        let mut buffer = Buffer::new(Box::new(io::Cursor::new(content.clone())));
        assert!(buffer.fill(10).unwrap());
        buffer.consume(10);
        assert!(buffer.fill(2 * CAPACITY).unwrap());
        assert_eq!(buffer.data()[..2 * CAPACITY], content[10..10 + 2 * CAPACITY]);
        assert!(buffer.skip(2 * CAPACITY).unwrap());
        assert_eq!(buffer.offset(), (10 + 2 * CAPACITY) as u64);
        assert!(!buffer.fill(CAPACITY).unwrap());
        assert!(!buffer.skip(CAPACITY).unwrap());
        assert_eq!(buffer.offset(), content.len() as u64);
    }
}
