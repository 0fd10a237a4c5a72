//! The compiled kernel programs.

use aya::include_bytes_aligned;

/// `bpf/sock_io.bpf.c`.
pub(crate) static SOCK_IO: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sock_io.o"));
/// `bpf/frame.bpf.c`.
pub(crate) static FRAME: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/frame.o"));

/// What this crate reads by offset lies where the compiler put it, as the objects' own type
/// information says.
#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{frame_record, record};

    fn word(bytes: &[u8], at: usize) -> usize {
        u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    }

    /// Size of a structure, and the offset of each member (Documentation/bpf/btf.rst of the
    /// kernel).
    fn layout(object: &[u8], name: &str) -> (usize, BTreeMap<String, usize>) {
        let btf = aya_obj::Object::parse(object).unwrap().btf.unwrap().to_bytes();
        let header = word(&btf, 4);
        let (types, types_len) = (header + word(&btf, 8), word(&btf, 12));
        let strings = header + word(&btf, 16);
        let string = |offset: usize| {
            let text = &btf[strings + offset..];
            String::from_utf8(text[..text.iter().position(|&b| b == 0).unwrap()].to_vec()).unwrap()
        };
        let mut at = types;
        while at < types + types_len {
            let (info, vlen) = (word(&btf, at + 4), word(&btf, at + 4) & 0xffff);
            let trailing = match (info >> 24) & 0x1f {
                4 if string(word(&btf, at)) == name => {
                    let member = |i: usize| {
                        let m = at + 12 + 12 * i;
                        (string(word(&btf, m)), (word(&btf, m + 8) & 0xff_ffff) / 8)
                    };
                    return (word(&btf, at + 8), (0..vlen).map(member).collect());
                }
                1 | 14 | 17 => 4,
                3 => 12,
                4 | 5 | 15 | 19 => 12 * vlen,
                6 | 13 => 8 * vlen,
                _ => 0,
            };
            at += 12 + trailing;
        }
        panic!("no struct {name}")
    }

    /// Compares a structure of `SOCK_IO` with what `record` reads.
    #[track_caller]
    fn check(name: &str, size: usize, read: &[(&str, usize)]) {
        let read = read.iter().map(|&(member, offset)| (member.to_owned(), offset));
        assert_eq!(layout(SOCK_IO, name), (size, read.collect()), "{name}");
    }

    #[test]
    fn socket_records_are_read_where_they_are_written() {
        use record::offset::{KIND, bytes, sock_io, socket, thread};
        let read = [
            ("kind", KIND),
            ("family", socket::FAMILY),
            ("local_port", socket::LOCAL_PORT),
            ("remote_port", socket::REMOTE_PORT),
            ("reserved", 6),
            ("cookie", socket::COOKIE),
            ("local", socket::LOCAL),
            ("remote", socket::REMOTE),
        ];
        check("socket_record", socket::SIZE, &read);
        let read = [
            ("socket", KIND),
            ("enter_ns", sock_io::ENTER_NS),
            ("exit_ns", sock_io::EXIT_NS),
            ("cgroup", sock_io::CGROUP),
            ("pid", sock_io::PID),
            ("tid", sock_io::TID),
            ("seq_start", sock_io::SEQ_START),
            ("seq_end", sock_io::SEQ_END),
            ("command", sock_io::COMMAND),
        ];
        check("sock_io", sock_io::SIZE, &read);
        let read = [
            ("kind", KIND),
            ("reserved", 1),
            ("tid", bytes::TID),
            ("cookie", bytes::COOKIE),
            ("enter_ns", bytes::ENTER_NS),
            ("exit_ns", bytes::EXIT_NS),
            ("seq_start", bytes::SEQ_START),
            ("seq_end", bytes::SEQ_END),
        ];
        check("sock_bytes", bytes::SIZE, &read);
        let read = [
            ("kind", KIND),
            ("reserved", 1),
            ("tid", thread::TID),
            ("pid", thread::PID),
            ("reserved2", 12),
            ("cgroup", thread::CGROUP),
            ("command", thread::COMMAND),
        ];
        check("thread_record", thread::SIZE, &read);
    }

    #[test]
    fn frame_is_read_where_it_is_written() {
        use frame_record::offset::*;
        let (size, members) = layout(FRAME, "frame");
        let read = [
            ("time_ns", TIME_NS),
            ("ifindex", IFINDEX),
            ("wire_len", WIRE_LEN),
            ("cap_len", CAP_LEN),
            ("vlan_tpid", VLAN_TPID),
            ("vlan_tci", VLAN_TCI),
            ("egress", 24),
            ("reserved", 25),
            ("bytes", BYTES),
        ];
        assert_eq!(size, BYTES);
        assert_eq!(members, read.map(|(name, offset)| (name.to_owned(), offset)).into());
    }
}
