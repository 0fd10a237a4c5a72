//! The number behind a RESP type byte: lengths and counts, and their line.

/// The number behind a type's byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// The number, and how many bytes the line has with its type and its end.
    Is(i64, usize),
    /// `?`: unknown (RESP3's streamed types), and the length of the line.
    Streamed(usize),
    /// The line is not whole.
    More,
    /// Not a number.
    Bad,
}

/// Longest line of a number: sign, 19 digits, type and end.
const LONGEST: usize = 24;

/// Reads `X123\r\n` for any type byte X.
pub(super) fn number(bytes: &[u8]) -> Number {
    // Most lengths have one or two digits.
    match bytes {
        [_, a @ b'0'..=b'9', b'\r', b'\n', ..] => return Number::Is(i64::from(a - b'0'), 4),
        [_, a @ b'0'..=b'9', b @ b'0'..=b'9', b'\r', b'\n', ..] => {
            return Number::Is(i64::from(a - b'0') * 10 + i64::from(b - b'0'), 5);
        }
        _ => {}
    }
    let mut value = 0i64;
    let mut negative = false;
    for (at, &byte) in bytes.iter().enumerate().skip(1).take(LONGEST) {
        match byte {
            b'0'..=b'9' => {
                match value.checked_mul(10).and_then(|v| v.checked_add(i64::from(byte - b'0'))) {
                    Some(more) => value = more,
                    None => return Number::Bad,
                }
            }
            b'-' if at == 1 => negative = true,
            b'+' if at == 1 => {}
            b'?' if at == 1 => {
                return match bytes.get(2..4) {
                    Some(b"\r\n") => Number::Streamed(4),
                    Some(_) => Number::Bad,
                    None => Number::More,
                };
            }
            b'\r' if at > 1 && bytes[at - 1].is_ascii_digit() => {
                return match bytes.get(at + 1) {
                    Some(b'\n') => Number::Is(if negative { -value } else { value }, at + 2),
                    Some(_) => Number::Bad,
                    None => Number::More,
                };
            }
            _ => return Number::Bad,
        }
    }
    if bytes.len() > LONGEST { Number::Bad } else { Number::More }
}

/// Length of the line, with its type and its end, if it is a number with more digits than any
/// length has.
pub(super) fn oversized_number(bytes: &[u8]) -> Option<usize> {
    let digits =
        bytes.get(1..)?.iter().take(MOST_DIGITS).take_while(|b| b.is_ascii_digit()).count();
    let whole = digits >= 10 && bytes.get(1 + digits..)?.starts_with(b"\r\n");
    whole.then_some(digits + 3)
}

/// Digits of a line that are inspected.
const MOST_DIGITS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_form() {
        assert_eq!(number(b"$3\r\nabc"), Number::Is(3, 4));
        assert_eq!(number(b"*12\r\n"), Number::Is(12, 5));
        assert_eq!(number(b"*1234\r\n"), Number::Is(1234, 7));
        assert_eq!(number(b"$-1\r\n"), Number::Is(-1, 5));
        assert_eq!(number(b"$?\r\n"), Number::Streamed(4));
        for whole in [&b"$-1\r\n"[..], b"$?\r\n", b"*9223372036854775807\r\n"] {
            for cut in 1..whole.len() {
                assert_eq!(number(&whole[..cut]), Number::More, "{cut}");
            }
        }
        assert_eq!(oversized_number(b"*99999999999999999999999\r\nx"), Some(26));
        assert_eq!(
            (oversized_number(b"*12\r\n"), oversized_number(b"*99999999999999999999999")),
            (None, None)
        );
        for bad in
            [&b"*99999999999999999999999\r\n"[..], b"$\r\n", b"$-\r\n", b"$1 \r\n", b"$1\rx", b"$x"]
        {
            assert_eq!(number(bad), Number::Bad, "{bad:?}");
        }
    }
}
