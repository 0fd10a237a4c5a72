//! Literals without quotes: numbers, UUIDs and durations.

use super::Dialect;

/// Length of the letters and digits at the beginning.
fn run(rest: &[u8]) -> usize {
    rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80).count()
}

fn digits(rest: &[u8]) -> usize {
    rest.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// Length of the number at the beginning, which is a digit, or a point and a digit. None if it is
/// an identifier.
pub(super) fn number(rest: &[u8], dialect: Dialect) -> Option<usize> {
    let mut length = run(rest);
    let whole = rest.get(..length)?;
    let plain = digits(whole) == length;
    if dialect.digit_first() && !plain {
        if rest.get(length) == Some(&b'$') || !written_as_number(whole, rest.get(length..)?) {
            return None;
        }
    } else if dialect.digit_first() && rest.get(length) == Some(&b'$') {
        return None;
    }
    if rest.get(length) == Some(&b'.') && rest.get(length + 1) != Some(&b'.') {
        length += 1;
        length += run(rest.get(length..)?);
    }
    Some(length + exponent(rest, length))
}

/// Length of sign and digits behind an `e` at the end of a number.
fn exponent(rest: &[u8], length: usize) -> usize {
    match (length.checked_sub(1).and_then(|at| rest.get(at)), rest.get(length..)) {
        (Some(b'e' | b'E'), Some([b'+' | b'-', more @ ..])) => match digits(more) {
            0 => 0,
            some => 1 + some,
        },
        _ => 0,
    }
}

/// `0x1f`, `0b01`, `1e5` and `1e` before a sign.
fn written_as_number(whole: &[u8], behind: &[u8]) -> bool {
    match whole {
        [b'0', b'x', hex @ ..] => hex.iter().all(u8::is_ascii_hexdigit),
        [b'0', b'b', bits @ ..] => bits.iter().all(|b| matches!(b, b'0' | b'1')),
        _ => {
            let mantissa = digits(whole);
            match whole.get(mantissa..) {
                Some([b'e' | b'E']) => matches!(behind, [b'+' | b'-', b'0'..=b'9', ..]),
                Some([b'e' | b'E', power @ ..]) => power.iter().all(u8::is_ascii_digit),
                _ => false,
            }
        }
    }
}

/// Length of a UUID.
pub(super) fn uuid(rest: &[u8]) -> Option<usize> {
    let text = rest.get(..36)?;
    let fits = text.iter().enumerate().all(|(at, b)| match at {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    (fits && rest.get(36).is_none_or(|b| !b.is_ascii_alphanumeric())).then_some(36)
}

/// Length of an ISO 8601 duration (`P1DT12H`, `P0001-02-03T04:05:06`) in capitals.
pub(super) fn duration(rest: &[u8]) -> Option<usize> {
    let (b'P', rest) = rest.split_first()? else { return None };
    if let [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', b'0'..=b'9', ..] = rest {
        let mut before = b'-';
        let fits = |b: &&u8| {
            let inside = b.is_ascii_digit() || b"T-:".contains(b) && before.is_ascii_digit();
            before = **b;
            inside
        };
        return Some(1 + rest.iter().take_while(fits).count());
    }
    let word = rest.get(..run(rest))?;
    let units = word.iter().filter(|b| !b.is_ascii_digit()).count();
    let fits = word.iter().all(|b| b.is_ascii_digit() || b"YMWDTHS".contains(b));
    let begins = matches!(word, [b'0'..=b'9', ..] | [b'T', b'0'..=b'9', ..]);
    (fits && begins && units > 0 && word.last().is_some_and(|b| !b.is_ascii_digit()))
        .then_some(1 + word.len())
}
