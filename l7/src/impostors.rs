//! Streams of protocols that are not read here, as they look on the wire: nothing may be invented
//! from them, whatever port they are on.

use std::collections::BTreeMap;

use wire::{Direction, Transport};

use crate::engine::registry;
use crate::limits::RequestLimits;
use crate::testing::{C, S, Talk};

/// Streams of a kind that are tried on each port; more with `IMPOSTORS=number`.
const VARIANTS: u64 = 6;

/// Numbers that look random and are the same in each run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

type Turns = Vec<(Direction, Vec<u8>)>;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Text turns: lines that begin with `S` are the server's, the others the client's.
fn lines(text: &str) -> Turns {
    let turn = |line: &str| {
        let (side, text) = line.split_at(1);
        (if side == "S" { S } else { C }, format!("{text}\r\n").into_bytes())
    };
    text.lines().map(turn).collect()
}

/// Messages of both sides in turn, the client first.
fn both(r: &mut Random, message: impl Fn(&mut Random, Direction, u32) -> Vec<u8>) -> Turns {
    let first = if r.below(4) == 0 { S } else { C };
    (0..6)
        .map(|n| if n % 2 == 0 { first } else { first.reverse() })
        .zip(0..)
        .map(|(side, n)| (side, message(r, side, n)))
        .collect()
}

/// A body behind its length as a big-endian number of `width` bytes.
fn counted(width: usize, own: bool, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + if own { width } else { 0 }) as u64;
    join(&[&length.to_be_bytes()[8 - width..], body])
}

fn counted_le(width: usize, own: bool, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + if own { width } else { 0 }) as u64;
    join(&[&length.to_le_bytes()[..width], body])
}

/// DCE/RPC (C706 chapter 12): version 5, little-endian, a small call id.
fn dcerpc(r: &mut Random) -> Turns {
    let call = 1 + r.below(3) as u32;
    both(r, |r, side, n| {
        let kind = match (side, n < 2) {
            (C, true) => 0x0b,
            (_, true) => 0x0c,
            (C, false) => 0,
            (_, false) => 2,
        };
        let body = r.bytes(40);
        let head = [5, 0, kind, 3, 0x10, 0, 0, 0, 64, 0, 0, 0];
        join(&[&head, &(call + n / 2).to_le_bytes(), &[0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0], &body])
    })
}

/// SMB 2 behind a NetBIOS session header (MS-SMB2 2.2.1).
fn smb(r: &mut Random) -> Turns {
    both(r, |r, side, n| {
        let flags = u8::from(side == S);
        let head = [0xfe, b'S', b'M', b'B', 64, 0, 1, 0, 0, 0, 0, 0, n as u8 / 2, 0, 1, 0, flags];
        let mut body = join(&[&head, &[0; 47]]);
        body.extend(r.bytes(60));
        counted(4, false, &body)
    })
}

/// RTP over TCP (RFC 4571), or interleaved (RFC 2326 section 10.12).
fn rtp(r: &mut Random) -> Turns {
    let (interleaved, source, start) = (r.below(2) == 0, r.bytes(4), r.next() as u16);
    let kind = r.of(&[0, 8, 0x60, 0x61, 0xe0]);
    (0..8u16)
        .map(|n| {
            let head = join(&[&[0x80, kind], &start.wrapping_add(n).to_be_bytes()]);
            let body = join(&[&head, &r.bytes(4), &source, &r.bytes(80)]);
            let framed = counted(2, false, &body);
            let bytes = if interleaved { join(&[b"$\0", &framed]) } else { framed };
            (if interleaved { S } else { C }, bytes)
        })
        .collect()
}

/// Messages with a fixed head and random contents.
fn fixed_head(r: &mut Random) -> Turns {
    let magic: &[u8] = r.of(&[
        b"\x80\x23",
        b"\x81\x00",
        b"\x80\x00",
        b"\0\0\0\x01",
        b"\x01\0",
        b"\x01\x01",
        b"\x05\0",
        b"\x16\x03",
        b"\xda\xbc",
        b"\x00\x00",
        b"\x10\x20",
        b"\x04\x00",
        b"\x84\x00",
        b"*",
        b"$",
        b"+",
        b"\x82\x21",
        b"\x00\x00\x10",
        b"\x0a",
        b"\xff\xff\xff\xff",
        b"\x00\x12\x00",
        b"\x01\x00\x00\x00",
        b"\x7f",
        b"\x30\x0c",
        b"C",
        b"\x42",
        b"\x03",
        b"\x20\x02",
        b"P",
        b"\0\0\0\x24\0\0\0\0",
        b"\x18\0\0\0",
    ]);
    both(r, |r, _, _| {
        let len = 8 + r.below(200);
        join(&[magic, &r.bytes(len)])
    })
}

/// Random bytes, as of encryption without a head.
fn noise(r: &mut Random) -> Turns {
    both(r, |r, _, _| {
        let len = 1 + r.below(300);
        r.bytes(len)
    })
}

/// BitTorrent (BEP 3).
fn bittorrent(r: &mut Random) -> Turns {
    let shake = |r: &mut Random| {
        join(&[b"\x13BitTorrent protocol", &[0, 0, 0, 0, 0, 0x10, 0, 5], &r.bytes(40)])
    };
    let mut turns = vec![(C, shake(r)), (S, shake(r))];
    for n in 0..6u8 {
        let side = if n % 2 == 0 { C } else { S };
        let size = r.of(&[0, 4, 12, 60]);
        turns.push((side, counted(4, false, &join(&[&[n], &r.bytes(size)]))));
    }
    turns
}

/// SSH (RFC 4253).
fn ssh(r: &mut Random) -> Turns {
    let banner = b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n".to_vec();
    let mut turns = vec![(S, banner.clone()), (C, banner)];
    for side in [C, S] {
        let body = join(&[&[6, 20], &r.bytes(16), b"\0\0\0\x11curve25519-sha256", &r.bytes(90)]);
        turns.push((side, counted(4, false, &body)));
    }
    turns.extend(noise(r));
    turns
}

/// The X window system.
fn x11(r: &mut Random) -> Turns {
    let mut turns = vec![
        (C, b"l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1\0\0".to_vec()),
        (S, join(&[b"\x01\0\x0b\0\0\0\x20\0", &r.bytes(128)])),
    ];
    for n in 0..6u8 {
        turns.push((C, join(&[&[n * 7 + 1, 0, 4, 0], &r.bytes(12)])));
        turns.push((S, join(&[&[1, 0, n, 0, 0, 0, 0, 0], &r.bytes(24)])));
    }
    turns
}

/// TPKT (RFC 1006) with what Remote Desktop or S7 puts into it.
fn tpkt(r: &mut Random) -> Turns {
    both(r, |r, side, n| {
        let kind = match (n < 2, side) {
            (true, C) => 0xe0,
            (true, _) => 0xd0,
            (false, _) => 0xf0,
        };
        let len = 10 + r.below(60);
        let body = join(&[&[6, kind, 0, 0, 0x12, 0x34, 0], &r.bytes(len)]);
        join(&[&[3, 0], &((body.len() + 4) as u16).to_be_bytes(), &body])
    })
}

/// ISO 8583 in ASCII behind a length of two bytes.
fn iso8583(r: &mut Random) -> Turns {
    both(r, |r, side, _| {
        let kind = if side == C { "0200" } else { "0210" };
        let digits: String = (0..60).map(|_| char::from(b'0' + r.byte() % 10)).collect();
        let wide = r.of(&[2, 4]);
        counted(wide, false, format!("{kind}7234054128C28805{digits}").as_bytes())
    })
}

/// Protobuf behind its length: varint, or a number of four bytes in either order.
fn protobuf(r: &mut Random) -> Turns {
    let form = r.below(5);
    both(r, |r, _, n| {
        let name = r.of(&["alice", "some.topic.name", "x", "service/Method"]);
        let body = join(&[
            &[8, n as u8 + 1, 0x12, name.len() as u8],
            name.as_bytes(),
            &[0x1a, 9],
            &r.bytes(9),
            &[0x20, 1],
        ]);
        match form {
            0 => counted(1, false, &body),
            1 => counted(4, false, &body),
            2 => counted_le(4, false, &body),
            3 => counted(2, false, &body),
            _ => join(&[&[0], &counted(4, false, &body)]),
        }
    })
}

/// A line of JSON for each message.
fn json_lines(r: &mut Random) -> Turns {
    let form = r.below(3);
    both(r, |r, side, n| {
        let id = r.below(1000);
        match (form, side) {
            (0, C) => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"get\"}}\n"),
            (0, _) => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":null}}\n"),
            (1, _) => format!("{{\"level\":\"info\",\"n\":{n},\"msg\":\"hello\"}}\r\n"),
            _ => format!("[{id}, \"{n}\", null]\n"),
        }
        .into_bytes()
    })
}

/// Protocols of lines in which the server greets.
fn greeted(r: &mut Random) -> Turns {
    lines(r.of(&[
        "S220 mail.test ESMTP Postfix\nCEHLO client.test\nS250-mail.test\nS250 OK\nCMAIL FROM:<a@b.test>\nS250 2.1.0 Ok\nCQUIT\nS221 Bye",
        "S220 ProFTPD\nCUSER anonymous\nS331 Password required\nCPASS x\nS230 Logged in\nCTYPE I\nS200 Type set\nCQUIT\nS221 Goodbye",
        "S+OK POP3 ready <1896.6@pop.test>\nCUSER alice\nS+OK\nCPASS x\nS+OK logged in\nCSTAT\nS+OK 2 320\nCLIST\nS+OK 2 messages\nS1 120\nS.\nCQUIT\nS+OK",
        "S* OK IMAP4rev1 ready\nCa1 LOGIN alice x\nSa1 OK LOGIN completed\nCa2 SELECT INBOX\nS* 3 EXISTS\nS* 0 RECENT\nSa2 OK\nCa3 LOGOUT\nS* BYE",
        "SRFB 003.008\nCRFB 003.008\nS\x01\x02\nC\x02",
        "S@RSYNCD: 31.0\nC@RSYNCD: 31.0\nCmodule\nS@RSYNCD: OK",
        "S200 news.test InterNetNews ready\nCMODE READER\nS200 ok\nCGROUP misc.test\nS211 3 1 3 misc.test\nCQUIT\nS205 bye",
        "S OK MPD 0.23.5\nCstatus\nSvolume: 100\nSOK\nCping\nSOK\nCclose",
    ]))
}

/// Protocols of lines in which the client begins.
fn spoken(r: &mut Random) -> Turns {
    lines(r.of(&[
        "CNICK alice\nCUSER alice 0 * :Alice\nS:irc.test 001 alice :Welcome\nSPING :irc.test\nCPONG :irc.test\nCJOIN #x\nS:alice JOIN #x\nCPRIVMSG #x :hello",
        "Creserve\nCput 0 0 60 5\nChello\nSINSERTED 1\nSRESERVED 1 5\nShello\nCdelete 1\nSDELETED",
        "Cservers.web.cpu 12.5 1700000000\nCservers.web.mem 99 1700000001\nCa.b.c 1 1700000002",
        "C<34>Oct 11 22:14:15 host su: failed\nC<165>1 2003-10-11T22:14:15.003Z host app - ID47 - text",
        "Cexample.test\nSDomain Name: EXAMPLE.TEST\nSRegistry: x",
        "Cfoo:1|c\nCbar:320|ms\nCgauge:333|g",
        "COPTIONS rtsp://cam.test/1 RTSP/1.0\nCCSeq: 1\nC\nSRTSP/1.0 200 OK\nSCSeq: 1\nSPublic: DESCRIBE\nS",
        "CINVITE sip:bob@test SIP/2.0\nCVia: SIP/2.0/TCP a.test\nC\nSSIP/2.0 100 Trying\nSVia: SIP/2.0/TCP a.test\nS",
        "Ct3 12.2.1\nCAS:255\nCHL:19\nC\nSHELO:12.2.1.false\nSAS:2048\nS",
        "Chello\nSworld\nChow are you\nSfine\nCbye\nSbye",
        "CSELECT 1\nS1\nCSET x 1\nSok\nCEXIT",
        "C0032git-upload-pack /project.git\0host=myserver.test\0\nS00887217a7c7e582c46cec22a130adf4b9d7d950fba0 HEAD",
        "CALL 12 x\nSERR nope\nCLIST\nS0 items\nCADD 5\nS5",
        "Clogin bob\nSok 5\nClook\nSA room.\nCget lamp\nSTaken.\nCquit\nSBye",
        "C1 2 3\nS6\nC4 5 6\nS15",
        "C$GPGGA,123519,4807.038,N\nC$GPRMC,123519,A\nC!AIVDM,1,1,,B",
        "C*99*0##\nS*#*1##\nC*1*1*21##\nS*#*1##",
        "C:10010000214601360121470136007EFE09D2190140\nS:ok",
    ]))
}

/// LDAP, SNMP and others in BER.
fn ber(r: &mut Random) -> Turns {
    both(r, |r, side, n| {
        let kind = if side == C { 0x63 } else { 0x65 };
        let len = r.below(60);
        let body = r.bytes(len);
        let inner = join(&[&[2, 1, n as u8 + 1, kind, body.len() as u8], &body]);
        join(&[&[0x30, inner.len() as u8], &inner])
    })
}

/// RTMP: a version, then random bytes.
fn rtmp(r: &mut Random) -> Turns {
    let hello = |r: &mut Random| join(&[&[3, 0, 0, 0, 0, 0, 0, 0, 0], &r.bytes(1528)]);
    vec![(C, hello(r)), (S, hello(r)), (C, r.bytes(1536)), (S, r.bytes(1536))]
}

/// TDS (SQL Server) and TNS (Oracle).
fn other_databases(r: &mut Random) -> Turns {
    let oracle = r.below(2) == 0;
    both(r, |r, side, n| {
        let len = 20 + r.below(80);
        let body = r.bytes(len);
        let size = ((body.len() + 8) as u16).to_be_bytes();
        if oracle {
            let kind = if n == 0 { 1 } else { 6 };
            return join(&[&size, &[0, 0, kind, 0, 0, 0], &body]);
        }
        let kind = if side == S { 4 } else { 0x12 };
        join(&[&[kind, 1], &size, &[0, 0, 1, 0], &body])
    })
}

/// Industrial: Modbus, IEC 60870-5-104, DNP3.
fn industrial(r: &mut Random) -> Turns {
    let kind = r.below(3);
    both(r, |r, side, n| match kind {
        0 if side == C => join(&[&[0, n as u8, 0, 0, 0, 6, 1, 3], &r.bytes(4)]),
        0 => join(&[&[0, n as u8 - (n > 0) as u8, 0, 0, 0, 7, 1, 3, 4], &r.bytes(4)]),
        1 => join(&[&[0x68, 14, n as u8, 0, n as u8, 0], &r.bytes(10)]),
        _ => join(&[&[5, 0x64, 14, 0xc4, 1, 0, 2, 0], &r.bytes(12)]),
    })
}

/// ONC RPC (RFC 5531) behind a record mark.
fn sunrpc(r: &mut Random) -> Turns {
    let xid = r.next() as u32;
    both(r, |r, side, n| {
        let reply = u32::from(side == S);
        let len = 4 * r.below(40);
        let rest = r.bytes(len);
        let call = [2u32, 100_003, 3, n % 8, 0, 0].map(u32::to_be_bytes).concat();
        let body =
            join(&[&xid.wrapping_add(n / 2).to_be_bytes(), &reply.to_be_bytes(), &call, &rest]);
        join(&[&(0x8000_0000 | body.len() as u32).to_be_bytes(), &body])
    })
}

/// iSCSI: basic header segments of 48 bytes (RFC 7143).
fn iscsi(r: &mut Random) -> Turns {
    both(r, |r, side, n| {
        let opcode = if side == C { r.of(&[0x43, 0x01, 0x41]) } else { r.of(&[0x23, 0x21, 0x25]) };
        let len = 4 * r.below(30) as u32;
        let head = join(&[&[opcode, 0x80, 0, 0], &len.to_be_bytes(), &[0; 8]]);
        let data = r.bytes(len as usize);
        join(&[&head, &n.to_be_bytes(), &r.bytes(28), &data])
    })
}

/// BGP (RFC 4271).
fn bgp(r: &mut Random) -> Turns {
    both(r, |r, _, n| {
        let len = if n < 2 { 10 } else { r.below(50) };
        let kind = if n < 2 { 1 } else { r.of(&[2, 4]) };
        join(&[&[0xff; 16], &((19 + len) as u16).to_be_bytes(), &[kind], &r.bytes(len)])
    })
}

/// VPNs over TCP: two bytes of length.
fn vpn(r: &mut Random) -> Turns {
    let opcode = r.of(&[0x38, 0x20, 0x48, 1, 4]);
    both(r, |r, _, _| {
        let len = 14 + r.below(100);
        counted(2, false, &join(&[&[opcode], &r.bytes(len)]))
    })
}

/// Numbers that rise, in every width and order, and other regular data.
fn regular(r: &mut Random) -> Turns {
    let kind = r.below(12);
    let start = r.below(300) as u64;
    both(r, |r, _, n| match kind {
        0 => (0..100u32).flat_map(|i| (start as u32 + i).to_be_bytes()).collect(),
        1 => (0..100u32).flat_map(|i| (start as u32 + i).to_le_bytes()).collect(),
        2 => (0..100u64).flat_map(|i| (start + i).to_le_bytes()).collect(),
        3 => (0..100u16).flat_map(|i| (start as u16 + i).to_be_bytes()).collect(),
        4 => vec![0; 10 + r.below(400)],
        5 => vec![0xff; 10 + r.below(400)],
        6 => (0..100).flat_map(|i| (f64::from(i) * 0.5).to_le_bytes()).collect(),
        7 => (0..200).map(|i| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[(i + n as usize) % 32]).collect(),
        8 => vec![b'x'; 10 + r.below(400)],
        9 => (0..=255).collect(),
        10 => vec![start as u8; 1 + r.below(400)],
        _ => (0..60).flat_map(|_| [0, 0, 0, r.byte() % 32]).collect(),
    })
}

/// Files: an archive, an image, a program, a document.
fn files(r: &mut Random) -> Turns {
    let head: &[u8] = r.of(&[
        b"\x1f\x8b\x08\0\0\0\0\0",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\x7fELF\x02\x01\x01\0",
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"%PDF-1.7\n%\xe2\xe3",
        b"<?xml version=\"1.0\"?>\n<a>",
        b"\xca\xfe\xba\xbe\0\0\x004",
        b"\xac\xed\0\x05sr",
        b"MZ\x90\0\x03\0\0\0",
        b"BZh91AY&SY",
        b"\x28\xb5\x2f\xfd\x04",
        b"ustar  \0",
        b"#!/bin/sh\necho hello\n",
    ]);
    let side = r.of(&[C, S]);
    (0..6)
        .map(|n| (side, if n == 0 { join(&[head, &r.bytes(800)]) } else { r.bytes(1400) }))
        .collect()
}

/// Further binary protocols.
fn binary(r: &mut Random) -> Turns {
    let kind = r.below(14);
    both(r, |r, side, n| {
        let len = r.below(60);
        let rest = r.bytes(len);
        let to_server = side == C;
        match kind {
            // Bolt (Neo4j).
            0 if n == 0 => b"\x60\x60\xb0\x17\0\0\x04\x04\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            0 => join(&[&counted(2, false, &join(&[&[0xb1, 1], &rest])), &[0, 0]]),
            // Elasticsearch's transport.
            1 => {
                join(&[b"ES", &counted(4, false, &join(&[&[0, 0, 0, 0, 0, 0, 0, n as u8], &rest]))])
            }
            // AJP.
            2 if to_server => join(&[&[0x12, 0x34], &counted(2, false, &rest)]),
            2 => join(&[b"AB", &counted(2, false, &rest)]),
            // Gearman.
            3 => {
                let magic: &[u8] = if to_server { b"\0REQ" } else { b"\0RES" };
                join(&[magic, &7u32.to_be_bytes(), &counted(4, false, &rest)])
            }
            // Aerospike.
            4 => join(&[&[2, 3, 0, 0, 0, 0], &counted(2, false, &rest)]),
            // Erlang's distribution and EPMD.
            5 => counted(if n < 2 { 2 } else { 4 }, false, &join(&[b"n", &rest])),
            // ClickHouse.
            6 if n == 0 => b"\0\x11ClickHouse client\x17\x08\xb1\xa9\x03\0\x07default\0".to_vec(),
            6 => join(&[&[n as u8 % 5], &rest]),
            // Hazelcast.
            7 if n == 0 => b"CP2".to_vec(),
            7 => counted_le(4, true, &join(&[&[0, 0xc0, 0, 1, 0, 0], &rest])),
            // STUN over TCP (RFC 5389).
            8 => join(&[
                &[u8::from(!to_server), 1],
                &(rest.len() as u16).to_be_bytes(),
                &[0x21, 0x12, 0xa4, 0x42],
                &r.bytes(12),
                &rest,
            ]),
            // Diameter (RFC 6733).
            9 => {
                let flags = if to_server { 0x80 } else { 0 };
                let body = join(&[&[flags, 0, 1, 1, 0, 0, 0, 0], &r.bytes(8), &rest]);
                join(&[&[1, 0], &((body.len() + 4) as u16).to_be_bytes(), &body])
            }
            // A length in four bytes, a request number in four, a type in two.
            10 => counted(4, false, &join(&[&(n / 2 + 1).to_be_bytes(), &[0, 3], &rest])),
            11 => counted_le(4, true, &join(&[&(n / 2 + 1).to_le_bytes(), &[3, 0], &rest])),
            // Type, flags and length in two bytes.
            12 => join(&[&[n as u8 + 1, 0], &(rest.len() as u16).to_be_bytes(), &rest]),
            // MessagePack-RPC.
            _ if to_server => join(&[&[0x94, 0, n as u8, 0xa3], b"add", &[0x92, 1, 2]]),
            _ => vec![0x94, 1, n as u8, 0xc0, 3],
        }
    })
}

type Maker = fn(&mut Random) -> Turns;

/// Kinds of streams by name.
const KINDS: &[(&str, Maker)] = &[
    ("dcerpc", dcerpc),
    ("smb", smb),
    ("rtp", rtp),
    ("fixed head", fixed_head),
    ("noise", noise),
    ("bittorrent", bittorrent),
    ("ssh", ssh),
    ("x11", x11),
    ("tpkt", tpkt),
    ("iso 8583", iso8583),
    ("protobuf", protobuf),
    ("json lines", json_lines),
    ("greeted", greeted),
    ("spoken", spoken),
    ("ber", ber),
    ("rtmp", rtmp),
    ("other databases", other_databases),
    ("industrial", industrial),
    ("sunrpc", sunrpc),
    ("iscsi", iscsi),
    ("bgp", bgp),
    ("vpn", vpn),
    ("regular", regular),
    ("files", files),
    ("binary", binary),
];

/// What was invented: by protocol and kind, how often, and one example.
fn inventions(
    transport: Transport,
    roles_known: bool,
    ports: &[u16],
) -> BTreeMap<String, (u32, String)> {
    let variants = std::env::var("IMPOSTORS").ok().and_then(|n| n.parse().ok());
    let mut found = BTreeMap::new();
    for (kind, make) in KINDS {
        for variant in 0..variants.unwrap_or(VARIANTS) {
            for &port in ports {
                let mut random = Random(variant << 16 | u64::from(port));
                let turns = make(&mut random);
                let mut talk = Talk::new(transport, 40_000, port, RequestLimits::default());
                talk.cx.roles_known = roles_known;
                for (direction, bytes) in &turns {
                    talk.send(*direction, bytes);
                }
                talk.over();
                let summary = talk.conversation.summary();
                let told = talk.found.exchanges.first().map(|e| e.protocol);
                if let Some(protocol) = told.or(summary.map(|s| s.protocol)) {
                    let name = format!("{} of {kind}", protocol.as_str());
                    let head: Vec<_> = turns
                        .iter()
                        .take(2)
                        .map(|(d, b)| (*d, b[..b.len().min(24)].escape_ascii().to_string()))
                        .collect();
                    let entry = found.entry(name).or_insert_with(|| {
                        (0, format!("port {port}, {:?}, {head:?}", talk.told()))
                    });
                    entry.0 += 1;
                }
            }
        }
    }
    found
}

fn all_ports() -> Vec<u16> {
    let mut ports: Vec<u16> = registry::protocols().flat_map(|p| p.ports).copied().collect();
    ports.extend([445, 7777]);
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[test]
fn nothing_is_invented_where_the_handshake_was_seen() {
    let found = inventions(Transport::Tcp, true, &all_ports());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_invented_in_the_middle_of_a_connection() {
    let mut found = inventions(Transport::Tcp, false, &all_ports());
    // In the middle of a connection, on the port of one of these, a line of words is a command.
    found.retain(|name, _| {
        let lines = name.ends_with("of spoken") || name.ends_with("of greeted");
        !(lines && ["redis", "memcached"].iter().any(|protocol| name.starts_with(protocol)))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_invented_from_datagrams() {
    let found = inventions(Transport::Udp, false, &all_ports());
    assert!(found.is_empty(), "{found:#?}");
}
