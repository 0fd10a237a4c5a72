//! The points of a call, each with the times at which its messages passed.

use std::fmt::Write;

use store::{Call, Part, Place, Point, points};
use wire::Direction;

use super::path::name;
use super::picture::Picture;
use crate::output::printable::cut;
use crate::output::{count, nanos};

/// Columns of times; what each holds, and how it is called where there is little room.
const TIMES: [(&str, &str); 5] = [
    ("request", "request"),
    ("step", "step"),
    ("first byte", "first"),
    ("step", "step"),
    ("last byte", "last"),
];
/// Widths of a column of times, and of names where there is little room.
const WIDE: usize = 10;
const NARROW: usize = 8;
const SHORTEST_NAME: usize = 8;
const LONGEST_NAME: usize = 32;
/// Width of the kinds of points.
const KIND: usize = 8;

/// How the columns share the room.
struct Columns {
    name: usize,
    with_kind: bool,
    time: usize,
}

impl Columns {
    fn new(names: &[String], room: Option<usize>) -> Self {
        let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let name = longest.clamp(12, LONGEST_NAME);
        let Some(room) = room else { return Self { name, with_kind: true, time: WIDE } };
        let left = |time: usize| room.saturating_sub(TIMES.len() * (2 + time));
        if left(WIDE) >= name + 2 + KIND {
            return Self { name, with_kind: true, time: WIDE };
        }
        let with_kind = left(NARROW) >= name + 2 + KIND;
        let name = name.min(left(NARROW)).max(SHORTEST_NAME);
        Self { name, with_kind, time: NARROW }
    }

    /// Columns of the name and the kind.
    const fn left(&self) -> usize {
        self.name + if self.with_kind { 2 + KIND } else { 0 }
    }

    const fn width(&self) -> usize {
        self.left() + TIMES.len() * (2 + self.time)
    }

    fn head(&self) -> String {
        let mut head = " ".repeat(self.left());
        for (long, short) in TIMES {
            let title = if self.time == WIDE { long } else { short };
            let _ = write!(head, "  {title:>0$}", self.time);
        }
        head
    }
}

/// Draws the points of a call in the order of the request's path, one a line.
pub(super) fn draw_path(out: &mut String, picture: &Picture<'_>, call: &Call, prefix: &str) {
    let points = points(call);
    if points.is_empty() {
        return;
    }
    let style = picture.style;
    let names: Vec<String> = points.iter().map(|point| name(call, point)).collect();
    let room = picture.room.map(|room| room.saturating_sub(prefix.chars().count()));
    let columns = Columns::new(&names, room);
    let _ = writeln!(out, "{}{}", style.dim(prefix), style.dim(columns.head()));
    for (i, (point, name)) in points.iter().zip(&names).enumerate() {
        let is_process = !matches!(point.place, Place::Hop(_));
        let text = format!("{:1$}", cut(name, columns.name), columns.name);
        let mut line = if is_process { style.bold(text) } else { text };
        if columns.with_kind {
            let _ = write!(line, "  {:KIND$}", kind(point));
        }
        let width = columns.time;
        let at = |time: Option<u64>| {
            let text =
                time.map_or_else(|| "-".to_owned(), |ns| nanos(ns.saturating_sub(picture.start)));
            format!("  {text:>width$}")
        };
        let step = |step: Option<u64>, direction| {
            let text = step.map_or_else(String::new, |ns| format!("+{}", nanos(ns)));
            let text = format!("  {text:>width$}");
            match picture.longest.is(call, Part::Step { direction, to: i }) {
                true => style.yellow(text),
                false => style.dim(text),
            }
        };
        line.push_str(&at(point.request_ns));
        line.push_str(&step(point.request_step_ns, Direction::ToServer));
        line.push_str(&at(point.first_ns));
        line.push_str(&step(point.response_step_ns, Direction::ToClient));
        line.push_str(&at(point.last_ns));
        let mut used = columns.width();
        for (note, is_bad) in notes(picture, call, point, i) {
            let length = 2 + note.chars().count();
            used += length;
            let note = if is_bad { style.red(&note) } else { style.yellow(&note) };
            // Below the line where that has no room left.
            if room.is_some_and(|room| used > room) {
                let _ = write!(line, "\n{}", style.dim(prefix));
                used = length;
            }
            let _ = write!(line, "  {note}");
        }
        let _ = writeln!(out, "{}{line}", style.dim(prefix));
    }
}

/// What is to be noticed of a point, and whether it is bad.
fn notes(
    picture: &Picture<'_>,
    call: &Call,
    point: &Point<'_>,
    index: usize,
) -> Vec<(String, bool)> {
    let is_longest = [Direction::ToServer, Direction::ToClient]
        .into_iter()
        .any(|direction| picture.longest.is(call, Part::Step { direction, to: index }));
    let mut notes = Vec::new();
    if is_longest {
        notes.push(("◀ longest".to_owned(), false));
    }
    if let Place::Hop(hop) = point.place {
        if hop.retransmissions > 0 {
            notes.push((count(hop.retransmissions, "retransmission"), true));
        }
        if hop.tcp.missing_bytes > 0 {
            notes.push((format!("{} B not captured", hop.tcp.missing_bytes), true));
        }
    }
    notes
}

const fn kind(point: &Point<'_>) -> &'static str {
    match point.place {
        Place::Client => "client",
        Place::Hop(hop) => hop.kind.as_str(),
        Place::Server => "server",
    }
}
