//! Finds where messages that begin with their length go on behind lost bytes.

/// What bytes look like as the beginning of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A message of so many bytes. All of them are there, or are known to follow.
    Whole(usize),
    /// Possibly a message of which more bytes are needed.
    Part,
    /// No message.
    No,
}

/// So many messages in a row are accepted whatever follows them.
const PROOF: usize = 3;

/// The first place in `bytes` from which on there are only messages: whole ones up to the end, or a
/// part of one behind whole ones. A part alone is accepted at the very beginning, since most
/// messages begin where a segment does.
pub(crate) fn next_message(bytes: &[u8], frame: impl Fn(&[u8]) -> Frame) -> Option<usize> {
    (0..bytes.len()).find(|&start| {
        let (mut at, mut whole) = (start, 0);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() || whole >= PROOF {
                return whole > 0;
            }
            match frame(rest) {
                Frame::Whole(len) => {
                    at += len.max(1);
                    whole += 1;
                }
                Frame::Part => return whole > 0 || start == 0,
                Frame::No => return false,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message: `M`, its length in a byte, the rest.
    fn toy(bytes: &[u8]) -> Frame {
        match bytes {
            [b'M', len, rest @ ..] if rest.len() >= usize::from(*len) => {
                Frame::Whole(2 + usize::from(*len))
            }
            [b'M', ..] => Frame::Part,
            _ => Frame::No,
        }
    }

    #[test]
    fn messages_are_found_behind_the_tail_of_another() {
        assert_eq!(next_message(b"xxM\x01aM\x00", toy), Some(2));
        assert_eq!(next_message(b"xMxM\x01aM", toy), Some(3));
        assert_eq!(next_message(b"M\x09ab", toy), Some(0));
        assert_eq!(next_message(b"xM\x09ab", toy), None);
        assert_eq!(next_message(b"M\x00M\x00M\x00x", toy), Some(0));
        assert_eq!(next_message(b"", toy), None);
    }
}
