//! A call in the tree of a trace.

use std::fmt::Write;

use store::Call;

use super::hops::draw_path;
use super::path::{address, is_named, who};
use super::phases::phases;
use super::picture::Picture;
use super::title::{status, title};
use crate::output::nanos;
use crate::output::printable::{cut, printable};

/// Columns of the bar that shows where in the trace a call lies.
const BAR: usize = 24;

/// Draws a call and the calls that it caused. `first` stands before its first line, `rest` before
/// all others.
pub(super) fn draw_call(
    out: &mut String,
    picture: &Picture<'_>,
    call: &Call,
    first: &str,
    rest: &str,
) {
    let style = picture.style;
    headline(out, picture, call, first);
    let open = if call.children.is_empty() { "   " } else { "│  " };
    let prefix = format!("{rest}{open}");
    let (client, server) = (who(&call.client), who(&call.server));
    let mut parties = format!("{client} → {server}");
    if is_named(&call.client) || is_named(&call.server) {
        let _ = write!(parties, "  ({} → {})", address(&call.client), address(&call.server));
    }
    let room = picture.room.map(|room| room.saturating_sub(prefix.chars().count()));
    let parties = printable(&parties);
    let parties = room.map_or_else(|| parties.clone(), |room| cut(&parties, room));
    let _ = writeln!(out, "{}{parties}", style.dim(&prefix));
    for line in phases(picture, call, room) {
        let _ = writeln!(out, "{}{line}", style.dim(&prefix));
    }
    draw_path(out, picture, call, &prefix);
    let last = call.children.len().saturating_sub(1);
    for (i, child) in call.children.iter().enumerate() {
        let (branch, below) = if i == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        draw_call(out, picture, child, &format!("{rest}{branch}"), &format!("{rest}{below}"));
    }
}

fn headline(out: &mut String, picture: &Picture<'_>, call: &Call, first: &str) {
    let (style, room) = (picture.style, picture.room);
    let (title, status) = (title(call), status(call));
    let others = BAR + 16 + first.chars().count() + status.chars().count();
    let left = room.unwrap_or(100).saturating_sub(others).max(20);
    let mut title = printable(&title);
    if room.is_some() {
        title = cut(&title, left);
    }
    let padding = " ".repeat(left.saturating_sub(title.chars().count()));
    let status = if call.is_error() { style.red(&status) } else { style.green(&status) };
    let took = format!("{:>9}", nanos(call.duration_ns()));
    let bar = bar(picture, call);
    let _ = writeln!(
        out,
        "{}{} {status}{padding} {took}  {}",
        style.dim(first),
        style.bold(title),
        style.cyan(bar)
    );
}

/// Where the call lies in the time of the trace.
fn bar(picture: &Picture<'_>, call: &Call) -> String {
    let total = picture.duration.max(1);
    let column = |ns: u64| {
        let offset = ns.saturating_sub(picture.start).min(total);
        (u128::from(offset) * BAR as u128 / u128::from(total)) as usize
    };
    let from = column(call.start_unix_ns).min(BAR - 1);
    let to = column(call.end_unix_ns).clamp(from + 1, BAR);
    format!("▕{}{}{}▏", " ".repeat(from), "█".repeat(to - from), " ".repeat(BAR - to))
}
