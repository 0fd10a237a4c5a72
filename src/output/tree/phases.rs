//! The line of a call that says where its time went.

use store::{Call, Part, own_service_ns};

use super::picture::Picture;
use crate::output::{Style, nanos};

/// A part of the line.
struct Piece {
    /// What stands between it and the piece before.
    glue: &'static str,
    text: String,
    marked: bool,
}

impl Piece {
    fn width(&self) -> usize {
        self.glue.chars().count() + self.text.chars().count()
    }

    fn draw(&self, style: Style) -> String {
        if self.marked { style.yellow(&self.text) } else { self.text.clone() }
    }
}

/// Where the time of a call went, in lines that fit the room; none if that is not known.
pub(super) fn phases(picture: &Picture<'_>, call: &Call, room: Option<usize>) -> Vec<String> {
    if !call.has_phases() {
        return Vec::new();
    }
    let piece = |glue, name: &str, ns: u64, part: Option<Part>| {
        let marked = part.is_some_and(|part| picture.longest.is(call, part));
        let mark = if marked { " ◀" } else { "" };
        Piece { glue, text: format!("{name} {}{mark}", nanos(ns)), marked }
    };
    let mut pieces = Vec::new();
    if let Some(connect) = call.connect_ns {
        pieces.push(piece(" · ", "connect", connect, Some(Part::Connect)));
    }
    pieces.push(piece(" · ", "send", call.send_ns, Some(Part::Send)));
    if let Some(wait) = call.wait_ns {
        pieces.push(piece(" · ", "wait", wait, Some(Part::Wait)));
    }
    if let Some((service, network)) = call.service_ns.zip(call.network_ns) {
        match own_service_ns(call).filter(|own| *own != service) {
            Some(own) => {
                pieces.push(piece(" ", "(service", service, None));
                pieces.push(piece(", ", "own", own, Some(Part::Service)));
            }
            None => pieces.push(piece(" ", "(service", service, Some(Part::Service))),
        }
        if let Some(unread) = call.unread_ns.filter(|&unread| unread > 0) {
            pieces.push(piece(", ", "unread", unread, None));
        }
        let mut network = piece(", ", "network", network, None);
        network.text.push(')');
        pieces.push(network);
    }
    if call.hops.iter().any(|hop| hop.response.is_some()) {
        pieces.push(piece(" · ", "receive", call.transfer_ns, Some(Part::Transfer)));
    }
    wrap(&pieces, picture.style, room)
}

/// The pieces in lines of at most `room` characters.
fn wrap(pieces: &[Piece], style: Style, room: Option<usize>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for piece in pieces {
        let fits = room.is_none_or(|room| used + piece.width() <= room);
        match lines.last_mut().filter(|_| fits) {
            Some(line) => {
                line.push_str(piece.glue);
                line.push_str(&piece.draw(style));
                used += piece.width();
            }
            None => {
                lines.push(piece.draw(style));
                used = piece.text.chars().count();
            }
        }
    }
    lines
}
