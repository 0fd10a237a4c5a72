use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use wire::{LinkType, RawFrame, TapId, Timestamp};

/// Hands every frame of a capture to `take`, as far as the file can be read; pcapng: a tap for every interface.
pub(crate) fn frames(path: &Path, mut take: impl FnMut(RawFrame<'_>)) {
    let open = || BufReader::with_capacity(1 << 20, File::open(path).expect("the folder was just listed"));
    if let Ok(mut reader) = PcapReader::new(open()) {
        let link_type = LinkType::from_number(u32::from(reader.header().datalink) as u16);
        while let Some(Ok(packet)) = reader.next_packet() {
            take(RawFrame {
                time: Timestamp::from_nanos(packet.timestamp.as_nanos() as u64),
                tap: TapId(0),
                link_type,
                wire_len: packet.orig_len,
                vlan: None,
                bytes: &packet.data,
            });
        }
    } else if let Ok(mut reader) = PcapNgReader::new(open()) {
        let mut interfaces: Vec<(LinkType, u64)> = Vec::new();
        let mut faults = 0;
        while let Some(block) = reader.next_block() {
            let Ok(block) = block else {
                faults += 1;
                if faults > 9 {
                    return;
                }
                continue;
            };
            let (interface, time, wire_len, bytes) = match block {
                Block::InterfaceDescription(i) => {
                    let resolution = i.options.iter().find_map(|option| match option {
                        InterfaceDescriptionOption::IfTsResol(exponent) => Some(*exponent),
                        _ => None,
                    });
                    let unit = 10u64.pow(9 - u32::from(resolution.unwrap_or(6)).min(9));
                    interfaces.push((LinkType::from_number(u32::from(i.linktype) as u16), unit));
                    continue;
                }
                Block::EnhancedPacket(p) => {
                    (p.interface_id, p.timestamp.as_nanos() as u64, p.original_len, p.data)
                }
                Block::SimplePacket(p) => (0, 0, p.original_len, p.data),
                _ => continue,
            };
            // The reader gives the number in the file as if it were nanoseconds.
            let (link_type, unit) =
                interfaces.get(interface as usize).copied().unwrap_or((LinkType::Unsupported(0), 1));
            let time = Timestamp::from_nanos(time.saturating_mul(unit));
            take(RawFrame { time, tap: TapId(interface), link_type, wire_len, vlan: None, bytes: &bytes });
        }
    }
}
