//! The members of a JSON object (RFC 8259) and of the objects in it, one level deep. No value is
//! built.

/// A member's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Text as it is written, with its escapes.
    Text(&'a str),
    Number(i64),
    Other,
}

/// Passes every member to `each`: the name of the object that it is in (empty at the top), its own
/// name, its value. Stops where the bytes are not JSON.
pub(super) fn members<'a>(
    json: &'a [u8],
    mut each: impl FnMut(&'a str, &'a str, Value<'a>),
) -> Option<()> {
    let mut reader = Reader { bytes: json, at: 0 };
    let mut within: Option<&str> = None;
    reader.expect(b'{')?;
    loop {
        match reader.next()? {
            b'}' if within.take().is_some() => continue,
            b'}' => return Some(()),
            b',' => continue,
            b'"' => {}
            _ => return None,
        }
        let name = reader.text()?;
        reader.expect(b':')?;
        let value = match reader.next()? {
            b'"' => Value::Text(reader.text()?),
            b'{' if within.is_none() => {
                within = Some(name);
                continue;
            }
            b'{' | b'[' => {
                reader.skip()?;
                Value::Other
            }
            b'-' | b'0'..=b'9' => reader.number()?,
            b't' | b'f' | b'n' => {
                while reader.peek().is_some_and(|byte| byte.is_ascii_lowercase()) {
                    reader.at += 1;
                }
                Value::Other
            }
            _ => return None,
        };
        each(within.unwrap_or_default(), name, value);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        while self.peek()?.is_ascii_whitespace() {
            self.at += 1;
        }
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// A text, behind its quote.
    fn text(&mut self) -> Option<&'a str> {
        let start = self.at;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return std::str::from_utf8(self.bytes.get(start..self.at - 1)?).ok(),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    /// A number, behind its first byte.
    fn number(&mut self) -> Option<Value<'a>> {
        let start = self.at - 1;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
        {
            self.at += 1;
        }
        let digits = std::str::from_utf8(self.bytes.get(start..self.at)?).ok()?;
        Some(digits.parse().map_or(Value::Other, Value::Number))
    }

    /// Skips an object or an array, behind its first byte.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 1u32;
        while depth > 0 {
            match self.next()? {
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => depth -= 1,
                b'"' => {
                    self.text()?;
                }
                _ => {}
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_with_the_object_they_are_in() {
        let json =
            br#" {"code":310, "ext":{"b":"T\"x","n":-2,"deep":{"a":["}"]}},"flag":0,"no":null,"r":1.5} "#;
        let mut all = Vec::new();
        assert_eq!(members(json, |object, name, value| all.push((object, name, value))), Some(()));
        assert_eq!(
            all,
            [
                ("", "code", Value::Number(310)),
                ("ext", "b", Value::Text("T\\\"x")),
                ("ext", "n", Value::Number(-2)),
                ("ext", "deep", Value::Other),
                ("", "flag", Value::Number(0)),
                ("", "no", Value::Other),
                ("", "r", Value::Other),
            ]
        );
    }

    #[test]
    fn what_is_not_json_ends_it() {
        for json in [
            &b""[..],
            b"{",
            b"[1]",
            b"{\"a\"",
            b"{\"a\":",
            b"{\"a\":\"\\",
            b"{\"a\":{\"b\":[",
            b"{x}",
        ] {
            assert_eq!(members(json, |_, _, _| {}), None, "{json:?}");
        }
    }
}
