//! What holds for every protocol: segmentation changes nothing but times, and no input does harm.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wire::Transport;

use crate::engine::registry;
use crate::input::End;
use crate::limits::RequestLimits;
use crate::protocols::scripts;
use crate::testing::{C, S, Script, Talk, timeless};

/// Usual ports of every protocol.
fn ports() -> Vec<u16> {
    registry::protocols().flat_map(|protocol| protocol.ports).copied().collect()
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
        assert!(whole.len() >= script.least, "port {}: {whole:#?}", script.port);
        for size in [1, 2, 3, 7, 20] {
            assert_eq!(whole, spans(&script, |_| size), "pieces of {size}");
        }
    }
}

/// The protocols of what comes of a script on some port.
fn protocols(script: &Script, port: u16) -> BTreeSet<&'static str> {
    let mut talk = Talk::tcp(port);
    for (direction, bytes) in &script.turns {
        talk.send(*direction, bytes);
    }
    talk.over();
    talk.found.exchanges.iter().map(|exchange| exchange.protocol.as_str()).collect()
}

#[test]
fn every_protocol_has_a_conversation() {
    let told: BTreeSet<_> =
        scripts().iter().flat_map(|script| protocols(script, script.port)).collect();
    for (_, entry) in registry::entries(registry::of_transport(Transport::Tcp)) {
        assert!(told.contains(entry.name.as_str()), "no script of {}", entry.name.as_str());
    }
}

#[test]
fn ports_of_others_fool_nobody() {
    let scripts = scripts();
    let mut ports: Vec<u16> = scripts.iter().map(|script| script.port).collect();
    ports.extend([7, 40_000]);
    for script in &scripts {
        let own = protocols(script, script.port);
        for &port in &ports {
            let found = protocols(script, port);
            let others: Vec<_> = found.difference(&own).collect();
            assert!(others.is_empty(), "{own:?} on port {port} is taken for {others:?}");
        }
    }
}

/// Exchanges of a script on some port that lack their request.
fn answers_alone(script: &Script, port: u16) -> usize {
    let mut talk = Talk::tcp(port);
    script.play(&mut talk);
    talk.over();
    talk.found.exchanges.iter().filter(|exchange| exchange.request.is_none()).count()
}

#[test]
fn a_request_that_only_its_answer_explains_is_no_loss() {
    for script in scripts() {
        let [own, other] = [script.port, 40_000].map(|port| answers_alone(&script, port));
        assert!(
            other <= own,
            "{:?}: {other} answers without request, not {own}",
            protocols(&script, script.port)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_segmentation_gives_what_the_whole_gives(
        cuts in prop::collection::vec(1usize..40, 1..40)
    ) {
        for script in scripts() {
            let mut next = cuts.iter().cycle();
            let cut = spans(&script, |_| next.next().copied().unwrap_or(1));
            prop_assert_eq!(spans(&script, |len| len), cut);
        }
    }

    #[test]
    fn random_bytes_do_no_harm(
        pieces in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(any::<u8>(), 0..200), 0u64..4),
            0..30
        ),
        port in prop::sample::select(ports()),
        udp in any::<bool>()
    ) {
        let transport = if udp { Transport::Udp } else { Transport::Tcp };
        let mut talk = Talk::new(transport, 40_000, port, RequestLimits::default());
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
    fn damaged_conversations_do_no_harm(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        size in 1usize..60,
        lost in 0usize..60
    ) {
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
