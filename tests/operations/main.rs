//! What clients did against real servers, operation by operation, and what Wirespan makes of the
//! recordings: exactly those operations, with their outcomes, in their order. Also when the bytes
//! come in segments of 1 to 20, when packets are repeated and overtake each other, and, from the
//! place on where it joins, when the beginning is missing.
//!
//! A case is a folder of `pcaps/` (or of `WIRESPAN_RECORDINGS`) with an `operations.jsonl` that the
//! recording client wrote: a line for each operation, `{"protocol":…,"operation":…,"outcome":…}`. A
//! first line may say more: `{"also":[[protocol, operation]…]}` what the client's library did
//! besides, which is not compared; `"ordered":false` the client did several things at once;
//! `"joined":{"missing":n,"blind":true}` how many operations a parser that joins in the middle may
//! miss, and whether it may not know their names. `WIRESPAN_CASE=part` runs those whose names
//! contain it.

mod change;
mod expected;
mod recording;
mod spans;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use change::{later, recut, troubled};
use expected::Expected;
use recording::Recording;
use spans::{Operation, Span};

fn cases() -> Vec<(String, PathBuf)> {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    let folder = std::env::var_os("WIRESPAN_RECORDINGS").map_or_else(own, PathBuf::from);
    let wanted = std::env::var("WIRESPAN_CASE").unwrap_or_default();
    let entries =
        std::fs::read_dir(&folder).expect("the folder of recordings can be read").flatten();
    let mut cases: Vec<_> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, path)| name.contains(&wanted) && path.join("operations.jsonl").exists())
        .filter(|(_, path)| Recording::file(path).is_some())
        .collect();
    cases.sort();
    cases
}

/// What differs between two lists of operations.
fn difference(wanted: &[Operation], found: &[Operation]) -> Option<String> {
    if wanted == found {
        return None;
    }
    let at = wanted.iter().zip(found).take_while(|(a, b)| a == b).count();
    let told = |all: &[Operation]| match all.get(at) {
        Some(operation) => operation.to_string(),
        None => "nothing".to_owned(),
    };
    let (done, seen) = (wanted.len(), found.len());
    Some(format!(
        "{done} done, {seen} found; number {at}: done {}, found {}",
        told(wanted),
        told(found)
    ))
}

/// `ordered`: what was asked first is heard first.
fn compare(expected: &Expected, spans: &[Span], ordered: bool) -> Option<String> {
    let mut found: Vec<_> = spans.iter().map(|span| span.operation.clone()).collect();
    found.retain(|operation| !expected.is_beside(operation));
    let mut wanted = expected.operations.clone();
    if !(expected.ordered && ordered) {
        wanted.sort();
        found.sort();
    }
    difference(&wanted, &found)
}

/// What was asked after the join must be found; what is found was asked.
fn compare_joined(
    expected: &Expected,
    whole: &[Span],
    joined: &[Span],
    from: u64,
) -> Option<String> {
    let mut missing = Vec::new();
    let mut found: Vec<&Span> = joined.iter().filter(|span| span.request_seq.is_some()).collect();
    for span in whole.iter().filter(|span| span.start >= from && span.request_seq.is_some()) {
        let same = |other: &&Span| {
            let known = other.operation == span.operation;
            span.is_at(other)
                && (known
                    || expected.joined_blind && other.operation.is_nameless_of(&span.operation))
        };
        match found.iter().position(same) {
            Some(at) => drop(found.remove(at)),
            None if expected.is_beside(&span.operation) => {}
            None if expected.is_narrow && !joined.iter().any(|known| known.is_before(span)) => {}
            None => missing.push(span.operation.to_string()),
        }
    }
    let is_said =
        |span: &Span| whole.iter().any(|known| known.is_at(span) || span.is_response_of(known));
    let invented: Vec<_> = found.iter().filter(|span| !is_said(span)).collect();
    (missing.len() > expected.joined_missing || !invented.is_empty())
        .then(|| format!("missing {missing:?}, invented {invented:?}"))
}

#[test]
fn recordings_give_the_operations_that_the_clients_did() {
    let mut wrong = String::new();
    let (mut number, mut operations) = (0, 0);
    for (name, folder) in cases() {
        let expected = Expected::read(&folder.join("operations.jsonl"));
        let recording = Recording::read(&folder);
        number += 1;
        operations += expected.operations.len();
        assert!(!expected.operations.is_empty(), "{name}: the client did nothing");
        let mut say = |how: &str, difference: Option<String>| {
            if let Some(difference) = difference {
                let _ = writeln!(wrong, "{name}, {how}: {difference}");
            }
        };
        let whole = spans::of(&recording);
        say("as recorded", compare(&expected, &whole, true));
        for seed in 0..3 {
            let cut = recut(&recording, seed, 1..=20);
            say(
                &format!("in pieces of 1 to 20 bytes, seed {seed}"),
                compare(&expected, &spans::of(&cut), true),
            );
            let troubled = troubled(&recut(&recording, seed, 20..=400), seed);
            say(
                &format!("repeated and overtaken, seed {seed}"),
                compare(&expected, &spans::of(&troubled), false),
            );
        }
        for (part, of) in [(1, 3), (1, 2), (2, 3)] {
            let (joined, from) = later(&recording, part, of);
            let found = spans::of(&joined);
            say(
                &format!("joined after {part}/{of}"),
                compare_joined(&expected, &whole, &found, from),
            );
        }
    }
    eprintln!("{number} recordings, {operations} operations");
    assert!(wrong.is_empty(), "\n{wrong}");
}
