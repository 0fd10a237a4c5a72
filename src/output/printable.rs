//! Text of peers, made safe for a terminal.

/// `text` with control characters, which a peer may have sent to confuse the terminal, shown as
/// `·`.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// `text` cut to `room` characters, with `…` where something is missing.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}
