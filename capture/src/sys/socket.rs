//! Packet sockets and their options (packet(7)).

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::filter::Instruction;

const PACKET_FANOUT_FLAG_UNIQUEID: u32 = 0x2000;

/// A packet socket (packet(7)).
pub(crate) struct PacketSocket(OwnedFd);

/// Frames since the last look (`PACKET_STATISTICS`).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Statistics {
    /// Frames that the filter let pass, dropped ones included.
    pub(crate) packets: u32,
    /// Frames for which no block was free.
    pub(crate) drops: u32,
    /// Times that the ring was full.
    pub(crate) freezes: u32,
}

impl PacketSocket {
    /// A raw socket that receives nothing until [`bind_all`](Self::bind_all).
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: socket(2) takes no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just made and nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Sets up a TPACKET_V3 receive ring, to be mapped.
    pub(crate) fn set_ring(
        &self,
        block_size: u32,
        blocks: u32,
        timeout_millis: u32,
    ) -> io::Result<()> {
        self.set(
            libc::SOL_PACKET,
            libc::PACKET_VERSION,
            &(libc::tpacket_versions::TPACKET_V3 as c_int),
        )?;
        // A "frame" is only the unit in which the kernel checks the geometry: in a block they have
        // any size.
        let frame = 2048;
        let request = libc::tpacket_req3 {
            tp_block_size: block_size,
            tp_block_nr: blocks,
            tp_frame_size: frame,
            tp_frame_nr: (block_size / frame) * blocks,
            tp_retire_blk_tov: timeout_millis,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        self.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &request)
    }

    /// Starts to receive the frames of every interface of the network namespace, later ones
    /// included.
    pub(crate) fn bind_all(&self) -> io::Result<()> {
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
            sll_ifindex: 0,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let len = size_of_val(&address) as libc::socklen_t;
        // SAFETY: the address is a valid sockaddr_ll for the duration of the call, and `len` is its
        // size.
        let done = unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), len) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Opens a fanout group of this socket, with an id that no other group of the network namespace
    /// has, and returns it.
    pub(crate) fn new_fanout(&self, mode: u32) -> io::Result<u16> {
        let argument = (mode | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &argument)?;
        let answer: u32 = self.get(libc::SOL_PACKET, libc::PACKET_FANOUT)?;
        Ok(answer as u16)
    }

    /// Joins a fanout group.
    pub(crate) fn join_fanout(&self, group: u16, mode: u32) -> io::Result<()> {
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &(u32::from(group) | mode << 16))
    }

    /// Gives the group of this socket, one by `PACKET_FANOUT_CBPF`, the program that chooses a
    /// socket for each frame.
    pub(crate) fn set_fanout_program(&self, program: &[Instruction]) -> io::Result<()> {
        self.set_program(libc::SOL_PACKET, libc::PACKET_FANOUT_DATA, program)
    }

    /// Puts `program` in place of the filter, without a moment in which there is none.
    pub(crate) fn attach_filter(&self, program: &[Instruction]) -> io::Result<()> {
        self.set_program(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, program)
    }

    fn set_program(&self, level: c_int, name: c_int, program: &[Instruction]) -> io::Result<()> {
        let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        // `Instruction` has the layout of `sock_filter`; the kernel only reads it.
        let argument = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
        self.set(level, name, &argument)
    }

    /// Makes an interface promiscuous for as long as this socket is open.
    pub(crate) fn add_promiscuous(&self, interface: u32) -> io::Result<()> {
        let index = i32::try_from(interface).map_err(|_| io::ErrorKind::InvalidInput)?;
        let request = libc::packet_mreq {
            mr_ifindex: index,
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    /// Statistics since the last call.
    pub(crate) fn statistics(&self) -> io::Result<Statistics> {
        let stats: [u32; 3] = self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        let [packets, drops, freezes] = stats;
        Ok(Statistics { packets, drops, freezes })
    }

    /// Takes the pending error, such as ENETDOWN, which would keep the socket readable.
    pub(crate) fn clear_error(&self) {
        let _: io::Result<u32> = self.get(libc::SOL_SOCKET, libc::SO_ERROR);
    }

    fn set<T>(&self, level: c_int, name: c_int, value: &T) -> io::Result<()> {
        let len = size_of::<T>() as libc::socklen_t;
        // SAFETY: `value` is readable for `len` bytes for the duration of the call. The one option
        // that holds a pointer (SO_ATTACH_FILTER) is given one to a slice that outlives the call.
        let done = unsafe {
            libc::setsockopt(self.0.as_raw_fd(), level, name, (&raw const *value).cast(), len)
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn get<T: Default + Plain>(&self, level: c_int, name: c_int) -> io::Result<T> {
        let mut value = T::default();
        let mut len = size_of::<T>() as libc::socklen_t;
        // SAFETY: `value` is writable for `len` bytes, and `Plain` says that any bytes are valid
        // for it.
        let done = unsafe {
            libc::getsockopt(self.0.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut len)
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Types for which any bytes are a valid value.
///
/// # Safety
/// There must be no invalid bit pattern and no padding.
unsafe trait Plain {}
// SAFETY: every bit pattern is a number.
unsafe impl Plain for u32 {}
// SAFETY: every bit pattern is three numbers.
unsafe impl Plain for [u32; 3] {}
