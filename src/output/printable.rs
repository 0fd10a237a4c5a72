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

/// An address with its port cut to `room` characters: the middle of the address goes, and the port
/// stays.
pub(crate) fn cut_address(text: &str, room: usize) -> String {
    let length = text.chars().count();
    let port = text.rsplit_once(':').map_or(0, |(_, port)| port.chars().count() + 1);
    if length <= room || port + 2 > room {
        return cut(text, room);
    }
    let left = room - 1 - port;
    let (head, tail) = (left - left / 2, port + left / 2);
    let mut shown: String = text.chars().take(head).collect();
    shown.push('…');
    shown.extend(text.chars().skip(length - tail));
    shown
}

/// `text` in lines of at most `room` characters, broken between words; the second and further ones
/// are indented. A word that is longer is cut.
pub(crate) fn wrapped(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room else { return vec![text.to_owned()] };
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(cut(&format!("  {word}"), room)),
            None => lines.push(cut(word, room)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_in_its_middle() {
        let v6 = "[2001:db8:85a3::8a2e:370:7334]:40312";
        assert_eq!(cut_address(v6, 36), v6);
        assert_eq!(cut_address(v6, 21), "[2001:d…0:7334]:40312");
        assert_eq!(cut_address("10.244.113.201:40312", 16), "10.24….201:40312");
        assert_eq!(cut_address("10.244.113.201:40312", 7), "10.244…");
        assert_eq!(cut_address("no port at all", 8), "no p…all");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", None), ["one two three"]);
        assert_eq!(wrapped("one two three", Some(8)), ["one two", "  three"]);
        assert_eq!(wrapped("incomprehensible ok", Some(8)), ["incompr…", "  ok"]);
    }
}
