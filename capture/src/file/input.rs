//! Opens a capture file or standard input, and decompresses it.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use wire::TapId;

use crate::Error;
use crate::sys::wait_readable;

/// Gives an id to the tap of that name: the file's, or `file#interface` in a pcapng file with
/// several interfaces.
pub type TapNames = Box<dyn FnMut(&str) -> TapId + Send>;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// An opened file with its compression removed.
pub(super) struct Input {
    pub(super) reader: Box<dyn Read + Send>,
    /// Bytes read from the file itself, compressed as they may be.
    pub(super) position: Arc<AtomicU64>,
    /// Size of the file itself; unknown for pipes.
    pub(super) size: Option<u64>,
    /// The pipe, where it is one, to look whether there is something in it.
    pub(super) pipe: Option<File>,
}

impl Input {
    pub(super) fn open(path: &Path, stop: Arc<AtomicBool>) -> Result<Self, Error> {
        let fail = |source| Error::File { path: path.display().to_string(), source };
        let stoppable = |file: File| {
            let pipe = file.try_clone()?;
            let raw: Box<dyn Read + Send> = Box::new(Stoppable { file, stop });
            Ok((raw, None, Some(pipe)))
        };
        let (raw, size, pipe) = if path == Path::new("-") {
            let stdin = io::stdin().as_fd().try_clone_to_owned();
            stdin.and_then(|stdin| stoppable(stdin.into())).map_err(fail)?
        } else {
            let file = File::open(path).map_err(fail)?;
            let metadata = file.metadata().map_err(fail)?;
            if metadata.is_dir() {
                return Err(Error::NotACapture {
                    path: path.display().to_string(),
                    problem: "is a directory, not a capture file".into(),
                });
            }
            if metadata.is_file() {
                let raw: Box<dyn Read + Send> = Box::new(file);
                (raw, Some(metadata.len()), None)
            } else {
                stoppable(file).map_err(fail)?
            }
        };
        let position = Arc::new(AtomicU64::new(0));
        let mut counted = Counted { input: raw, position: Arc::clone(&position) };
        let mut head = Vec::with_capacity(4);
        counted.by_ref().take(4).read_to_end(&mut head).map_err(fail)?;
        let gzip = head.starts_with(&GZIP);
        let zstd = head.starts_with(&ZSTD);
        let whole = Cursor::new(head).chain(counted);
        let reader: Box<dyn Read + Send> = if gzip {
            Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(256 << 10, whole)))
        } else if zstd {
            Box::new(zstd::Decoder::new(whole).map_err(fail)?)
        } else {
            Box::new(whole)
        };
        Ok(Self { reader, position, size, pipe })
    }
}

/// Whether something comes out of `pipe` at once or within `wait`; also its end, and an error that
/// reading it tells.
pub(super) fn has_more(pipe: &File, wait: Duration) -> bool {
    wait_readable(pipe.as_fd(), wait).unwrap_or(true)
}

/// A pipe, which ends when it is asked to: nobody may ever write to it again.
struct Stoppable {
    file: File,
    stop: Arc<AtomicBool>,
}

impl Read for Stoppable {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        const LOOK: Duration = Duration::from_millis(100);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(0);
            }
            if wait_readable(self.file.as_fd(), LOOK)? {
                return self.file.read(buf);
            }
        }
    }
}

struct Counted {
    input: Box<dyn Read + Send>,
    position: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buf)?;
        self.position.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// What a file is that starts with `head`, where it is known and not a capture that can be read.
pub(super) fn describe(head: &[u8]) -> String {
    const KNOWN: [(&[u8], &str); 14] = [
        (
            b"snoop\0\0\0",
            "is a snoop file, which is not supported: convert it with `editcap -F pcapng IN OUT`",
        ),
        (
            b"RTSS",
            "is a Network Monitor capture, which is not supported: convert it with `editcap -F pcapng IN OUT`",
        ),
        (
            b"GMBU",
            "is a Network Monitor capture, which is not supported: convert it with `editcap -F pcapng IN OUT`",
        ),
        (
            b"XCP\0",
            "is a NetXRay capture, which is not supported: convert it with `editcap -F pcapng IN OUT`",
        ),
        (
            b"TRSNIFF data",
            "is a Sniffer capture, which is not supported: convert it with `editcap -F pcapng IN OUT`",
        ),
        (
            &[0xfd, b'7', b'z', b'X', b'Z', 0],
            "is compressed with xz, which is not supported: decompress it with `xz -d`",
        ),
        (b"BZh", "is compressed with bzip2, which is not supported: decompress it with `bzip2 -d`"),
        (
            &[0x04, 0x22, 0x4d, 0x18],
            "is compressed with lz4, which is not supported: decompress it with `lz4 -d`",
        ),
        (&[0xff, 0xd8, 0xff], "is a JPEG image, not a capture file (pcap or pcapng expected)"),
        (b"\x89PNG", "is a PNG image, not a capture file (pcap or pcapng expected)"),
        (b"GIF8", "is a GIF image, not a capture file (pcap or pcapng expected)"),
        (b"%PDF", "is a PDF document, not a capture file (pcap or pcapng expected)"),
        (b"PK\x03\x04", "is a zip archive, not a capture file (pcap or pcapng expected)"),
        (b"\x7fELF", "is a program, not a capture file (pcap or pcapng expected)"),
    ];
    if head.is_empty() {
        return "is empty".into();
    }
    if let Some((_, words)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return (*words).into();
    }
    "is no capture file (pcap or pcapng expected)".into()
}
