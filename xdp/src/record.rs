//! Records as the kernel programs lay them out in memory: `struct sock_io` of `bpf/sock_io.h`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::{Endpoint, Process, SeqNum, SeqRange, SockIo, SockIoKind};

use crate::clock::Clock;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Offset of each member in bytes; a test compares them with the object's type information.
pub(crate) mod offset {
    pub(crate) const COOKIE: usize = 0;
    pub(crate) const ENTER_NS: usize = 8;
    pub(crate) const EXIT_NS: usize = 16;
    pub(crate) const CGROUP: usize = 24;
    pub(crate) const PID: usize = 32;
    pub(crate) const TID: usize = 36;
    pub(crate) const SEQ_START: usize = 40;
    pub(crate) const SEQ_END: usize = 44;
    pub(crate) const KIND: usize = 48;
    pub(crate) const FAMILY: usize = 49;
    pub(crate) const LOCAL_PORT: usize = 50;
    pub(crate) const REMOTE_PORT: usize = 52;
    pub(crate) const LOCAL: usize = 56;
    pub(crate) const REMOTE: usize = 72;
    pub(crate) const COMMAND: usize = 88;
    #[cfg(test)]
    pub(crate) const SIZE: usize = 104;
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

/// The record in `bytes`, `None` if it is none (too short, unknown kind or family).
pub(crate) fn sock_io(bytes: &[u8], clock: &Clock) -> Option<SockIo> {
    let kind = match *bytes.get(offset::KIND)? {
        1 => SockIoKind::Send,
        2 => SockIoKind::Receive,
        3 => SockIoKind::Connect,
        4 => SockIoKind::Accept,
        5 => SockIoKind::Close,
        _ => return None,
    };
    let family = *bytes.get(offset::FAMILY)?;
    Some(SockIo {
        kind,
        process: Process {
            pid: u32_at(bytes, offset::PID)?,
            tid: u32_at(bytes, offset::TID)?,
            command: take(bytes, offset::COMMAND)?,
            cgroup: u64_at(bytes, offset::CGROUP)?,
        },
        cookie: u64_at(bytes, offset::COOKIE)?,
        local: Endpoint::new(
            address(bytes, family, offset::LOCAL)?,
            u16_at(bytes, offset::LOCAL_PORT)?,
        ),
        remote: Endpoint::new(
            address(bytes, family, offset::REMOTE)?,
            u16_at(bytes, offset::REMOTE_PORT)?,
        ),
        seq: SeqRange {
            start: SeqNum(u32_at(bytes, offset::SEQ_START)?),
            end: SeqNum(u32_at(bytes, offset::SEQ_END)?),
        },
        enter: clock.wall(u64_at(bytes, offset::ENTER_NS)?),
        exit: clock.wall(u64_at(bytes, offset::EXIT_NS)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(family: u8) -> Vec<u8> {
        let mut b = vec![0; offset::SIZE];
        b[offset::KIND] = 2;
        b[offset::FAMILY] = family;
        b[offset::LOCAL_PORT..][..2].copy_from_slice(&80u16.to_ne_bytes());
        b[offset::SEQ_START..][..4].copy_from_slice(&u32::MAX.to_ne_bytes());
        b[offset::SEQ_END..][..4].copy_from_slice(&4u32.to_ne_bytes());
        b[offset::LOCAL..][..16]
            .copy_from_slice(&Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().octets());
        b
    }

    #[test]
    fn mapped_addresses_become_plain() {
        let io = sock_io(&bytes(AF_INET6), &Clock::new()).expect("a record");
        assert_eq!(io.local.to_string(), "10.0.0.1:80");
        assert_eq!(io.seq.len(), 5);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let clock = Clock::new();
        assert!(sock_io(&bytes(1), &clock).is_none());
        let whole = bytes(AF_INET);
        assert!(sock_io(&whole, &clock).is_some());
        for cut in 0..whole.len() {
            assert!(sock_io(&whole[..cut], &clock).is_none(), "{cut}");
        }
        let mut unknown = whole;
        unknown[offset::KIND] = 9;
        assert!(sock_io(&unknown, &clock).is_none());
    }
}
