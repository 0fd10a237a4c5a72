//! Records as the kernel programs lay them out in memory: the structures of `bpf/sock_io.h`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::{Endpoint, Process, SeqNum, SeqRange, SockIo, SockIoKind};

use crate::clock::Clock;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// `enum record_kind` of `bpf/sock_io.h`.
mod kind {
    pub(super) const SOCK_IO_SEND: u8 = 1;
    pub(super) const SOCK_IO_RECEIVE: u8 = 2;
    pub(super) const SOCK_IO_CONNECT: u8 = 3;
    pub(super) const SOCK_IO_ACCEPT: u8 = 4;
    pub(super) const SOCK_IO_CLOSE: u8 = 5;
    pub(super) const BYTES_SENT: u8 = 6;
    pub(super) const BYTES_RECEIVED: u8 = 7;
    pub(super) const THREAD: u8 = 8;
    pub(super) const SOCKET: u8 = 9;
}

/// Offset of each member in bytes; a test compares them with the object's type information.
pub(crate) mod offset {
    /// Of every record.
    pub(crate) const KIND: usize = 0;

    /// `struct socket_record`.
    pub(crate) mod socket {
        pub(crate) const FAMILY: usize = 1;
        pub(crate) const LOCAL_PORT: usize = 2;
        pub(crate) const REMOTE_PORT: usize = 4;
        pub(crate) const COOKIE: usize = 8;
        pub(crate) const LOCAL: usize = 16;
        pub(crate) const REMOTE: usize = 32;
        pub(crate) const SIZE: usize = 48;
    }

    /// `struct sock_io`, which begins with a `struct socket_record`.
    pub(crate) mod sock_io {
        pub(crate) const ENTER_NS: usize = super::socket::SIZE;
        pub(crate) const EXIT_NS: usize = 56;
        pub(crate) const CGROUP: usize = 64;
        pub(crate) const PID: usize = 72;
        pub(crate) const TID: usize = 76;
        pub(crate) const SEQ_START: usize = 80;
        pub(crate) const SEQ_END: usize = 84;
        pub(crate) const COMMAND: usize = 88;
        #[cfg(test)]
        pub(crate) const SIZE: usize = 104;
    }

    /// `struct sock_bytes`.
    pub(crate) mod bytes {
        pub(crate) const TID: usize = 4;
        pub(crate) const COOKIE: usize = 8;
        pub(crate) const ENTER_NS: usize = 16;
        pub(crate) const EXIT_NS: usize = 24;
        pub(crate) const SEQ_START: usize = 32;
        pub(crate) const SEQ_END: usize = 36;
        #[cfg(test)]
        pub(crate) const SIZE: usize = 40;
    }

    /// `struct thread_record`.
    pub(crate) mod thread {
        pub(crate) const TID: usize = 4;
        pub(crate) const PID: usize = 8;
        pub(crate) const CGROUP: usize = 16;
        pub(crate) const COMMAND: usize = 24;
        #[cfg(test)]
        pub(crate) const SIZE: usize = 40;
    }
}

/// A record about a thread or a socket, or of what one did to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A call with all that is known of it.
    Whole(SockIo),
    /// A send or a receive, whose thread and socket were told before.
    Bytes(Bytes),
    /// Who the thread with this id is from now on.
    Thread(Process),
    /// Which connection the socket with this cookie holds from now on.
    Socket { cookie: u64, ends: Ends },
}

/// `struct sock_bytes`; times are those of CLOCK_MONOTONIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes {
    pub(crate) kind: SockIoKind,
    pub(crate) tid: u32,
    pub(crate) cookie: u64,
    pub(crate) enter_ns: u64,
    pub(crate) exit_ns: u64,
    pub(crate) seq: SeqRange,
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) local: Endpoint,
    pub(crate) remote: Endpoint,
}

/// `N` bytes of `bytes` from `at`, `None` where they are not there.
fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    take(bytes, at).map(u16::from_ne_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u32::from_ne_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    take(bytes, at).map(u64::from_ne_bytes)
}

fn address(bytes: &[u8], family: u8, at: usize) -> Option<IpAddr> {
    match family {
        AF_INET => take::<4>(bytes, at).map(|a| Ipv4Addr::from(a).into()),
        AF_INET6 => take::<16>(bytes, at).map(|a| Ipv6Addr::from(a).into()),
        _ => None,
    }
}

fn seq(bytes: &[u8], start: usize, end: usize) -> Option<SeqRange> {
    Some(SeqRange { start: SeqNum(u32_at(bytes, start)?), end: SeqNum(u32_at(bytes, end)?) })
}

/// The record in `bytes`, `None` if it is none (too short, unknown kind or family).
pub(crate) fn read(bytes: &[u8], clock: &Clock) -> Option<Record> {
    let whole = |kind| sock_io(bytes, kind, clock).map(Record::Whole);
    match *bytes.get(offset::KIND)? {
        kind::SOCK_IO_SEND => whole(SockIoKind::Send),
        kind::SOCK_IO_RECEIVE => whole(SockIoKind::Receive),
        kind::SOCK_IO_CONNECT => whole(SockIoKind::Connect),
        kind::SOCK_IO_ACCEPT => whole(SockIoKind::Accept),
        kind::SOCK_IO_CLOSE => whole(SockIoKind::Close),
        kind::BYTES_SENT => sock_bytes(bytes, SockIoKind::Send).map(Record::Bytes),
        kind::BYTES_RECEIVED => sock_bytes(bytes, SockIoKind::Receive).map(Record::Bytes),
        kind::THREAD => thread(bytes).map(Record::Thread),
        kind::SOCKET => socket(bytes).map(|(cookie, ends)| Record::Socket { cookie, ends }),
        _ => None,
    }
}

fn socket(bytes: &[u8]) -> Option<(u64, Ends)> {
    use offset::socket::*;
    let family = *bytes.get(FAMILY)?;
    let end = |ip, port| Some(Endpoint::new(address(bytes, family, ip)?, u16_at(bytes, port)?));
    let ends = Ends { local: end(LOCAL, LOCAL_PORT)?, remote: end(REMOTE, REMOTE_PORT)? };
    (bytes.len() >= SIZE).then_some((u64_at(bytes, COOKIE)?, ends))
}

fn sock_io(bytes: &[u8], kind: SockIoKind, clock: &Clock) -> Option<SockIo> {
    use offset::sock_io::*;
    let (cookie, Ends { local, remote }) = socket(bytes)?;
    let process = Process {
        pid: u32_at(bytes, PID)?,
        tid: u32_at(bytes, TID)?,
        command: take(bytes, COMMAND)?,
        cgroup: u64_at(bytes, CGROUP)?,
    };
    Some(SockIo {
        kind,
        process,
        cookie,
        local,
        remote,
        seq: seq(bytes, SEQ_START, SEQ_END)?,
        enter: clock.wall(u64_at(bytes, ENTER_NS)?),
        exit: clock.wall(u64_at(bytes, EXIT_NS)?),
    })
}

fn sock_bytes(bytes: &[u8], kind: SockIoKind) -> Option<Bytes> {
    use offset::bytes::*;
    Some(Bytes {
        kind,
        tid: u32_at(bytes, TID)?,
        cookie: u64_at(bytes, COOKIE)?,
        enter_ns: u64_at(bytes, ENTER_NS)?,
        exit_ns: u64_at(bytes, EXIT_NS)?,
        seq: seq(bytes, SEQ_START, SEQ_END)?,
    })
}

fn thread(bytes: &[u8]) -> Option<Process> {
    use offset::thread::*;
    Some(Process {
        pid: u32_at(bytes, PID)?,
        tid: u32_at(bytes, TID)?,
        command: take(bytes, COMMAND)?,
        cgroup: u64_at(bytes, CGROUP)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of each size.
    fn records(family: u8) -> [Vec<u8>; 4] {
        [
            (kind::SOCK_IO_RECEIVE, offset::sock_io::SIZE),
            (kind::BYTES_SENT, offset::bytes::SIZE),
            (kind::THREAD, offset::thread::SIZE),
            (kind::SOCKET, offset::socket::SIZE),
        ]
        .map(|(kind, size)| {
            let mut b = vec![0; size];
            b[offset::KIND] = kind;
            b[offset::socket::FAMILY] = family;
            b
        })
    }

    #[test]
    fn mapped_addresses_become_plain() {
        use offset::{sock_io, socket};
        let [mut b, ..] = records(AF_INET6);
        b[socket::LOCAL_PORT..][..2].copy_from_slice(&80u16.to_ne_bytes());
        b[socket::LOCAL..][..16]
            .copy_from_slice(&Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().octets());
        b[sock_io::SEQ_START..][..4].copy_from_slice(&u32::MAX.to_ne_bytes());
        b[sock_io::SEQ_END..][..4].copy_from_slice(&4u32.to_ne_bytes());
        let Some(Record::Whole(io)) = read(&b, &Clock::new()) else { panic!("a whole record") };
        assert_eq!(io.local.to_string(), "10.0.0.1:80");
        assert_eq!(io.seq.len(), 5);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let clock = Clock::new();
        for whole in records(AF_INET) {
            assert!(read(&whole, &clock).is_some());
            for cut in 0..whole.len() {
                assert!(read(&whole[..cut], &clock).is_none(), "{cut} bytes of {whole:?}");
            }
            let mut unknown = whole;
            unknown[offset::KIND] = 10;
            assert!(read(&unknown, &clock).is_none());
        }
        let [whole, _, _, socket] = records(1);
        assert_eq!([read(&whole, &clock), read(&socket, &clock)], [None, None], "the family");
    }
}
