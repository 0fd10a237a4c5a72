//! A trace as a tree of calls, each with where its time went, and the path that its request and
//! response took with the time of each step.

mod call;
mod hops;
mod longest;
mod path;
mod phases;
mod picture;
mod title;

use std::fmt::Write;

use store::Trace;

pub(crate) use self::longest::in_short;
pub(crate) use self::title::{status, title};

use self::call::draw_call;
use self::longest::Longest;
use self::picture::Picture;
use super::printable::wrapped;
use super::style::width;
use super::units::{date, nanos};
use super::{Style, count};

/// Draws a trace for standard output. Times are counted from its beginning; the part of it that
/// took longest is named below its head and pointed out where it stands.
pub(crate) fn draw(trace: &Trace, style: Style) -> String {
    draw_in(trace, style, width())
}

fn draw_in(trace: &Trace, style: Style, room: Option<usize>) -> String {
    let mut calls = 0;
    let mut failed = 0;
    let mut retransmissions = 0;
    trace.visit(|call| {
        calls += 1;
        failed += u64::from(call.is_error());
        retransmissions += call.hops.iter().map(|hop| hop.retransmissions).max().unwrap_or(0);
    });
    let mut facts = vec![count(calls, "call"), nanos(trace.root.duration_ns())];
    if failed > 0 {
        facts.push(style.red(format_args!("{failed} failed")));
    }
    if retransmissions > 0 {
        facts.push(style.red(count(retransmissions, "retransmission")));
    }
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{} {}  {}",
        style.dim("trace"),
        style.bold(trace.trace_id),
        facts.join(" · ")
    );
    let _ = writeln!(out, "{}", style.dim(date(trace.root.start_unix_ns)));
    let longest = Longest::of(trace);
    if let Some(line) = longest.line(trace) {
        for line in wrapped(&line, room) {
            let _ = writeln!(out, "{}", style.yellow(line));
        }
    }
    let (start, duration) = (trace.root.start_unix_ns, trace.root.duration_ns());
    let picture = Picture { start, duration, style, room, longest };
    draw_call(&mut out, &picture, &trace.root, "", "");
    out
}

#[cfg(test)]
mod tests;
