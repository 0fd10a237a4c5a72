//! Records of calls on sockets.

use crate::{Endpoint, SeqRange, Timestamp};

/// What one call of a process did to one TCP socket, as the kernel programs recorded it.
/// It holds no payload: packets carry the content, this carries identity and causality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockIo {
    /// What was done.
    pub kind: SockIoKind,
    /// Who did it.
    pub process: Process,
    /// Kernel's socket cookie: the same for all records of one socket, never reused while the node
    /// is up.
    pub cookie: u64,
    /// This process's end of the connection.
    pub local: Endpoint,
    /// The other end, as this socket knows it (before any address translation).
    pub remote: Endpoint,
    /// Bytes written ([`SockIoKind::Send`]: sequence numbers that this side sends) or read
    /// ([`SockIoKind::Receive`]: sequence numbers that the other side sent); empty for the other
    /// kinds.
    pub seq: SeqRange,
    /// When the call was entered. Where a send was recorded at its end: when the connection sent
    /// the first of its bytes, later if the call blocked; of a receive then: its end.
    pub enter: Timestamp,
    /// When it returned.
    pub exit: Timestamp,
}

/// Kind of a [`SockIo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SockIoKind {
    /// Bytes were handed to the kernel (write, writev, sendto, sendmsg, sendmmsg, sendfile,
    /// splice, `io_uring`).
    Send,
    /// Bytes were taken from the kernel (read, readv, recvfrom, recvmsg, recvmmsg, splice,
    /// `io_uring`).
    Receive,
    /// The thread began to open this connection (`TCP_CLOSE` → `TCP_SYN_SENT`).
    Connect,
    /// The thread took this connection from the accept queue.
    Accept,
    /// The thread closed its descriptor.
    Close,
}

/// A thread of a process on this node, at the time of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Process id (the kernel's tgid) in the initial pid namespace.
    pub pid: u32,
    /// Thread id (the kernel's pid) in the initial pid namespace.
    pub tid: u32,
    /// The thread's command name, NUL-padded (`TASK_COMM_LEN`).
    pub command: [u8; 16],
    /// Id of its cgroup v2, 0 where there is none.
    pub cgroup: u64,
}

impl Process {
    /// The command name up to its first NUL; `?` for what is not UTF-8.
    pub fn command(&self) -> &str {
        let end = self.command.iter().position(|&b| b == 0).unwrap_or(self.command.len());
        std::str::from_utf8(&self.command[..end]).unwrap_or("?")
    }
}
