//! The tracing file system, through which tracepoints of system calls are found.

use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, mount};

/// Where tracefs belongs (Documentation/trace/ftrace.rst of the kernel).
pub const TRACEFS: &str = "/sys/kernel/tracing";

/// Places where it may be mounted, in the order in which they are looked at.
const PLACES: [&str; 2] = [TRACEFS, "/sys/kernel/debug/tracing"];

/// Whether tracefs is mounted and readable.
pub(crate) fn is_mounted() -> bool {
    PLACES.iter().any(|place| Path::new(place).join("events").is_dir())
}

/// Mounts tracefs on [`TRACEFS`] if it is mounted nowhere. This changes the system, so it is left
/// to the caller to ask for.
///
/// # Errors
/// The mount's, where the process lacks `CAP_SYS_ADMIN` or the kernel lacks tracefs.
pub fn ensure_tracefs() -> io::Result<()> {
    if is_mounted() {
        return Ok(());
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("tracefs", TRACEFS, "tracefs", flags, None)?;
    Ok(())
}
