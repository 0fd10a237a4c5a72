//! Writes pcapng files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use wire::{LinkType, RawFrame, TapId};

use crate::Error;

const BUFFER: usize = 1 << 20;
/// Nanoseconds, in the encoding of `if_tsresol`.
const RESOLUTION: u8 = 9;
const PROGRAM: &str = concat!("wirespan ", env!("CARGO_PKG_VERSION"));

/// Writes frames into a pcapng file (draft-ietf-opsawg-pcapng): one interface per tap, times in
/// nanoseconds.
pub struct CaptureWriter {
    path: String,
    output: BufWriter<File>,
    interfaces: HashMap<(TapId, LinkType), u32>,
    frames: u64,
}

impl CaptureWriter {
    /// Creates the file, or empties it, and writes its header.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn new(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let fail = |source| Error::File { path: shown.clone(), source };
        let mut output = BufWriter::with_capacity(BUFFER, File::create(path).map_err(fail)?);
        section(&mut output).map_err(fail)?;
        Ok(Self { path: shown, output, interfaces: HashMap::new(), frames: 0 })
    }

    /// Writes a frame that was seen at the tap of this name. A VLAN tag that the kernel took out is
    /// put back.
    ///
    /// # Errors
    /// [`Error::File`], for example when the disk is full.
    pub fn write(&mut self, frame: &RawFrame<'_>, tap_name: &str) -> Result<(), Error> {
        self.frames += 1;
        self.frame(frame, tap_name).map_err(|source| self.fail(source))
    }

    /// Frames written so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Brings what is buffered into the file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.output.flush().map_err(|source| self.fail(source))
    }

    /// Writes what is buffered and closes the file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn finish(mut self) -> Result<(), Error> {
        self.flush()
    }

    fn fail(&self, source: io::Error) -> Error {
        Error::File { path: self.path.clone(), source }
    }

    fn frame(&mut self, frame: &RawFrame<'_>, tap_name: &str) -> io::Result<()> {
        let interface = self.interface(frame, tap_name)?;
        let tag =
            frame.vlan.filter(|_| frame.link_type == LinkType::Ethernet && frame.bytes.len() >= 12);
        let (addresses, rest) = frame.bytes.split_at(if tag.is_some() { 12 } else { 0 });
        let extra = if tag.is_some() { 4 } else { 0 };
        let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let captured = u32::try_from(frame.bytes.len() + extra as usize).map_err(too_long)?;
        let total = captured.checked_next_multiple_of(4).and_then(|n| n.checked_add(32));
        let total = total.ok_or(io::ErrorKind::InvalidInput)?;
        let nanos = frame.time.as_nanos();
        for word in [
            6,
            total,
            interface,
            (nanos >> 32) as u32,
            nanos as u32,
            captured,
            frame.wire_len.saturating_add(extra).max(captured),
        ] {
            self.output.write_all(&word.to_le_bytes())?;
        }
        self.output.write_all(addresses)?;
        if let Some(tag) = tag {
            self.output.write_all(&tag.tpid.to_be_bytes())?;
            self.output.write_all(&tag.tci.to_be_bytes())?;
        }
        self.output.write_all(rest)?;
        pad(&mut self.output, captured as usize)?;
        self.output.write_all(&total.to_le_bytes())
    }

    fn interface(&mut self, frame: &RawFrame<'_>, tap_name: &str) -> io::Result<u32> {
        let key = (frame.tap, frame.link_type);
        if let Some(known) = self.interfaces.get(&key) {
            return Ok(*known);
        }
        let id = u32::try_from(self.interfaces.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        interface(&mut self.output, frame.link_type, tap_name)?;
        self.interfaces.insert(key, id);
        Ok(id)
    }
}

/// Section header block: version 1.0, length not given.
fn section(output: &mut impl Write) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    body.extend([1, 0, 0, 0]);
    body.extend([0xff; 8]);
    option(&mut body, 4, PROGRAM.as_bytes());
    option(&mut body, 0, &[]);
    block(output, 0x0a0d_0d0a, &body)
}

/// Interface description block, with `if_name` and `if_tsresol`.
fn interface(output: &mut impl Write, link_type: LinkType, name: &str) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(link_type.number().to_le_bytes());
    body.extend([0; 6]);
    option(&mut body, 2, name.as_bytes().get(..usize::from(u16::MAX)).unwrap_or(name.as_bytes()));
    option(&mut body, 9, &[RESOLUTION]);
    option(&mut body, 0, &[]);
    block(output, 1, &body)
}

/// An option of a block; `value` has at most 65,535 bytes.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn block(output: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let total = (body.len() + 12) as u32;
    output.write_all(&kind.to_le_bytes())?;
    output.write_all(&total.to_le_bytes())?;
    output.write_all(body)?;
    output.write_all(&total.to_le_bytes())
}

fn pad(output: &mut impl Write, len: usize) -> io::Result<()> {
    let missing = len.next_multiple_of(4) - len;
    output.write_all([0; 3].get(..missing).unwrap_or_default())
}
