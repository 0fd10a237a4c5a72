//! Headers around frames and packets, with checksums of zero.

pub(crate) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ether_type.to_be_bytes()[..], payload].concat()
}

/// An IPv4 packet; `place` is the field of flags and fragment offset.
pub(crate) fn ipv4(protocol: u8, up: bool, id: u16, place: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend(id.to_be_bytes());
    packet.extend(place.to_be_bytes());
    packet.extend([
        64,
        protocol,
        0,
        0,
        172,
        16,
        0,
        if up { 1 } else { 2 },
        172,
        16,
        0,
        if up { 2 } else { 1 },
    ]);
    packet.extend(payload);
    packet
}

pub(crate) fn ipv6(next: u8, up: bool, payload: &[u8]) -> Vec<u8> {
    let end = |last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let (from, to) = if up { (end(1), end(2)) } else { (end(2), end(1)) };
    let len = (payload.len() as u16).to_be_bytes();
    [&[0x60, 0, 0, 0, len[0], len[1], next, 64], &from[..], &to, payload].concat()
}

pub(crate) fn over_ipv4(protocol: u8, up: bool, number: u16, payload: &[u8]) -> Vec<Vec<u8>> {
    vec![ethernet(0x0800, &ipv4(protocol, up, number, 0, payload))]
}

/// The same in fragments, the last one first.
pub(crate) fn over_ipv4_in_fragments(
    protocol: u8,
    up: bool,
    number: u16,
    payload: &[u8],
) -> Vec<Vec<u8>> {
    const SIZE: usize = 104;
    let count = payload.len().div_ceil(SIZE);
    let parts = payload.chunks(SIZE).enumerate().rev().map(|(i, part)| {
        let more = if i + 1 < count { 0x2000 } else { 0 };
        ethernet(0x0800, &ipv4(protocol, up, number, more | (i * SIZE / 8) as u16, part))
    });
    parts.collect()
}

pub(crate) fn over_ipv6_in_fragments(
    next: u8,
    up: bool,
    number: u16,
    payload: &[u8],
) -> Vec<Vec<u8>> {
    const SIZE: usize = 200;
    let count = payload.len().div_ceil(SIZE);
    let parts = payload.chunks(SIZE).enumerate().map(|(i, part)| {
        let place = (i * SIZE) as u16 | u16::from(i + 1 < count);
        let [a, b] = place.to_be_bytes();
        let [c, d] = number.to_be_bytes();
        ethernet(0x86dd, &ipv6(44, up, &[&[next, 0, a, b, 0, 0, c, d], part].concat()))
    });
    parts.collect()
}

pub(crate) fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    [&50_000_u16.to_be_bytes()[..], &port.to_be_bytes(), &len, &[0, 0], payload].concat()
}

pub(crate) fn vxlan(vni: u8, frame: &[u8]) -> Vec<u8> {
    [&[8, 0, 0, 0, 0, 0, vni, 0], frame].concat()
}

pub(crate) fn geneve(frame: &[u8]) -> Vec<u8> {
    geneve_of(9, frame)
}

pub(crate) fn geneve_of(vni: u8, frame: &[u8]) -> Vec<u8> {
    [&[2, 0, 0x65, 0x58, 0, 0, vni, 0, 1, 2, 3, 1, 5, 5, 5, 5], frame].concat()
}

pub(crate) fn tagged(id: u8, frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &[0x81, 0, 0, id], &frame[12..]].concat()
}

pub(crate) fn gtpu(extension: bool, packet: &[u8]) -> Vec<u8> {
    let (flags, more): (u8, &[u8]) =
        if extension { (0x34, &[0, 0, 0, 0x85, 1, 0x10, 0, 0]) } else { (0x30, &[]) };
    let len = ((packet.len() + more.len()) as u16).to_be_bytes();
    [&[flags, 255, len[0], len[1], 0, 0, 1, 1], more, packet].concat()
}

/// What is behind the Ethernet header.
pub(crate) fn packet(frame: &[u8]) -> &[u8] {
    &frame[14..]
}
