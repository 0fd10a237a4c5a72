//! A call in the tree of a trace.

use std::fmt::Write;

use fact::{Outcome, Protocol, Value};
use store::{Call, Cause, Trace};

use super::path::{Point, address, is_named, points, who};
use super::shares::Slowest;
use crate::output::printable::{cut, printable};
use crate::output::style::width;
use crate::output::{Style, nanos, words};

/// Columns of the bar that shows where in the trace a call lies.
const BAR: usize = 24;
/// Protocols whose operation needs no protocol in front of it.
const HTTP: [Protocol; 2] = [Protocol::new("http"), Protocol::new("http2")];

/// Draws a call and the calls that it caused. `first` stands before its first line, `rest` before
/// all others.
pub(super) fn draw_call(
    out: &mut String,
    trace: &Trace,
    call: &Call,
    first: &str,
    rest: &str,
    style: Style,
    slowest: &Slowest,
) {
    headline(out, trace, call, first, style);
    let open = if call.children.is_empty() { "   " } else { "│  " };
    let prefix = format!("{rest}{open}");
    let (client, server) = (who(&call.client), who(&call.server));
    let mut parties = format!("{client} → {server}");
    if is_named(&call.client) || is_named(&call.server) {
        let _ = write!(parties, "  ({} → {})", address(&call.client), address(&call.server));
    }
    let _ = writeln!(out, "{}{}", style.dim(&prefix), printable(&parties));
    path(out, trace, call, &prefix, style, slowest);
    let last = call.children.len().saturating_sub(1);
    for (i, child) in call.children.iter().enumerate() {
        let (branch, below) = if i == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        draw_call(
            out,
            trace,
            child,
            &format!("{rest}{branch}"),
            &format!("{rest}{below}"),
            style,
            slowest,
        );
    }
}

fn headline(out: &mut String, trace: &Trace, call: &Call, first: &str, style: Style) {
    let (title, status) = (title(call), status(call));
    let others = BAR + 16 + first.chars().count() + status.chars().count();
    let room = width().unwrap_or(100).saturating_sub(others).max(20);
    let mut title = printable(&title);
    if width().is_some() {
        title = cut(&title, room);
    }
    let padding = " ".repeat(room.saturating_sub(title.chars().count()));
    let status = if call.is_error() { style.red(&status) } else { style.green(&status) };
    let took = format!("{:>9}", nanos(call.duration_ns()));
    let bar = bar(trace, call);
    let _ = writeln!(
        out,
        "{}{} {status}{padding} {took}  {}",
        style.dim(first),
        style.bold(title),
        style.cyan(bar)
    );
}

/// What was asked, in short. Requests of HTTP speak for themselves; a `GET` of others does not.
pub(crate) fn title(call: &Call) -> String {
    let request = words::subject(|key| call.attributes.get(key))
        .map(|value| words::request(&call.operation, &text(value)));
    let protocol = call.protocol.as_str();
    match request {
        Some(request) if HTTP.contains(&call.protocol) => request,
        Some(request) => format!("{protocol} {request}"),
        None => format!("{protocol} {}", call.operation),
    }
}

/// How it ended, and how its place in the trace is known if not for certain.
pub(crate) fn status(call: &Call) -> String {
    let code = words::status(call.is_error(), |key| call.attributes.get(key).map(text));
    let mut status = match code {
        Some(code) if is_answered(call.outcome) => code,
        _ => call.outcome.as_str().replace('_', " "),
    };
    match call.cause {
        Cause::Header => status.push_str(" (by header)"),
        Cause::Thread if call.guess => status.push_str(" (a guess)"),
        Cause::None if call.undecided.is_some() => status.push_str(" (cause undecided)"),
        _ => {}
    }
    status
}

const fn is_answered(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::ClientError | Outcome::ServerError)
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => text.to_owned(),
    }
}

/// Where the call lies in the time of the trace.
fn bar(trace: &Trace, call: &Call) -> String {
    let total = trace.root.duration_ns().max(1);
    let column = |ns: u64| {
        let offset = ns.saturating_sub(trace.root.start_unix_ns).min(total);
        (u128::from(offset) * BAR as u128 / u128::from(total)) as usize
    };
    let from = column(call.start_unix_ns).min(BAR - 1);
    let to = column(call.end_unix_ns).clamp(from + 1, BAR);
    format!("▕{}{}{}▏", " ".repeat(from), "█".repeat(to - from), " ".repeat(BAR - to))
}

fn path(
    out: &mut String,
    trace: &Trace,
    call: &Call,
    prefix: &str,
    style: Style,
    slowest: &Slowest,
) {
    let points = points(call);
    if points.is_empty() {
        return;
    }
    let names =
        points.iter().map(|point| point.name.chars().count()).max().unwrap_or(0).clamp(12, 32);
    let head = format!(
        "{:names$}  {:8}  {:>9}  {:>9}  {:>9}  {:>9}",
        "", "", "request", "step", "response", "step"
    );
    let _ = writeln!(out, "{}{}", style.dim(prefix), style.dim(head));
    let start = trace.root.start_unix_ns;
    let at = |time: Option<u64>| {
        time.map_or_else(|| "-".to_owned(), |time| nanos(time.saturating_sub(start)))
    };
    for (i, point) in points.iter().enumerate() {
        let served = (i + 1 == points.len()).then(|| answered(point)).flatten();
        let name = cut(&printable(&point.name), names);
        let name = format!("{name:names$}");
        let _ = writeln!(
            out,
            "{}{}  {:8}  {:>9}  {}  {:>9}  {}{}",
            style.dim(prefix),
            if point.is_process { style.bold(name) } else { name },
            point.kind,
            at(point.request),
            step(point.request_step, style, slowest),
            at(point.response),
            step(point.response_step, style, slowest),
            notes(point, served, slowest, style),
        );
    }
}

/// Time from the request's arrival at the last point of the path to the response's leaving it.
fn answered(point: &Point) -> Option<u64> {
    point.response?.checked_sub(point.request?)
}

fn step(step: Option<u64>, style: Style, slowest: &Slowest) -> String {
    let text = format!("{:>9}", step.map_or_else(String::new, |ns| format!("+{}", nanos(ns))));
    if slowest.is(step) { style.yellow(text) } else { style.dim(text) }
}

fn notes(point: &Point, served: Option<u64>, slowest: &Slowest, style: Style) -> String {
    let mut notes = Vec::new();
    if let Some(served) = served {
        let by = if point.is_process { "served in" } else { "beyond:" };
        notes.push(format!("{by} {}", nanos(served)));
    }
    if slowest.is(point.request_step) || slowest.is(point.response_step) {
        notes.push(style.yellow("◀ slowest step"));
    }
    if point.retransmissions > 0 {
        notes.push(style.red(crate::output::count(point.retransmissions, "retransmission")));
    }
    if point.missing_bytes > 0 {
        notes.push(style.red(format_args!("{} B not captured", point.missing_bytes)));
    }
    if notes.is_empty() { String::new() } else { format!("  {}", notes.join("  ")) }
}
