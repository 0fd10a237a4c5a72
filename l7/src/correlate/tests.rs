//! Which answer is whose where some were not seen; with Redis, which pairs in order and says
//! little.

use std::fmt::Write;

use wire::{Direction, Transport};

use crate::input::End;
use crate::limits::RequestLimits;
use crate::testing::{C, S, Talk, text};
use fact::{Outcome, Unanswered};

const SECOND: u64 = 1_000_000_000;

/// A request that is answered by its number.
fn echo(n: usize) -> String {
    let n = n.to_string();
    format!("*2\r\n$4\r\nECHO\r\n${}\r\n{n}\r\n", n.len())
}

fn all(of: impl IntoIterator<Item = usize>, one: impl Fn(usize) -> String) -> String {
    of.into_iter().fold(String::new(), |mut all, n| {
        let _ = write!(all, "{}", one(n));
        all
    })
}

/// The answer to it, as long as the number is large.
fn answer(n: usize) -> String {
    format!("+{}\r\n", "x".repeat(n))
}

/// The number of each exchange's request, that of its response, and its outcome.
fn told(t: &mut Talk) -> Vec<(Option<usize>, Option<usize>, Outcome)> {
    let literal = |e: &fact::Exchange| text(e, "db.query.text").strip_prefix("ECHO ")?.parse().ok();
    let exchanges = t.over();
    exchanges
        .iter()
        .map(|e| (literal(e), e.response.map(|r| r.bytes as usize - 3), e.outcome))
        .collect()
}

fn talk() -> Talk {
    Talk::new(
        Transport::Tcp,
        40_000,
        6379,
        RequestLimits { literals: true, ..RequestLimits::default() },
    )
}

/// Every exchange that is said to have gone well has its own answer.
fn silently_wrong(t: &mut Talk) -> Vec<(Option<usize>, Option<usize>, Outcome)> {
    let mut told = told(t);
    told.retain(|(request, response, outcome)| *outcome == Outcome::Ok && request != response);
    told
}

/// Batches of six that are answered before the next.
fn batches(t: &mut Talk, first: usize, number: usize) {
    for batch in (0..number).map(|n| first + 6 * n) {
        t.c(all(batch..batch + 6, echo)).s(all(batch..batch + 6, answer));
    }
}

fn miss(t: &mut Talk, direction: Direction, bytes: &str) {
    t.gap(direction, bytes.len() as u64);
}

#[test]
fn an_answer_from_before_the_first_request_is_not_its_own() {
    let mut t = talk();
    t.s("+1234567").c(echo(3)).s("\r\n").s(answer(3)).c(echo(4)).s(answer(4));
    let ok: Vec<_> = told(&mut t).into_iter().filter(|told| told.2 == Outcome::Ok).collect();
    assert_eq!(ok, [(Some(3), Some(3), Outcome::Ok), (Some(4), Some(4), Outcome::Ok)]);
}

#[test]
fn joined_amid_a_batch_nothing_is_said_to_be_well() {
    let mut t = talk();
    t.s(all(1..4, answer)).c(all(6..9, echo)).s(all(4..9, answer));
    // The first of them shows that the client waits for all responses.
    batches(&mut t, 10, 3);
    assert_eq!(silently_wrong(&mut t), []);
    let ok = told(&mut t).iter().filter(|told| told.2 == Outcome::Ok).count();
    assert_eq!(ok, 12);
}

#[test]
fn requests_that_were_not_seen_shift_no_answers() {
    let mut t = talk();
    batches(&mut t, 1, 2);
    t.c(all(20..23, echo));
    miss(&mut t, C, &all(23..25, echo));
    t.c(all(25..29, echo)).s(all(20..29, answer));
    batches(&mut t, 30, 2);
    assert_eq!(silently_wrong(&mut t), []);
    let all = told(&mut t);
    let ok = all.iter().filter(|told| told.2 == Outcome::Ok).count();
    let lost = all.iter().filter(|told| told.2 == Outcome::LostBytes).count();
    assert_eq!((ok, lost), (12 + 3 + 12, 4), "{all:?}");
}

#[test]
fn answers_that_were_not_seen_cost_their_batch_and_no_other() {
    let mut t = talk();
    batches(&mut t, 1, 2);
    t.c(all(20..26, echo)).s(all(20..22, answer));
    miss(&mut t, S, &all(22..24, answer));
    t.s(all(24..26, answer));
    batches(&mut t, 30, 3);
    assert_eq!(silently_wrong(&mut t), []);
    let all = told(&mut t);
    let ok = all.iter().filter(|told| told.2 == Outcome::Ok).count();
    let lost = all.iter().filter(|told| told.2 == Outcome::LostBytes).count();
    assert_eq!((ok, lost), (12 + 2 + 18, 4), "{all:?}");
}

#[test]
fn who_asks_on_while_some_wait_is_believed_again_once_nothing_waits() {
    let mut t = talk();
    t.c(all(1..5, echo));
    for n in 5..20 {
        t.s(answer(n - 4)).c(echo(n));
    }
    miss(&mut t, S, &answer(16));
    for n in 20..30 {
        t.s(answer(n - 3)).c(echo(n));
    }
    t.s(all(27..30, answer)).wait(3600 * SECOND);
    t.c(echo(30)).s(answer(30)).c(echo(31)).s(answer(31));
    t.end(End::Over(Unanswered::InputEnd));
    assert_eq!(silently_wrong(&mut t), []);
    let last: Vec<_> = told(&mut t).into_iter().rev().take(2).collect();
    assert_eq!(last, [(Some(31), Some(31), Outcome::Ok), (Some(30), Some(30), Outcome::Ok)]);
}
