//! Opening of capture files, and what their errors mean for the exit status.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use capture::CaptureFile;
use wire::{SourceError, TapKind};

use crate::failure::{Failure, Status};
use crate::taps::Taps;

/// Opens every file, or fails with a line for each that cannot be read. Pipes end when `stop` is
/// set.
pub(super) fn open(
    paths: &[PathBuf],
    taps: &Arc<Taps>,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<(PathBuf, CaptureFile)>, Failure> {
    let mut files = Vec::new();
    let mut failed: Option<Failure> = None;
    for path in paths {
        match open_one(path, taps, stop) {
            Ok(file) => files.push((path.clone(), file)),
            Err(failure) => match &mut failed {
                None => failed = Some(failure),
                Some(first) => first.lines.extend(failure.lines),
            },
        }
    }
    failed.map_or(Ok(files), Err)
}

fn open_one(path: &Path, taps: &Arc<Taps>, stop: &Arc<AtomicBool>) -> Result<CaptureFile, Failure> {
    let taps = taps.clone();
    let names = Box::new(move |name: &str| taps.add(name, TapKind::File));
    CaptureFile::open_until(path, names, stop.clone()).map_err(|error| {
        let refused =
            matches!(&error, capture::Error::File { source, .. } if !is_wrong_name(source));
        Failure::new(if refused { Status::Runtime } else { Status::Usage }, error)
    })
}

/// Whether the file's name is at fault rather than the system.
fn is_wrong_name(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory
    )
}

/// How a file that could not be read to its end ends the command.
pub(super) fn unreadable(error: &SourceError) -> Failure {
    match error {
        SourceError::CutShort { .. } => Failure::new(Status::CutShort, error),
        SourceError::Malformed { frames, .. } if *frames > 0 => {
            Failure::new(Status::CutShort, error)
        }
        SourceError::Malformed { .. } => Failure::usage(error),
        _ => Failure::runtime(error),
    }
}
