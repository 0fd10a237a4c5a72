//! poll(2) on one descriptor.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Waits until `fd` is readable (or has a pending error) for at most `wait`, in whole milliseconds
/// rounded up. A signal ends the wait early, as if it were over.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, wait: Duration) -> io::Result<bool> {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let millis = i32::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
    // SAFETY: `entry` is one valid pollfd for the duration of the call, and the count says one.
    let ready = unsafe { libc::poll(&raw mut entry, 1, millis) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok(false) } else { Err(error) };
    }
    Ok(ready > 0)
}
