//! Reads the body of a message field by field, by its layout. The state is kept between calls, so
//! that bytes can come in any pieces; records are skipped.

use super::batch::{Batch, batch, headers};
use super::bytes::{Short, int16, int32, uvarint};
use super::layout::{Field, Form, Meaning};
use super::message_fields::MessageFields;
use crate::kit::framed::FormatStep;

/// Deepest nesting of structures; no layout has more.
const DEPTH: usize = 6;
/// Bytes of a text that are kept.
const TEXT: usize = 256;
/// Most bytes of one message that are inspected, besides records.
const INSPECT_LIMIT: u64 = 256 * 1024;
/// Most items in a row that take no bytes: fields that a version does not have, in elements without
/// any other.
const IDLE: u32 = 4096;

#[derive(Clone, Copy, Debug)]
struct Frame {
    fields: &'static [Field],
    next: usize,
    /// Elements still to come, with this one.
    left: u32,
    /// Elements end with tagged fields in flexible versions.
    tagged: bool,
}

const NOWHERE: Frame = Frame { fields: &[], next: 0, left: 0, tagged: false };

/// A position in the body of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    version: u8,
    flexible: bool,
    frames: [Frame; DEPTH],
    depth: usize,
    /// The header's tagged fields come first.
    header: bool,
    /// Tagged fields to skip.
    tags: u32,
    /// The element ends behind the tagged fields.
    ending: bool,
    /// Bytes of records still to come.
    records: u64,
    inspected: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Going,
    Over,
    /// The bytes do not fit the layout.
    Malformed,
}

/// Result of one item.
enum Item {
    Take(u64),
    Over,
    Malformed,
}

impl Walk {
    /// A walk through nothing.
    pub(super) const NONE: Self = Self {
        version: 0,
        flexible: false,
        frames: [NOWHERE; DEPTH],
        depth: 0,
        header: false,
        tags: 0,
        ending: false,
        records: 0,
        inspected: 0,
        state: State::Over,
    };

    /// A body with these fields. `header`: the tagged fields of the message's header precede it.
    pub(super) fn new(fields: &'static [Field], version: u8, flexible: bool, header: bool) -> Self {
        let mut walk =
            Self { version, flexible, header: header && flexible, depth: 1, ..Self::NONE };
        walk.frames[0] = Frame { fields, next: 0, left: 1, tagged: true };
        walk.state = State::Going;
        walk
    }

    pub(super) fn is_malformed(&self) -> bool {
        self.state == State::Malformed
    }

    /// Continues with `bytes`. Of the message, `left` bytes are still to come, with these.
    pub(super) fn step(
        &mut self,
        bytes: &[u8],
        left: u64,
        fields_read: &mut MessageFields,
    ) -> FormatStep {
        let (mut at, mut idle) = (0u64, 0);
        while self.state == State::Going {
            let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
            match self.item(rest, left - at, fields_read) {
                Ok(Item::Take(n)) => {
                    idle = if n == 0 { idle + 1 } else { 0 };
                    at = at.saturating_add(n);
                    if at > left || idle > IDLE {
                        self.state = State::Malformed;
                        break;
                    }
                    if at > bytes.len() as u64 {
                        return FormatStep::Take(at);
                    }
                }
                Ok(Item::Over) => self.state = State::Over,
                Ok(Item::Malformed) => self.state = State::Malformed,
                Err(Short(needed)) => {
                    self.inspected += at;
                    if needed as u64 > left - at {
                        self.state = State::Malformed;
                    } else if self.inspected > INSPECT_LIMIT {
                        self.state = State::Over;
                    } else {
                        return if at > 0 {
                            FormatStep::Take(at)
                        } else {
                            FormatStep::Need(needed)
                        };
                    }
                }
            }
        }
        if at > 0 && at <= left { FormatStep::Take(at) } else { FormatStep::Done }
    }

    /// Reads the next field, or what is between fields.
    fn item(
        &mut self,
        bytes: &[u8],
        left: u64,
        fields_read: &mut MessageFields,
    ) -> Result<Item, Short> {
        if self.header {
            let Some((tags, length)) = uvarint(bytes)? else { return Ok(Item::Malformed) };
            (self.header, self.tags) = (false, tags);
            return Ok(Item::Take(length as u64));
        }
        if self.tags > 0 {
            return self.skip_tagged_field(bytes);
        }
        if std::mem::take(&mut self.ending) {
            self.end_element();
            return Ok(Item::Take(0));
        }
        if self.records > 0 {
            return self.batch(bytes, fields_read);
        }
        let Some(index) = self.depth.checked_sub(1).filter(|index| *index < DEPTH) else {
            return Ok(Item::Over);
        };
        let Frame { fields, next, tagged, .. } = self.frames[index];
        let Some(field) = fields.get(next) else {
            if index == 0 {
                return Ok(Item::Over);
            }
            if self.flexible && tagged {
                let Some((tags, length)) = uvarint(bytes)? else { return Ok(Item::Malformed) };
                (self.tags, self.ending) = (tags, true);
                return Ok(Item::Take(length as u64));
            }
            self.end_element();
            return Ok(Item::Take(0));
        };
        let item = match (field.since..=field.until).contains(&self.version) {
            true => self.field(field, bytes, left, fields_read)?,
            false => Item::Take(0),
        };
        self.frames[index].next = next + 1;
        Ok(item)
    }

    fn end_element(&mut self) {
        let Some(frame) = self.depth.checked_sub(1).and_then(|index| self.frames.get_mut(index))
        else {
            wire::invariant!("an element that ends has a frame");
            return;
        };
        frame.left = frame.left.saturating_sub(1);
        frame.next = 0;
        if frame.left == 0 {
            self.depth -= 1;
        }
    }

    /// Skips a tagged field.
    fn skip_tagged_field(&mut self, bytes: &[u8]) -> Result<Item, Short> {
        let Some((_, number)) = uvarint(bytes)? else { return Ok(Item::Malformed) };
        let behind = bytes.get(number..).unwrap_or_default();
        let Some((size, length)) = uvarint(behind).map_err(|Short(n)| Short(n + number))? else {
            return Ok(Item::Malformed);
        };
        self.tags -= 1;
        Ok(Item::Take(u64::from(size) + (number + length) as u64))
    }

    fn field(
        &mut self,
        field: &Field,
        bytes: &[u8],
        left: u64,
        fields_read: &mut MessageFields,
    ) -> Result<Item, Short> {
        match field.form {
            Form::Fixed(width) => {
                let width = usize::from(width);
                if field.meaning != Meaning::Nothing {
                    let value = bytes.get(..width).ok_or(Short(width))?;
                    if !fields_read.number(field.meaning, value) {
                        return Ok(Item::Malformed);
                    }
                }
                Ok(Item::Take(width as u64))
            }
            Form::Text => {
                let Some((length, prefix)) = self.length(bytes, 2)? else {
                    return Ok(Item::Malformed);
                };
                let length = length.unwrap_or(0);
                if field.meaning != Meaning::Nothing {
                    let end = prefix + (length as usize).min(TEXT);
                    fields_read.text(field.meaning, bytes.get(prefix..end).ok_or(Short(end))?);
                }
                Ok(Item::Take(length + prefix as u64))
            }
            Form::Blob => Ok(match self.length(bytes, 4)? {
                Some((length, prefix)) => Item::Take(length.unwrap_or(0) + prefix as u64),
                None => Item::Malformed,
            }),
            Form::Records => {
                let Some((length, prefix)) = self.length(bytes, 4)? else {
                    return Ok(Item::Malformed);
                };
                self.records = length.unwrap_or(0);
                let whole = self.records + prefix as u64 <= left;
                Ok(if whole { Item::Take(prefix as u64) } else { Item::Malformed })
            }
            Form::Array(fields) => self.begin_elements(bytes, left, fields, true),
            Form::List(fields) => self.begin_elements(bytes, left, fields, false),
            Form::Stop => Ok(Item::Over),
        }
    }

    /// Begins an array.
    fn begin_elements(
        &mut self,
        bytes: &[u8],
        left: u64,
        fields: &'static [Field],
        tagged: bool,
    ) -> Result<Item, Short> {
        let Some((count, prefix)) = self.length(bytes, 4)? else { return Ok(Item::Malformed) };
        let count = count.unwrap_or(0);
        if count > left || self.depth >= DEPTH {
            return Ok(Item::Malformed);
        }
        if count > 0 {
            self.frames[self.depth] = Frame { fields, next: 0, left: count as u32, tagged };
            self.depth += 1;
        }
        Ok(Item::Take(prefix as u64))
    }

    /// Length of what follows (`None` for a null value), and the number of bytes that encode it:
    /// `width` unless the version is flexible.
    fn length(&self, bytes: &[u8], width: usize) -> Result<Option<(Option<u64>, usize)>, Short> {
        if self.flexible {
            return Ok(uvarint(bytes)?.map(|(n, prefix)| (n.checked_sub(1).map(u64::from), prefix)));
        }
        let number = match width {
            2 => int16(bytes, 0).map(i32::from),
            _ => int32(bytes, 0),
        };
        let number = number.ok_or(Short(width))?;
        Ok((number >= -1).then_some((u64::try_from(number).ok(), width)))
    }

    fn batch(&mut self, bytes: &[u8], fields_read: &mut MessageFields) -> Result<Item, Short> {
        let taken = match batch(bytes, self.records, fields_read.wants_headers()) {
            Batch::Need(needed) => return Err(Short(needed)),
            Batch::Nothing => self.records,
            Batch::Whole { length, messages, first } => {
                fields_read.messages(messages);
                if !first.is_empty() {
                    let _ = headers(first, |name, value| fields_read.header(name, value));
                }
                length
            }
        };
        self.records -= taken.min(self.records);
        Ok(Item::Take(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::kafka::layout::Meaning;

    #[test]
    fn elements_of_nothing_are_not_counted_for_ever() {
        const LATER: Field =
            Field { form: Form::Text, meaning: Meaning::Nothing, since: 5, until: u8::MAX };
        const ELEMENTS: &[Field] = &[Field {
            form: Form::Array(&[LATER]),
            meaning: Meaning::Nothing,
            since: 0,
            until: u8::MAX,
        }];
        let mut walk = Walk::new(ELEMENTS, 0, false, false);
        let step = walk.step(&(1i32 << 29).to_be_bytes(), 1 << 30, &mut MessageFields::default());
        assert_eq!((step, walk.is_malformed()), (FormatStep::Take(4), true));
    }
}
