//! Link types of capture files besides Ethernet, and tags between Ethernet and IP. The bytes before
//! the packets are those that tshark 4.0 reads as it is said here.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{ethernet, frame, join, tcp_v4, tcp_v6};
use wire::LinkType;
use wire::decode::{DecodeConfig, Decoder, Layer4, Undecoded};

fn decode(number: u16, bytes: &[u8]) -> Result<(Vec<u8>, Vec<u16>), Undecoded> {
    let mut decoder = Decoder::new(DecodeConfig::default());
    let frame = frame(LinkType::from_number(number), bytes);
    let decoded = decoder.decode(&frame)?;
    let Layer4::Tcp(tcp) = decoded.layer4 else { panic!("UDP") };
    Ok((tcp.payload.to_vec(), decoded.vlans.as_slice().to_vec()))
}

fn expect_hello(number: u16, head: &[u8], packet: &[u8]) {
    let result = decode(number, &join(head, packet));
    assert_eq!(result, Ok((b"hello".to_vec(), vec![])), "{number}: {head:02x?}");
}

fn refused(number: u16, head: &[u8], packet: &[u8]) -> Undecoded {
    decode(number, &join(head, packet)).unwrap_err()
}

#[test]
fn ppp_in_every_framing() {
    let (v4, v6) = (tcp_v4(b"hello"), tcp_v6(b"hello"));
    for head in [&[0xff, 0x03, 0x00, 0x21][..], &[0x00, 0x21], &[0x21]] {
        expect_hello(9, head, &v4);
        expect_hello(50, head, &v4);
        expect_hello(204, &join(&[0], head), &v4);
        expect_hello(204, &join(&[1], head), &v4);
    }
    expect_hello(9, &[0xff, 0x03, 0x00, 0x57], &v6);
    expect_hello(166, &[0x00, 0x03, 0x00, 0x21], &v4);
    expect_hello(166, &[0x01, 0x03, 0x00, 0x57], &v6);
    for head in [[0x0f, 0x00, 0x08, 0x00], [0x8f, 0x00, 0x08, 0x00]] {
        expect_hello(50, &head, &v4);
        expect_hello(104, &head, &v4);
    }
    let len = v4.len() as u8 + 2;
    let mut decoder = Decoder::new(DecodeConfig::default());
    let bytes = join(&[0x11, 0, 0, 5, 0, len, 0, 0x21], &v4);
    let frame = frame(LinkType::from_number(51), &bytes);
    assert_eq!(decoder.decode(&frame).unwrap().tunnels[0].id, Some(5));
    assert_eq!(refused(9, &[0xff, 0x03, 0xc0, 0x21], &v4), Undecoded::NotIp);
}

#[test]
fn nflog_in_either_byte_order() {
    let (v4, v6) = (tcp_v4(b"hello"), tcp_v6(b"hello"));
    let log = |family: u8, little: bool, packet: &[u8]| {
        let mut bytes = vec![family, 0, 0, 5];
        let hardware = if packet[0] >> 4 == 4 { 0x0800_u16 } else { 0x86dd };
        let header = [&hardware.to_be_bytes()[..], &[3, 0]].concat();
        // A prefix of 5 bytes has 3 of padding.
        for (kind, value) in [(1_u16, &header[..]), (10, b"rule\0"), (9, packet)] {
            let len = value.len() as u16 + 4;
            for number in [len, kind] {
                bytes.extend(if little { number.to_le_bytes() } else { number.to_be_bytes() });
            }
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    };
    for little in [true, false] {
        expect_hello(239, &log(2, little, &v4), &[]);
        expect_hello(239, &log(10, little, &v6), &[]);
        // A bridge's rule: the header says what it is.
        expect_hello(239, &log(7, little, &v6), &[]);
    }
    assert_eq!(refused(239, &[2, 0, 0, 5, 3, 0, 9, 0], &v4), Undecoded::Malformed);
    assert_eq!(refused(239, &[2, 1, 0, 5], &v4), Undecoded::Malformed);
}

#[test]
fn infiniband_with_and_without_its_headers() {
    let v4 = tcp_v4(b"hello");
    let ip = join(&[8, 0, 0, 0], &v4);
    expect_hello(242, &[0x60; 40], &ip);
    assert_eq!(refused(242, &[0x60; 20], &ip), Undecoded::NotIp);

    let local = [0, 2, 0, 1, 0, 30, 0, 2];
    let global = [0, 3, 0, 1, 0, 30, 0, 2];
    let transport = |operation: u8| [operation, 0, 0xff, 0xff, 0, 0, 0, 5, 0, 0, 0, 1];
    let datagram = [0, 0, 0x0b, 0x1b, 0, 0, 0, 7];
    let checks = [0; 6];
    let whole = |parts: &[&[u8]]| [&parts.concat()[..], &ip, &checks].concat();
    expect_hello(247, &whole(&[&local, &transport(0x64), &datagram]), &[]);
    expect_hello(247, &whole(&[&global, &[0x60; 40], &transport(0x64), &datagram]), &[]);
    expect_hello(247, &whole(&[&local, &transport(0x04)]), &[]);
    // The first part of a longer message, and the acknowledgement of one.
    for operation in [0x00, 0x11] {
        assert_eq!(refused(247, &whole(&[&local, &transport(operation)]), &[]), Undecoded::NotIp);
    }
}

/// Frame control, duration, three addresses, sequence control; or with QoS.
fn wireless(kind: u8, flags: u8, sequence: u8) -> Vec<u8> {
    let mut header = vec![kind, flags, 0, 0];
    header.extend([2; 18]);
    header.extend([sequence, 0x10]);
    if flags & 3 == 3 {
        header.extend([2; 6]);
    }
    header
}

const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

#[test]
fn wireless_data_frames() {
    let v4 = tcp_v4(b"hello");
    let packet = join(&SNAP, &v4);
    for flags in [1, 2, 3, 0x0a] {
        expect_hello(105, &wireless(0x08, flags, 0), &packet);
        expect_hello(105, &join(&wireless(0x88, flags, 0), &[0, 0]), &packet);
        expect_hello(105, &join(&wireless(0x88, flags | 0x80, 0), &[0, 0, 9, 9, 9, 9]), &packet);
    }
    // With a check sequence behind.
    expect_hello(105, &wireless(0x08, 1, 0), &join(&packet, &[9; 4]));
    for kind in [0x80, 0xd4, 0x48, 0xc8] {
        assert_eq!(refused(105, &wireless(kind, 1, 0), &packet), Undecoded::NotIp);
    }
    assert_eq!(refused(105, &wireless(0x08, 0x41, 0), &packet), Undecoded::EncryptedLink);
    for (flags, sequence) in [(0x05, 0), (0x01, 1)] {
        let reason = refused(105, &wireless(0x08, flags, sequence), &packet);
        assert_eq!(reason, Undecoded::FragmentRefused);
    }
}

#[test]
fn wireless_aggregates_of_one_packet() {
    let packet = join(&SNAP, &tcp_v4(b"hello"));
    let subframe = [&[2; 12][..], &(packet.len() as u16).to_be_bytes(), &packet].concat();
    let header = join(&wireless(0x88, 1, 0), &[0x80, 0]);
    expect_hello(105, &header, &subframe);
    let padded = subframe.len().next_multiple_of(4);
    let mut two = subframe.clone();
    two.resize(padded, 0);
    expect_hello(105, &header, &join(&two, &[9; 4]));
    two.extend(&subframe);
    assert_eq!(refused(105, &header, &two), Undecoded::Aggregate);
}

#[test]
fn radiotap_headers() {
    let packet = join(&SNAP, &tcp_v4(b"hello"));
    let plain = wireless(0x08, 1, 0);
    expect_hello(127, &join(&[0, 0, 8, 0, 0, 0, 0, 0], &plain), &packet);
    // A time and another word of bits, then the flags: check sequence behind the frame.
    let mut long = vec![0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 9, 9, 9, 9];
    long.extend([7; 8]);
    long.push(0x10);
    expect_hello(127, &join(&long, &plain), &join(&packet, &[9; 4]));
    // The header of 26 bytes is padded.
    let with_qos = join(&wireless(0x88, 1, 0), &[0, 0, 0, 0]);
    expect_hello(127, &join(&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &with_qos), &packet);
    let damaged = join(&[0, 0, 9, 0, 2, 0, 0, 0, 0x40], &plain);
    assert_eq!(refused(127, &damaged, &packet), Undecoded::Malformed);
    assert_eq!(refused(127, &[1, 0, 8, 0, 0, 0, 0, 0], &packet), Undecoded::Malformed);
}

#[test]
fn other_link_types() {
    let (v4, v6) = (tcp_v4(b"hello"), tcp_v6(b"hello"));
    expect_hello(100, &SNAP, &v4);
    expect_hello(100, &[0xaa, 0xaa, 3, 0, 0, 0xf8, 0x86, 0xdd], &v6);
    expect_hello(100, &[6, 6, 3], &v4);
    expect_hello(109, &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &v4);
    expect_hello(109, &[0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0], &v6);
    expect_hello(117, &join(&[61, 2], &[0; 62]), &v4);
    expect_hello(117, &join(&[100, 28], &[0; 98]), &v6);
    let mut decoder = Decoder::new(DecodeConfig::default());
    let bytes = join(&[0, 2, 1, 64], &v4);
    let frame = frame(LinkType::from_number(219), &bytes);
    assert_eq!(decoder.decode(&frame).unwrap().tunnels[0].id, Some(32));
    for number in [228, 229, 101, 12, 14] {
        expect_hello(number, &[], &v6);
    }
}

#[test]
fn tags_before_ip() {
    let v4 = tcp_v4(b"hello");
    let (tagged, ether) = (join(&[8, 0], &v4), ethernet(0x0800, &v4));
    let expect = |number: u16, head: &[u8], rest: &[u8]| {
        expect_hello(1, &ethernet(number, &join(head, rest)), &[]);
    };
    expect(0x8926, &[0x80, 1, 0, 2], &tagged);
    expect(0x893f, &[0xe0, 1, 0x10, 2, 0, 0], &tagged);
    expect(0x892f, &[0, 60, 0, 1], &tagged);
    expect(0x8909, &[1, 1, 0, 1, 0, 7], &tagged);
    expect(0x8909, &[1, 2, 0, 1, 0, 7, 0, 2, 0, 0], &tagged);
    expect(0x8903, &[0, 0x40], &ether);
    expect(0x88e7, &[0, 0, 1, 1], &ether);
    expect(0x22f3, &[0, 0x3f, 0, 1, 0, 2], &ether);
    expect(0x22f3, &[0, 0x7f, 0, 1, 0, 2, 9, 9, 9, 9], &ether);
    expect(0x894f, &[0x0f, 0xc2, 2, 1, 0, 0, 1, 255], &v4);
    expect(0x894f, &[0x0f, 0xc6, 1, 3, 0, 0, 1, 255], &join(&[0; 16], &ether));
    let in_nsh = join(&[0x0f, 0xc2, 2, 1, 0, 0, 1, 255], &v4);
    expect(0x894f, &[0x0f, 0xc2, 2, 4, 0, 0, 1, 255], &in_nsh);
    // One behind the other.
    let vn_tag = join(&[0x89, 0x26, 0x80, 1, 0, 2], &tagged);
    expect(0x8909, &[1, 1, 0, 1, 0, 7], &vn_tag);
    for (number, head) in
        [(0x8926, &[0x80, 1, 0, 2][..]), (0x894f, &[0x0f, 0xc2, 2, 9, 0, 0, 1, 1])]
    {
        let bytes = ethernet(number, &join(head, &[0x08, 0x06, 0, 0]));
        assert_eq!(refused(1, &bytes, &[]), Undecoded::NotIp);
    }
}

#[test]
fn macsec_that_only_signs() {
    let v4 = tcp_v4(b"hello");
    let tagged = join(&[8, 0], &v4);
    let signed = join(&tagged, &[0x5a; 16]);
    let macsec = |head: &[u8], rest: &[u8]| ethernet(0x88e5, &join(head, rest));
    let channel = [0x20, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1];
    expect_hello(1, &macsec(&[0, 0, 0, 0, 0, 1], &signed), &[]);
    expect_hello(1, &macsec(&channel, &signed), &[]);
    for encrypted in [0x08, 0x0c, 0x04] {
        let bytes = macsec(&[encrypted, 0, 0, 0, 0, 1], &signed);
        assert_eq!(refused(1, &bytes, &[]), Undecoded::EncryptedLink);
    }
    assert_eq!(refused(1, &macsec(&[0x80, 0, 0, 0, 0, 1], &signed), &[]), Undecoded::Malformed);
    // The check value is no data, also where the length of the packet does not say so (TSO).
    let mut endless = signed.clone();
    endless[4..6].fill(0);
    expect_hello(1, &macsec(&[0, 0, 0, 0, 0, 1], &endless), &[]);
    let short = tagged.len() as u8;
    endless.extend([9; 20]);
    expect_hello(1, &macsec(&[0, short, 0, 0, 0, 1], &endless), &[]);
}

#[test]
fn every_tag_protocol_of_stacked_vlans() {
    for outer in [0x8100_u16, 0x88a8, 0x9100, 0x9200, 0x9300] {
        let inner = join(&[0, 7, 0x81, 0, 0, 8, 8, 0], &tcp_v4(b"hello"));
        let (payload, vlans) = decode(1, &ethernet(outer, &inner)).unwrap();
        assert_eq!((&payload[..], &vlans[..]), (&b"hello"[..], &[7, 8][..]));
    }
}
