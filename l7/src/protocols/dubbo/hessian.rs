//! The part of Hessian 2.0 (hessian.caucho.com, "Hessian 2.0 Serialization Protocol") that reads
//! texts and skips everything else. No value is built; nesting and definitions are bounded.

/// Deepest nesting of values.
const DEPTH: usize = 32;
/// Most classes that a message can define.
const CLASSES: usize = 64;
/// Most fields that a class can have.
const FIELDS: u32 = 512;

/// Reads one value after the other. `None` means that it is not there, of another type, or beyond
/// the bounds.
#[derive(Debug)]
pub(super) struct Hessian<'a> {
    rest: &'a [u8],
    /// Number of fields of each class defined so far.
    classes: [u32; CLASSES],
    defined: usize,
}

/// What is still to come of a value that holds others.
#[derive(Clone, Copy)]
enum Open {
    Values(u32),
    UntilEnd,
}

impl<'a> Hessian<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, classes: [0; CLASSES], defined: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<usize> {
        Some(usize::from(u16::from_be_bytes(*self.take(2)?.first_chunk()?)))
    }

    /// A text in one chunk. After `None` the position is undefined.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let units = match self.byte()? {
            tag @ 0..=0x1f => usize::from(tag),
            tag @ 0x30..=0x33 => usize::from(tag & 3) << 8 | usize::from(self.byte()?),
            b'S' => self.word()?,
            _ => return None,
        };
        std::str::from_utf8(self.units(units)?).ok()
    }

    /// So many UTF-16 units, each encoded in UTF-8.
    fn units(&mut self, units: usize) -> Option<&'a [u8]> {
        let (mut length, mut left) = (0usize, units);
        while left > 0 {
            let (bytes, taken) = match self.rest.get(length)? {
                0..=0x7f => (1, 1),
                0xc0..=0xdf => (2, 1),
                0xe0..=0xef => (3, 1),
                0xf0..=0xf7 => (4, 2),
                _ => return None,
            };
            length += bytes;
            left = left.saturating_sub(taken);
        }
        self.take(length)
    }

    /// A whole number in its tag, or in the bytes behind it.
    pub(super) fn int(&mut self) -> Option<i32> {
        Some(match self.byte()? {
            tag @ 0x80..=0xbf => i32::from(tag) - 0x90,
            tag @ 0xc0..=0xcf => (i32::from(tag) - 0xc8) << 8 | i32::from(self.byte()?),
            tag @ 0xd0..=0xd7 => (i32::from(tag) - 0xd4) << 16 | self.word()? as i32,
            b'I' => i32::from_be_bytes(*self.take(4)?.first_chunk()?),
            _ => return None,
        })
    }

    fn count(&mut self) -> Option<u32> {
        u32::try_from(self.int()?).ok()
    }

    /// Skips a value with everything in it.
    pub(super) fn skip(&mut self) -> Option<()> {
        let mut open = [Open::Values(0); DEPTH];
        open[0] = Open::Values(1);
        let mut depth = 1usize;
        while let Some(top) = depth.checked_sub(1).and_then(|top| open.get_mut(top)) {
            match top {
                Open::Values(0) => {
                    depth -= 1;
                    continue;
                }
                Open::Values(left) => *left -= 1,
                Open::UntilEnd if self.peek()? == b'Z' => {
                    self.byte();
                    depth -= 1;
                    continue;
                }
                Open::UntilEnd => {}
            }
            if let Some(inner) = self.value()? {
                *open.get_mut(depth)? = inner;
                depth += 1;
            }
        }
        Some(())
    }

    /// Skips a value, or the beginning of one that holds others.
    fn value(&mut self) -> Option<Option<Open>> {
        let tag = self.byte()?;
        let bytes = match tag {
            0..=0x1f => return self.units(usize::from(tag)).map(|_| None),
            0x30..=0x33 => {
                let units = usize::from(tag & 3) << 8 | usize::from(self.byte()?);
                return self.units(units).map(|_| None);
            }
            b'S' | b'R' => {
                let units = self.word()?;
                self.units(units)?;
                return Some((tag == b'R').then_some(Open::Values(1)));
            }
            0x20..=0x2f => usize::from(tag - 0x20),
            0x34..=0x37 => usize::from(tag & 3) << 8 | usize::from(self.byte()?),
            b'A' | b'B' => {
                let length = self.word()?;
                self.take(length)?;
                return Some((tag == b'A').then_some(Open::Values(1)));
            }
            0x38..=0x3f | 0x5e | 0xd0..=0xd7 => 2,
            b'C' => {
                self.define()?;
                return Some(Some(Open::Values(1)));
            }
            b'D' | b'J' | b'L' => 8,
            b'F' | b'N' | b'T' | 0x5b | 0x5c | 0x80..=0xbf | 0xd8..=0xef => 0,
            b'I' | b'K' | b'Y' | 0x5f => 4,
            0x5d | 0xc0..=0xcf | 0xf0..=0xff => 1,
            b'Q' => {
                self.int()?;
                0
            }
            b'H' | b'W' => return Some(Some(Open::UntilEnd)),
            b'M' | b'U' => {
                self.type_name()?;
                return Some(Some(Open::UntilEnd));
            }
            b'V' => {
                self.type_name()?;
                return self.count().map(|count| Some(Open::Values(count)));
            }
            b'X' => return self.count().map(|count| Some(Open::Values(count))),
            0x70..=0x77 => {
                self.type_name()?;
                return Some(Some(Open::Values(u32::from(tag & 7))));
            }
            0x78..=0x7f => return Some(Some(Open::Values(u32::from(tag & 7)))),
            b'O' => {
                let class = self.count()?;
                return self.fields(class as usize);
            }
            0x60..=0x6f => return self.fields(usize::from(tag & 15)),
            _ => return None,
        };
        self.take(bytes).map(|_| None)
    }

    fn fields(&self, class: usize) -> Option<Option<Open>> {
        let known = self.classes.get(..self.defined)?;
        known.get(class).map(|fields| Some(Open::Values(*fields)))
    }

    /// Skips a type, which is named the first time and numbered afterwards.
    fn type_name(&mut self) -> Option<()> {
        match self.peek()? {
            0x80..=0xd7 | b'I' => self.int().map(|_| ()),
            _ => self.text().map(|_| ()),
        }
    }

    /// Reads a class definition behind its tag. Returns the name.
    fn define(&mut self) -> Option<&'a str> {
        let name = self.text()?;
        let fields = self.count().filter(|fields| *fields <= FIELDS)?;
        for _ in 0..fields {
            self.text()?;
        }
        *self.classes.get_mut(self.defined)? = fields;
        self.defined += 1;
        Some(name)
    }

    /// Name of the class of the object that follows.
    pub(super) fn class(&mut self) -> Option<&'a str> {
        match self.byte()? {
            b'C' => self.define(),
            b'M' => self.text(),
            _ => None,
        }
    }

    /// Passes every pair of texts of the map that follows to `each`.
    pub(super) fn pairs(&mut self, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
        match self.byte()? {
            b'H' => {}
            b'M' => self.type_name()?,
            _ => return None,
        }
        while self.peek()? != b'Z' {
            let key = self.text()?;
            match self.peek()? {
                0..=0x1f | 0x30..=0x33 | b'S' => each(key, self.text()?),
                _ => self.skip()?,
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_passed_over() {
        let object = b"C\x03Car\x92\x05color\x05model\x60\x03red\x08corvette";
        let list = b"\x72\x04[int\x90\x91";
        let map = b"M\x01t\x91\x03fee\xa0\x03fieZ";
        for value in [
            &object[..],
            list,
            map,
            b"H\x01a\x79\x01bZ",
            b"N",
            b"I\0\0\0\x01",
            b"\xc8\x30",
            b"\xd4\x01\x02",
            b"L\0\0\0\0\0\0\0\x01",
            b"\xf8\x01",
            b"\x3c\x01\x02",
            b"D@(\x80\0\0\0\0\0",
            b"\x5d\x01",
            b"J\0\0\0\0\0\0\0\0",
            b"\x23abc",
            b"\x34\x03abc",
            b"A\0\x01aB\0\x01b",
            b"R\0\x01\xc3\xa9\x02ab",
            b"\x03\xe4\xb8\xad\xe6\x96\x87!",
            b"W\x90\x91Z",
            b"V\x01t\x92\x90\x91",
            b"Q\x90",
        ] {
            let bytes = [value, b"\x04next"].concat();
            let mut hessian = Hessian::new(&bytes);
            assert_eq!(hessian.skip().and_then(|()| hessian.text()), Some("next"), "{value:?}");
        }
    }

    #[test]
    fn hostile_values_end() {
        let deep = [b'H'; 100_000];
        assert_eq!(Hessian::new(&deep).skip(), None);
        assert_eq!(Hessian::new(b"XI\x7f\xff\xff\xffNNN").skip(), None);
        assert_eq!(Hessian::new(b"\x60").skip(), None);
        assert_eq!(Hessian::new(b"C\x01aI\x7f\xff\xff\xff").skip(), None);
        assert_eq!(Hessian::new(b"\x05ab").text(), None);
    }
}
