//! A trace as a tree of calls, each with the path that its request and response took and the time
//! of each step.

mod call;
mod path;
mod shares;

use std::fmt::Write;

use store::Trace;

pub(crate) use self::call::{status, title};

use self::call::draw_call;
use self::shares::Slowest;
use super::units::{date, nanos};
use super::{Style, count};

/// Draws a trace. Times are counted from its beginning; the slowest step of the network in it is
/// pointed out.
pub(crate) fn draw(trace: &Trace, style: Style) -> String {
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
    let slowest = Slowest::of(trace);
    draw_call(&mut out, trace, &trace.root, "", "", style, &slowest);
    out
}

#[cfg(test)]
mod tests;
