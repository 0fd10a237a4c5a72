//! The JA4 fingerprint of a ClientHello (FoxIO, "JA4: TLS Client Fingerprinting").

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::codes::is_grease;
use super::hello::{ClientHello, extension};
use super::reader::Reader;

/// The JA4 fingerprint: what a ClientHello offers, whatever the order. `over`: `t` for TCP, `q` for
/// QUIC.
pub(super) fn ja4(hello: &ClientHello<'_>, over: char) -> String {
    let kept = |code: &u16| !is_grease(*code);
    let mut ciphers: Vec<u16> = Reader(hello.ciphers).words().filter(kept).collect();
    let mut kinds: Vec<u16> = hello.extensions().map(|(kind, _)| kind).filter(kept).collect();
    let named = if kinds.contains(&extension::SERVER_NAME) { 'd' } else { 'i' };
    let version = match hello.versions().filter(kept).max() {
        Some(0x0304) => "13",
        Some(0x0303) => "12",
        Some(0x0302) => "11",
        Some(0x0301) => "10",
        Some(0x0300) => "s3",
        Some(0x0002) => "s2",
        _ => "00",
    };
    let mut text = String::with_capacity(36);
    let _ = write!(
        text,
        "{over}{version}{named}{:02}{:02}",
        ciphers.len().min(99),
        kinds.len().min(99)
    );
    push_protocol(hello.protocols().next().unwrap_or_default(), &mut text);
    ciphers.sort_unstable();
    kinds.retain(|kind| !matches!(*kind, extension::SERVER_NAME | extension::ALPN));
    kinds.sort_unstable();
    let mut scratch = String::new();
    push_codes(ciphers.into_iter(), &mut scratch);
    push_hash(&scratch, &mut text);
    scratch.clear();
    push_codes(kinds.into_iter(), &mut scratch);
    if !scratch.is_empty()
        && let Some(mut algorithms) = hello.extension(extension::SIGNATURE_ALGORITHMS).map(Reader)
        && let Some(list) = algorithms.long().filter(|list| list.len() >= 2)
    {
        scratch.push('_');
        let mut list_text = String::new();
        push_codes(Reader(list).words().filter(kept), &mut list_text);
        scratch.push_str(&list_text);
    }
    push_hash(&scratch, &mut text);
    text
}

/// First and last character of the first application protocol.
fn push_protocol(protocol: &[u8], into: &mut String) {
    match (protocol.first(), protocol.last()) {
        (Some(first), Some(last))
            if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
        {
            into.push(char::from(*first));
            into.push(char::from(*last));
        }
        (Some(first), Some(last)) => {
            let _ = write!(into, "{:x}{:x}", first >> 4, last & 15);
        }
        _ => into.push_str("00"),
    }
}

fn push_codes(codes: impl Iterator<Item = u16>, into: &mut String) {
    for (n, code) in codes.enumerate() {
        let _ = write!(into, "{}{code:04x}", if n > 0 { "," } else { "" });
    }
}

/// Appends the first twelve hexadecimal digits of the SHA-256 hash of `text`.
fn push_hash(text: &str, into: &mut String) {
    into.push('_');
    if text.is_empty() {
        into.push_str("000000000000");
        return;
    }
    for byte in Sha256::digest(text).iter().take(6) {
        let _ = write!(into, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(ciphers: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let words =
            |all: &[u16]| all.iter().flat_map(|code| code.to_be_bytes()).collect::<Vec<u8>>();
        let long = |bytes: Vec<u8>| [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
        let each = |(kind, data): &(u16, &[u8])| {
            [kind.to_be_bytes().to_vec(), long(data.to_vec())].concat()
        };
        let body = [vec![3, 3], vec![0; 32], vec![0], long(words(ciphers)), vec![1, 0]].concat();
        [body, long(extensions.iter().flat_map(each).collect())].concat()
    }

    #[test]
    fn a_browser_s_hello_has_its_known_fingerprint() {
        let ciphers = [
            0x8a8a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
            0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let algorithms = [0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1];
        let mut extensions: Vec<(u16, &[u8])> = [
            0x1a1a, 0x0000, 0x0017, 0xff01, 0x000a, 0x000b, 0x0023, 0x0005, 0x0012, 0x0033, 0x002d,
            0x001b, 0x4469, 0x0015,
        ]
        .map(|kind| (kind, &[][..]))
        .to_vec();
        extensions.push((0x0010, &[0, 3, 2, b'h', b'2']));
        extensions.push((0x002b, &[6, 0x3a, 0x3a, 3, 4, 3, 3]));
        extensions.push((0x000d, &algorithms));
        let bytes = hello(&ciphers, &extensions);
        let read = ClientHello::read(&bytes).unwrap();
        assert_eq!(ja4(&read, 't'), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        let bytes = hello(&[], &[]);
        assert_eq!(
            ja4(&ClientHello::read(&bytes).unwrap(), 'q'),
            "q12i000000_000000000000_000000000000"
        );
    }
}
