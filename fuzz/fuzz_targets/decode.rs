//! Several frames of any link type through one decoder, so that fragments meet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::decode::{DecodeConfig, Decoder, Layer4};
use wire::{LinkType, RawFrame, TapId, Timestamp, VlanTag};

const LINK_TYPES: [u16; 21] = [
    1, 0, 101, 108, 113, 276, 7, 9, 50, 51, 100, 104, 105, 109, 117, 127, 204, 219, 239, 242, 247,
];

fuzz_target!(|input: &[u8]| {
    let mut decoder = Decoder::new(DecodeConfig { max_fragmented: 8, ..DecodeConfig::default() });
    let mut router = Decoder::new(DecodeConfig { max_fragmented: 8, ..DecodeConfig::default() });
    let mut rest = input;
    let mut number = 0;
    // Each frame: link type, bytes cut off by the capture, length (2 bytes), content.
    while let [link, cut, high, low, tail @ ..] = rest {
        let (bytes, next) =
            tail.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(tail.len()));
        rest = next;
        number += 1;
        let frame = RawFrame {
            time: Timestamp::from_nanos(number * 1_000_000_000),
            tap: TapId(0),
            link_type: LinkType::from_number(
                LINK_TYPES[usize::from(link & 0x1f) % LINK_TYPES.len()],
            ),
            wire_len: bytes.len() as u32 + u32::from(*cut),
            vlan: (link & 0x80 != 0).then_some(VlanTag { tpid: 0x8100, tci: 5 }),
            bytes,
        };
        router.route(&frame);
        if let Ok(decoded) = decoder.decode(&frame) {
            let (len, captured) = match decoded.layer4 {
                Layer4::Tcp(tcp) => (tcp.payload_len, tcp.payload.len()),
                Layer4::Udp(udp) => (udp.payload_len, udp.payload.len()),
            };
            assert!(captured as u64 <= u64::from(len));
        }
        assert!(decoder.fragments().datagrams <= 8);
    }
});
