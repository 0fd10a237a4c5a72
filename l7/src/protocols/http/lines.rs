//! Lines, fields and tokens of a head (RFC 9112 sections 2.2 and 5, RFC 9110 section 5.6.2).

/// A line without its end (CRLF, or a bare LF as RFC 9112 section 2.2 allows), and where the next
/// one begins.
pub(super) fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let lf = memchr::memchr(b'\n', bytes)?;
    let line = &bytes[..lf];
    Some((line.strip_suffix(b"\r").unwrap_or(line), lf + 1))
}

/// Where the lines of a head end. The empty line that ends the head is not among them.
#[derive(Debug)]
pub(super) struct Lines {
    ends: [u32; Self::MOST],
    count: usize,
}

impl Lines {
    /// Lines kept. The rest of a longer head is found by a second search.
    const MOST: usize = 32;

    pub(super) const fn new() -> Self {
        Self { ends: [0; Self::MOST], count: 0 }
    }

    /// Looks for the end of the head (start line, fields, empty line) that `bytes` begin with, and
    /// keeps the ends of its whole lines.
    ///
    /// Returns its length, or the beginning of the first line that is not whole.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        self.count = 0;
        let mut at = 0;
        for lf in memchr::memchr_iter(b'\n', bytes) {
            let empty = lf == at || (lf == at + 1 && bytes[at] == b'\r');
            at = lf + 1;
            if empty {
                return Ok(at);
            }
            if let Some(end) = self.ends.get_mut(self.count) {
                *end = at as u32;
                self.count += 1;
            }
        }
        Err(at)
    }

    /// The fields of `head`: each line behind the first, with its line end and with the lines that
    /// it was folded into (RFC 9112 section 5.2). Those begin with a space or a tab, and appear a
    /// second time by themselves, as fields without a name.
    pub(super) fn fields<'a>(&self, head: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let ends = &self.ends[..self.count];
        let known = ends
            .iter()
            .zip(ends.iter().skip(1))
            .map(|(&start, &end)| (start as usize, end as usize));
        let full = self.count == Self::MOST;
        let mut at = if full { self.ends[Self::MOST - 1] as usize } else { head.len() };
        let more = std::iter::from_fn(move || {
            let start = at;
            at += memchr::memchr(b'\n', head.get(at..)?)? + 1;
            Some((start, at))
        });
        known.chain(more).map(|(start, end)| &head[start..folded_end(head, end)])
    }
}

/// End of a field whose first line ends at `end`.
fn folded_end(head: &[u8], mut end: usize) -> usize {
    while let Some(b' ' | b'\t') = head.get(end) {
        let Some(lf) = memchr::memchr(b'\n', &head[end..]) else { break };
        end += lf + 1;
    }
    end
}

/// End of the head, searched from `from`, which is the beginning of a line. Otherwise the beginning
/// of the first line that is not whole.
pub(super) fn head_end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let end = Lines::new().find(bytes.get(from..).unwrap_or_default());
    end.map(|len| from + len).map_err(|whole| from + whole)
}

/// Length of the line ends (8 at most) that servers ignore before a request (RFC 9112 section 2.2).
pub(super) fn leading_ends(bytes: &[u8]) -> usize {
    bytes.iter().take(8).take_while(|b| matches!(b, b'\r' | b'\n')).count()
}

/// Whether a start line has control characters, which RFC 9112 sections 2.2 and 3 do not allow.
/// A tab and a bare CR count as spaces.
pub(super) fn has_control(line: &[u8]) -> bool {
    // Without an early end, so that the compiler compares many bytes at once.
    line.iter()
        .fold(false, |found, &b| found | (b.is_ascii_control() & (b != b'\t') & (b != b'\r')))
}

/// Removes spaces, tabs and carriage returns at both ends.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Removes spaces, tabs and line ends at the end.
pub(super) fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = bytes {
        bytes = rest;
    }
    bytes
}

/// A character of a token (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(head: &str) -> Vec<String> {
        let mut lines = Lines::new();
        assert_eq!(lines.find(head.as_bytes()), Ok(head.len()));
        lines
            .fields(head.as_bytes())
            .map(|field| String::from_utf8_lossy(trim_end(field)).into())
            .collect()
    }

    #[test]
    fn long_heads_have_all_their_fields() {
        for count in [0, 1, Lines::MOST - 2, Lines::MOST - 1, Lines::MOST, 3 * Lines::MOST] {
            let expected: Vec<String> = (0..count).map(|n| format!("x-{n}: {n}")).collect();
            let mut head = String::from("GET / HTTP/1.1\r\n");
            expected.iter().for_each(|field| head += &format!("{field}\r\n"));
            let mut found = fields(&(head + "\r\n"));
            found.retain(|field| !field.is_empty());
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_folded_field_has_all_its_lines() {
        let found = fields("GET / HTTP/1.1\nA: 1\r\n 2\r\n\t3\r\nB: 4\n\r\n");
        assert_eq!((found[0].as_str(), found[3].as_str()), ("A: 1\r\n 2\r\n\t3", "B: 4"));
    }
}
