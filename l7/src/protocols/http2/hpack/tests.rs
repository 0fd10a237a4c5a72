//! The examples of RFC 7541 appendix C, and tables whose beginning is unknown.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// Role and value of each field of a block; `?` where it is unknown.
fn fields(table: &mut Table, block: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut out = Vec::new();
    decode(block, table, &mut Scratch::default(), |field| {
        out.push(match field {
            Field::Known(name, value) => {
                format!("{:?} {}", name.role, String::from_utf8_lossy(value))
            }
            Field::Unknown => "?".into(),
        });
    })?;
    Ok(out)
}

const WWW: &str = "Authority www.example.com";

#[test]
fn the_requests_of_appendix_c_3_and_c_4() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for requests in [plain, coded] {
        let mut table = Table::default();
        let told = requests.map(|request| fields(&mut table, &hex(request)).unwrap());
        assert_eq!(told[0], ["Method GET", "Scheme http", "Path /", WWW]);
        assert_eq!(told[1], ["Method GET", "Scheme http", "Path /", WWW, "Other "]);
        assert_eq!(told[2], ["Method GET", "Scheme https", "Path /index.html", WWW, "Other "]);
        assert_eq!(table.get(64).unwrap().1, b"www.example.com");
        assert!(table.get(65).is_none());
    }
}

/// Appendix C.5 and C.6: a table of 256 bytes in which entries are evicted.
#[test]
fn the_responses_of_appendix_c_5_and_c_6() {
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ];
    let coded = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    for responses in [plain, coded] {
        let mut table = Table::default();
        table.resize(256);
        let told = responses.map(|response| fields(&mut table, &hex(response)).unwrap());
        assert_eq!(told[0], ["Status 302", "Other ", "Other ", "Other "]);
        assert_eq!(told[1], ["Status 307", "Other ", "Other ", "Other "]);
        assert_eq!(told[2].len(), 6);
        assert_eq!((table.size, table.entries.len()), (215, 3));
    }
}

#[test]
fn what_was_added_before_is_unknown_and_what_is_added_is_known() {
    let mut table = Table::default();
    table.on_gap();
    // Two old entries, a new path, and the old ones again: they are further back now.
    let block = [&[0xbe, 0xc0, 0x44, 2][..], b"/x", &[0xbe, 0xbf, 0xc1]].concat();
    assert_eq!(fields(&mut table, &block).unwrap(), ["?", "?", "Path /x", "Path /x", "?", "?"]);
    // A name of an entry that is not known: neither is the field, but the entry counts.
    let block = [&[0x7f, 1, 1][..], b"v", &[0xbe, 0xbf]].concat();
    assert_eq!(fields(&mut table, &block).unwrap(), ["?", "?", "Path /x"]);
    table.on_gap();
    assert_eq!(fields(&mut table, &[0xbe, 0xbf]).unwrap(), ["?", "?"]);
}

#[test]
fn the_size_changes_at_the_beginning_of_a_block() {
    let mut table = Table::default();
    let add = [&[0x44, 2][..], b"/x"].concat();
    fields(&mut table, &add).unwrap();
    assert_eq!(fields(&mut table, &[0xbe]).unwrap(), ["Path /x"]);
    assert_eq!(
        fields(&mut table, &[0x20, 0x3f, 0xe1, 0x1f, 0xbe]).unwrap(),
        ["?"],
        "to 0, and to 4096 again"
    );
    fields(&mut table, &add).unwrap();
    fields(&mut table, &[0x3f, 0x07]).unwrap();
    assert_eq!(fields(&mut table, &[0xbe]).unwrap(), ["?"], "38 bytes hold no entry of 39");
    assert_eq!(fields(&mut table, &[0x82, 0x20]), Err(Malformed));
    table.resize(usize::MAX);
    for n in 0..10_000 {
        let path = format!("/{n:05}{}", "x".repeat(40));
        fields(&mut table, &[&[0x44, path.len() as u8][..], path.as_bytes()].concat()).unwrap();
    }
    assert!(table.bytes() < 300_000, "{}", table.bytes());
}

#[test]
fn secrets_are_not_kept() {
    let mut table = Table::default();
    let block =
        [&[0x57, 6][..], b"s3cret", &[0x60, 6], b"s3cret", &[0x40, 1], b"x", &[6], b"s3cret"]
            .concat();
    assert_eq!(fields(&mut table, &block).unwrap(), ["Other ", "Other ", "Other "]);
    assert_eq!(table.size, 13 + 6 + 6 + 6 + 1 + 6 + 3 * 32);
    assert!(table.entries.iter().all(|slot| slot.value.is_empty()));
}

#[test]
fn what_is_no_block_is_refused() {
    let bad: [&[u8]; 7] = [
        &[0x80],
        &[0xff],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x44],
        &[0x44, 5, b'/'],
        &[0x40, 1, b'x'],
        &[0x44, 0x82, 0xff, 0xff],
    ];
    for block in bad {
        assert_eq!(fields(&mut Table::default(), block), Err(Malformed), "{block:x?}");
    }
}
