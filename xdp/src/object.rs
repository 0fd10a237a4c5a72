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

    #[test]
    fn sock_io_is_read_where_it_is_written() {
        use record::offset::*;
        let (size, members) = layout(SOCK_IO, "sock_io");
        let read = [
            ("cookie", COOKIE),
            ("enter_ns", ENTER_NS),
            ("exit_ns", EXIT_NS),
            ("cgroup", CGROUP),
            ("pid", PID),
            ("tid", TID),
            ("seq_start", SEQ_START),
            ("seq_end", SEQ_END),
            ("kind", KIND),
            ("family", FAMILY),
            ("local_port", LOCAL_PORT),
            ("remote_port", REMOTE_PORT),
            ("reserved", 54),
            ("local", LOCAL),
            ("remote", REMOTE),
            ("command", COMMAND),
        ];
        assert_eq!(size, SIZE);
        assert_eq!(members, read.map(|(name, offset)| (name.to_owned(), offset)).into());
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
