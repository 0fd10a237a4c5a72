//! Tests of compressed packets: from the middle on, after a hole, and made to hurt.

use fact::Outcome;
use proptest::prelude::*;

use super::tests::{
    NO_EOF, ZLIB, frame, logged_in, ok, p, query, result, scripts, talk, zlib, zstd,
};
use crate::testing::{C, S, Talk, int, text};

#[test]
fn what_is_compressed_is_read_also_from_the_middle_on() {
    let packed = &scripts()[2].turns;
    for from in [3, 5] {
        let mut t = talk(&packed[from..]);
        t.over();
        assert_eq!(t.told().len(), 4 - (from - 3) / 2, "{:?}", t.told());
    }
    // A packet that cannot be decompressed costs what is in it.
    let mut turns = packed[..3].to_vec();
    let mut broken = packed[4].1.clone();
    broken[40] ^= 0x55;
    broken[41] ^= 0x55;
    turns.extend([packed[3].clone(), (S, broken), packed[7].clone(), packed[8].clone()]);
    let mut t = talk(&turns);
    assert_eq!(
        t.over().iter().map(|e| e.outcome).collect::<Vec<_>>()[1..],
        [Outcome::Ok, Outcome::Ok]
    );
    assert_ne!(t.found.exchanges[0].outcome, Outcome::Ok);
}

#[test]
fn joined_behind_the_beginning_of_a_long_compressed_command() {
    let mut t = Talk::tcp(3306);
    // The second part has its own sequence number in the compressed packet, and so has the
    // response. The packet inside continues from the command's number.
    t.c(frame(0, &query("INSERT 1"), None)).s(frame(2, &p(1, &ok(1, 2)), None));
    t.c(frame(0, &query("SELECT 2"), None)).s(frame(1, &result(1, 2, true, 2), None));
    assert_eq!(t.over().iter().map(|e| e.response.unwrap().bytes).collect::<Vec<_>>(), [18, 62]);
    // An answer that cannot be recognised is not the next one's.
    let mut t = Talk::tcp(3306);
    t.c(query("SELECT 1")).s(p(9, b"what")).c(query("SELECT 2")).s(result(1, 2, false, 2));
    let rows: Vec<_> =
        t.over().iter().map(|e| (e.outcome, int(e, "db.response.returned_rows"))).collect();
    assert_eq!(rows, [(Outcome::LostBytes, None), (Outcome::Ok, Some(2))]);
}

#[test]
fn compressed_packets_are_found_again_behind_a_hole() {
    let mut t = talk(&scripts()[2].turns[..3]);
    // As some clients send them: the head of the packet, that of the packet in it, and the rest.
    let ask = |t: &mut Talk, statement: &str, lost: bool| {
        let packet = frame(0, &query(statement), None);
        t.c(&packet[..7]);
        match lost {
            true => t.gap(C, 4),
            false => t.c(&packet[7..11]),
        };
        t.c(&packet[11..]).s(frame(1, &result(1, 1, true, 2), None));
    };
    for (n, statement) in
        ["SELECT 1", "SE\0ECT 2, 2, 2", "SELECT 3", "SELECT 4"].into_iter().enumerate()
    {
        ask(&mut t, statement, n == 1);
    }
    let queries =
        t.over().iter().filter(|e| e.outcome == Outcome::Ok && e.operation == "COM_QUERY").count();
    assert_eq!(queries, 3, "{:?}", t.told());
}

proptest! {
    #[test]
    fn hostile_compressed_packets_do_no_harm(
        body in prop::collection::vec(any::<u8>(), 1..300),
        plain in 0u32..0xff_ffff,
        kind in 0..4u8,
        size in 1usize..50
    ) {
        let mut t = logged_in(NO_EOF | ZLIB);
        let (mut begin, real) = match kind {
            0 => (vec![0x28, 0xb5, 0x2f, 0xfd], vec![]),
            1 => (zlib(&body), zlib(&body)),
            2 => (vec![0x78, 0x9c], vec![]),
            _ => (zstd(&body), zstd(&body)),
        };
        if real.is_empty() {
            begin.extend(&body);
        } else {
            let at = body.len() % begin.len();
            begin[at] ^= body[0];
        }
        let mut packet = (begin.len() as u32).to_le_bytes()[..3].to_vec();
        packet.push(0);
        packet.extend(&plain.to_le_bytes()[..3]);
        packet.extend(begin);
        for piece in packet.chunks(size) {
            t.c(piece);
        }
        t.c(frame(0, &query("SELECT 1"), None));
        prop_assert!(t.conversation.bytes() < 3 << 20);
        t.over();
    }
}

/// A compressed connection.
fn compressed() -> Talk {
    let mut t = Talk::tcp(3306);
    let one = query("SELECT 1 FROM a_table_with_a_long_name_so_that_it_pays");
    t.c(frame(0, &one, Some(zlib(&one))));
    t.s(frame(1, &p(1, &ok(0, 2)), None));
    assert_eq!(t.found.exchanges.len(), 1);
    t
}

#[test]
fn commands_in_a_few_bytes_are_not_all_told() {
    let plain = p(0, &[14]).repeat(1 << 20);
    for packed in [zlib(&plain), zstd(&plain)] {
        let mut t = compressed();
        let most = packed.len() + 100;
        t.c(frame(0, &plain, Some(packed)));
        t.over();
        assert!(t.found.exchanges.len() < most, "{} of at most {most}", t.found.exchanges.len());
    }
}

#[test]
fn what_need_not_be_looked_at_is_not_decompressed() {
    let mut t = compressed();
    let insert = query(&format!("INSERT INTO t VALUES ('{}')", "x".repeat(100_000)));
    let mut packed = zlib(&insert);
    let end = packed.len();
    packed[end - 8..].fill(0xff);
    t.c(frame(0, &insert, Some(packed))).s(frame(1, &p(1, &ok(1, 2)), None));
    assert_eq!(t.found.exchanges.len(), 2);
    assert_eq!(t.found.exchanges[1].outcome, Outcome::Ok);
    assert!(text(&t.found.exchanges[1], "db.query.text").starts_with("INSERT INTO t"));
}
