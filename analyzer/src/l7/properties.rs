//! What holds for every protocol: segmentation changes nothing but times, and no input does harm.

use proptest::prelude::*;
use wire::{Direction, Transport};

use super::dns;
use super::testing::{C, S, Talk, timeless};
use super::{End, Limits};

/// A conversation in turns, with the server port it runs on.
struct Script {
    port: u16,
    turns: Vec<(Direction, Vec<u8>)>,
}

fn scripts() -> Vec<Script> {
    let http = [
        (
            C,
            "\r\nGET /1?a=b HTTP/1.1\r\nHost: h:81\r\nUser-Agent: a\r\n  folded\r\n\r\nHEAD /2 HTTP/1.1\nHost: h\n\nPUT /3 HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde",
        ),
        (
            S,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;e=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        ),
        (S, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 12\r\n\r\nHTTP/1.1 500"),
        (
            C,
            "POST /4 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\nBREW /5 HTTP/1.1\r\n\r\n",
        ),
        (
            S,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n.HTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil the end",
        ),
    ];
    let tunnel = [
        (C, "CONNECT a:80 HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 200 OK\r\n\r\n"),
        (C, "GET /in HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 204 No Content\r\n\r\n"),
        (C, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
        (
            S,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{81}\u{5}GET / HTTP/1.1\r\n\r\n",
        ),
    ];
    let text = |turns: &[(Direction, &str)]| turns.iter().map(|(d, t)| (*d, t.as_bytes().to_vec())).collect();
    let queries = [1, 2, 3].map(|id| dns::tests::framed(&dns::tests::query(id, "name.example"))).concat();
    let answers =
        [3, 1, 1].map(|id| dns::tests::framed(&dns::tests::response(id, "name.example", 3))).concat();
    let large = dns::tests::framed(&[dns::tests::response(2, "name.example", 0), vec![0; 9000]].concat());
    vec![
        Script { port: 80, turns: text(&http) },
        Script { port: 3128, turns: text(&tunnel) },
        Script { port: 53, turns: vec![(C, queries), (S, answers), (S, large)] },
    ]
}

fn spans(script: &Script, mut cut: impl FnMut(usize) -> usize) -> Vec<String> {
    let mut talk = Talk::tcp(script.port);
    for (direction, bytes) in &script.turns {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(cut(rest.len()).clamp(1, rest.len()));
            talk.send(*direction, piece);
            rest = more;
        }
    }
    talk.end(End::Fin(S)).over();
    timeless(&talk.found.exchanges)
}

#[test]
fn byte_by_byte_gives_what_the_whole_gives() {
    for script in scripts() {
        let whole = spans(&script, |len| len);
        assert!(whole.len() >= 3, "{whole:#?}");
        for size in [1, 2, 3, 7, 20] {
            assert_eq!(whole, spans(&script, |_| size), "pieces of {size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_segmentation_gives_what_the_whole_gives(cuts in prop::collection::vec(1usize..40, 1..40)) {
        for script in scripts() {
            let mut next = cuts.iter().cycle();
            prop_assert_eq!(spans(&script, |len| len), spans(&script, |_| next.next().copied().unwrap_or(1)));
        }
    }

    #[test]
    fn random_bytes_do_no_harm(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200), 0u64..4), 0..30), port in prop::sample::select(vec![53u16, 80, 5353, 4000]), udp in any::<bool>()) {
        let transport = if udp { Transport::Udp } else { Transport::Tcp };
        let mut talk = Talk::new(transport, 40_000, port, Limits::default());
        for (to_server, bytes, gap) in pieces {
            let direction = if to_server { C } else { S };
            talk.send(direction, &bytes);
            if gap > 0 && !udp {
                talk.gap(direction, gap);
            }
        }
        talk.over();
    }

    #[test]
    fn damaged_conversations_do_no_harm(at in any::<prop::sample::Index>(), byte in any::<u8>(), size in 1usize..60, lost in 0usize..60) {
        for script in scripts() {
            let mut talk = Talk::tcp(script.port);
            let place = at.index(script.turns.iter().map(|t| t.1.len()).sum());
            let mut passed = 0;
            for (direction, bytes) in &script.turns {
                let mut bytes = bytes.clone();
                let here = place.wrapping_sub(passed);
                passed += bytes.len();
                let hit = here < bytes.len();
                if hit {
                    bytes[here] = byte;
                }
                for (n, piece) in bytes.chunks(size).enumerate() {
                    if hit && lost > 0 && here / size == n {
                        talk.gap(*direction, piece.len() as u64);
                    } else {
                        talk.send(*direction, piece);
                    }
                }
            }
            talk.over();
        }
    }
}
