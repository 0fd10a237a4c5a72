//! The program by which the kernel chooses the ring of a frame (packet(7), `PACKET_FANOUT_CBPF`).
//!
//! `PACKET_FANOUT_HASH` looks at the outer headers alone. On the underlay of an overlay network the
//! two directions of a connection have UDP source ports of their own (RFC 7348, section 5), and
//! often network ids of their own, and would come to different rings. This program goes by the
//! innermost addresses and ports of VXLAN and GENEVE. Its hash is the same in both directions.

use crate::filter::{Instruction, op};

/// Offsets from the network header (`SKF_NET_OFF`), wherever the link layer of an interface ends.
const NETWORK: u32 = 0xfff0_0000;
/// The protocol of the packet, ancillary data (`SKF_AD_PROTOCOL`): a second VLAN tag, which the
/// kernel leaves in the frame.
const PROTOCOL: u32 = 0xffff_f000;

/// Instructions that libpcap does not emit with these operands (linux/bpf_common.h).
mod more {
    pub(super) const ADD_X: u16 = 0x0c;
    pub(super) const XOR_X: u16 = 0xac;
    pub(super) const ADD_K: u16 = 0x04;
    pub(super) const MUL_K: u16 = 0x24;
    pub(super) const AND_K: u16 = 0x54;
    pub(super) const LSH_K: u16 = 0x64;
    pub(super) const RSH_K: u16 = 0x74;
}

/// Cells of the scratch memory.
mod cell {
    pub(super) const IP: u32 = 0;
    pub(super) const HASH: u32 = 1;
    pub(super) const PROTOCOL: u32 = 2;
    pub(super) const LAYER4: u32 = 3;
    pub(super) const OTHER: u32 = 4;
}

const VLAN: [u32; 2] = [0x8100, 0x88a8];
const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const TCP: u32 = 6;
const UDP: u32 = 17;
const VXLAN_PORTS: [u32; 2] = [4789, 8472];
const GENEVE_PORT: u32 = 6081;
/// A header of UDP, and one of VXLAN or of GENEVE without options.
const TUNNEL_LEN: u32 = 16;
const ETHERNET_LEN: u32 = 14;

/// A place in the program that is jumped to.
#[derive(Clone, Copy)]
struct Label(usize);

/// Writes a program. All jumps go forward.
struct Writer {
    /// Where the network header of a frame is.
    base: u32,
    code: Vec<Instruction>,
    /// Jumps, and where they go.
    jumps: Vec<(usize, Label)>,
    /// Where labels are.
    labels: Vec<usize>,
}

impl Writer {
    fn label(&mut self) -> Label {
        self.labels.push(usize::MAX);
        Label(self.labels.len() - 1)
    }

    fn place(&mut self, label: Label) {
        self.labels[label.0] = self.code.len();
    }

    fn op(&mut self, code: u16, k: u32) {
        self.code.push(Instruction::new(code, k));
    }

    /// Loads from an offset behind X.
    fn load(&mut self, code: u16, offset: u32) {
        self.op(code, self.base.wrapping_add(offset));
    }

    fn jump(&mut self, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.op(op::JA, 0);
    }

    fn jump_if_equal(&mut self, k: u32, to: Label) {
        self.code.push(Instruction::jeq(k, 0, 1));
        self.jump(to);
    }

    /// A: the exclusive or of A and a cell. X becomes what the cell `restored` has.
    fn xor(&mut self, with: u32, restored: u32) {
        self.op(op::LDX_MEM, with);
        self.op(more::XOR_X, 0);
        self.op(op::LDX_MEM, restored);
    }

    fn finish(mut self) -> Vec<Instruction> {
        for (at, label) in self.jumps {
            self.code[at].k = (self.labels[label.0] - at - 1) as u32;
        }
        self.code
    }

    /// Returns the hash of the IP packet at X; goes to `inner` with X at the IP packet inside of a
    /// tunnel, if there is one.
    fn packet(&mut self, inner: Option<Label>) {
        let [v4, v6, layer4, ports, done, not_ip] = std::array::from_fn(|_| self.label());
        self.op(op::STX, cell::IP);
        self.load(op::LD_B_IND, 0);
        self.op(more::RSH_K, 4);
        self.jump_if_equal(4, v4);
        self.jump_if_equal(6, v6);
        self.jump(not_ip);

        // RFC 791, section 3.1. Fragments have no ports but for the first.
        self.place(v4);
        self.load(op::LD_W_IND, 12);
        self.op(op::ST, cell::HASH);
        self.load(op::LD_W_IND, 16);
        self.xor(cell::HASH, cell::IP);
        self.op(op::ST, cell::HASH);
        let whole = self.label();
        self.load(op::LD_H_IND, 6);
        self.op(more::AND_K, 0x3fff);
        self.jump_if_equal(0, whole);
        self.jump(done);
        self.place(whole);
        self.load(op::LD_B_IND, 9);
        self.op(op::ST, cell::PROTOCOL);
        self.load(op::LD_B_IND, 0);
        self.op(more::AND_K, 0x0f);
        self.op(more::LSH_K, 2);
        self.op(more::ADD_X, 0);
        self.jump(layer4);

        // RFC 8200, section 3.
        self.place(v6);
        self.load(op::LD_W_IND, 8);
        self.op(op::ST, cell::HASH);
        for word in (12..40).step_by(4) {
            self.load(op::LD_W_IND, word);
            self.xor(cell::HASH, cell::IP);
            self.op(op::ST, cell::HASH);
        }
        self.load(op::LD_B_IND, 6);
        self.op(op::ST, cell::PROTOCOL);
        self.op(op::TXA, 0);
        self.op(more::ADD_K, 40);

        self.place(layer4);
        self.op(op::ST, cell::LAYER4);
        self.op(op::TAX, 0);
        let udp = self.label();
        self.op(op::LD_MEM, cell::PROTOCOL);
        self.jump_if_equal(TCP, ports);
        self.jump_if_equal(UDP, udp);
        self.jump(done);
        self.place(udp);
        if let Some(inner) = inner {
            self.tunnel(inner);
        }

        self.place(ports);
        self.load(op::LD_H_IND, 0);
        self.op(op::ST, cell::OTHER);
        self.load(op::LD_H_IND, 2);
        self.xor(cell::OTHER, cell::IP);
        // An odd multiplier: ports that differ move other bits than addresses that differ.
        self.op(more::MUL_K, 0x85eb_ca6b);
        self.xor(cell::HASH, cell::IP);
        self.op(op::ST, cell::HASH);

        // The upper half of a product depends on all bits of the factors.
        self.place(done);
        self.op(op::LD_MEM, cell::HASH);
        self.op(more::MUL_K, 0x9e37_79b1);
        self.op(more::RSH_K, 16);
        self.op(op::RET_A, 0);
        self.place(not_ip);
        self.op(op::RET_K, 0);
    }

    /// Goes to `inner` if the UDP datagram at X has an Ethernet frame with IP inside.
    fn tunnel(&mut self, inner: Label) {
        let [frame, geneve, v4_or_v6, tagged, none] = std::array::from_fn(|_| self.label());
        self.load(op::LD_H_IND, 2);
        VXLAN_PORTS.into_iter().for_each(|port| self.jump_if_equal(port, frame));
        self.jump_if_equal(GENEVE_PORT, geneve);
        self.jump(none);
        // RFC 8926, section 3.4: the length of the options in the lower six bits, in 4 bytes.
        self.place(geneve);
        self.load(op::LD_B_IND, 8);
        self.op(more::AND_K, 0x3f);
        self.op(more::LSH_K, 2);
        self.op(more::ADD_X, 0);
        self.op(op::TAX, 0);
        // X is at the inner frame, less the headers of the tunnel without options.
        self.place(frame);
        self.load(op::LD_H_IND, TUNNEL_LEN + 12);
        self.jump_if_equal(IPV4, v4_or_v6);
        self.jump_if_equal(IPV6, v4_or_v6);
        VLAN.into_iter().for_each(|tag| self.jump_if_equal(tag, tagged));
        self.jump(none);
        self.place(tagged);
        self.op(op::TXA, 0);
        self.op(more::ADD_K, 4);
        self.op(op::TAX, 0);
        self.load(op::LD_H_IND, TUNNEL_LEN + 12);
        self.jump_if_equal(IPV4, v4_or_v6);
        self.jump_if_equal(IPV6, v4_or_v6);
        self.jump(none);
        self.place(v4_or_v6);
        self.op(op::TXA, 0);
        self.op(more::ADD_K, TUNNEL_LEN + ETHERNET_LEN);
        self.op(op::TAX, 0);
        self.jump(inner);
        self.place(none);
        self.op(op::LDX_MEM, cell::LAYER4);
    }
}

/// The program. It returns a hash, of which the kernel takes the remainder by the number of rings;
/// 0 for what is no IP, and where headers are beyond the part of the frame that the kernel shows.
pub(super) fn program() -> Vec<Instruction> {
    with_base(NETWORK, true)
}

fn with_base(base: u32, second_tag: bool) -> Vec<Instruction> {
    let mut writer = Writer { base, code: Vec::new(), jumps: Vec::new(), labels: Vec::new() };
    let [tagged, start, inner] = std::array::from_fn(|_| writer.label());
    if second_tag {
        writer.op(op::LD_H_ABS, PROTOCOL);
        VLAN.into_iter().for_each(|tag| writer.jump_if_equal(tag, tagged));
    }
    writer.op(op::LDX_IMM, 0);
    writer.jump(start);
    writer.place(tagged);
    writer.op(op::LDX_IMM, 4);
    writer.place(start);
    writer.packet(Some(inner));
    writer.place(inner);
    writer.packet(None);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Program;

    fn ipv4(protocol: u8, from: [u8; 4], to: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0];
        bytes.extend(from);
        bytes.extend(to);
        bytes.extend(payload);
        bytes
    }

    fn ipv6(next: u8, from: u8, to: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, 0, next, 64];
        for host in [from, to] {
            bytes.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);
        }
        bytes.extend(payload);
        bytes
    }

    fn ports(from: u16, to: u16) -> Vec<u8> {
        [from.to_be_bytes(), to.to_be_bytes(), [0; 2], [0; 2]].concat()
    }

    fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
        [&[2; 12], &ether_type.to_be_bytes()[..], payload].concat()
    }

    fn hash(packet: &[u8]) -> u32 {
        Program::new(with_base(0, false)).run(packet, packet.len() as u32)
    }

    /// A segment in one direction or the other.
    fn segment(client: u16, up: bool) -> Vec<u8> {
        let (near, far) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        if up {
            ipv4(6, near, far, &ports(client, 80))
        } else {
            ipv4(6, far, near, &ports(80, client))
        }
    }

    fn over(port: u16, header: &[u8], up: bool, client: u16, frame: &[u8]) -> Vec<u8> {
        let (near, far) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let (from, to) = if up { (near, far) } else { (far, near) };
        let source = if up { client ^ 0x5555 } else { client ^ 0x3333 };
        ipv4(17, from, to, &[&ports(source, port), header, frame].concat())
    }

    #[test]
    fn both_directions_have_one_hash_whatever_carries_them() {
        let vxlan = |vni: u8| vec![8, 0, 0, 0, 0, 0, vni, 0];
        let geneve = |vni: u8, options: u8| {
            let head = [options, 0, 0x65, 0x58, 0, 0, vni, 0];
            [&head[..], &vec![0xee; usize::from(options) * 4]].concat()
        };
        for client in 40_000..40_100 {
            let plain = hash(&segment(client, true));
            assert_eq!(plain, hash(&segment(client, false)));
            for up in [true, false] {
                let vni = if up { 19 } else { 18 };
                let inner = ethernet(0x0800, &segment(client, up));
                let tagged =
                    ethernet(0x8100, &[&[0, vni, 8, 0], &segment(client, up)[..]].concat());
                for frame in [&inner, &tagged] {
                    assert_eq!(hash(&over(4789, &vxlan(vni), up, client, frame)), plain);
                    assert_eq!(hash(&over(8472, &vxlan(vni), up, client, frame)), plain);
                    for options in [0, 1, 5] {
                        let header = geneve(vni, options);
                        assert_eq!(hash(&over(6081, &header, up, client, frame)), plain);
                    }
                }
            }
            let v6 = hash(&ipv6(6, 1, 2, &ports(client, 443)));
            assert_eq!(v6, hash(&ipv6(6, 2, 1, &ports(443, client))));
            let inner = ethernet(0x86dd, &ipv6(6, 1, 2, &ports(client, 443)));
            assert_eq!(hash(&over(4789, &vxlan(1), true, client, &inner)), v6);
        }
    }

    #[test]
    fn connections_spread_over_all_rings() {
        for rings in [2, 3, 4, 8] {
            let mut counts = vec![0; rings as usize];
            for client in 40_000..41_000 {
                counts[(hash(&segment(client, true)) % rings) as usize] += 1;
            }
            let fair = 1000 / rings;
            assert!(counts.iter().all(|n| (fair / 2..fair * 2).contains(n)), "{counts:?}");
        }
    }

    #[test]
    fn what_is_cut_or_no_ip_is_of_the_first_ring() {
        assert_eq!(hash(&[0, 1, 8, 0, 6, 4]), 0);
        assert_eq!(hash(&segment(40_000, true)[..18]), 0);
        let fragment = |offset: u8, port: u16| {
            let mut packet = segment(port, true);
            (packet[6], packet[7]) = (0x20, offset);
            hash(&packet)
        };
        assert_eq!(fragment(0, 40_000), fragment(185, 12), "fragments stay together");
    }
}
