//! Goes through the body of a message field by field, as its layout says. It keeps its place, so
//! that bytes can come in any pieces, and records are passed over without being looked at.

use super::batch::{Batch, batch, headers};
use super::bytes::{Short, int16, int32, uvarint};
use super::layout::{Field, Form, What};
use super::told::Told;
use crate::kit::framed::Step;

/// Structures within structures; no layout has more.
const DEPTH: usize = 6;
/// So much of a text is told.
const TEXT: usize = 256;
/// Bytes looked at of one message, records aside.
const LOOKED_AT: u64 = 256 * 1024;
/// Items in a row that take no bytes: fields that a version does not have, of elements that have
/// none at all.
const IDLE: u32 = 4096;

#[derive(Clone, Copy, Debug)]
struct Frame {
    fields: &'static [Field],
    next: usize,
    /// Elements still to come, this one included.
    left: u32,
    /// An element ends with tagged fields where the version is flexible.
    tagged: bool,
}

const NOWHERE: Frame = Frame { fields: &[], next: 0, left: 0, tagged: false };

/// A place in the body of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    version: u8,
    flexible: bool,
    frames: [Frame; DEPTH],
    depth: usize,
    /// The head ends with tagged fields.
    head: bool,
    /// Tagged fields to be passed.
    tags: u32,
    /// The element ends behind them.
    ending: bool,
    /// Bytes of records still to come.
    records: u64,
    looked_at: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Going,
    Over,
    /// This is not how the message is written.
    Broken,
}

/// What became of one item.
enum Item {
    Take(u64),
    Over,
    Broken,
}

impl Walk {
    /// Nothing to go through.
    pub(super) const NONE: Self = Self {
        version: 0,
        flexible: false,
        frames: [NOWHERE; DEPTH],
        depth: 0,
        head: false,
        tags: 0,
        ending: false,
        records: 0,
        looked_at: 0,
        state: State::Over,
    };

    /// A body with these fields; `head`: the end of the head with its tagged fields stands before
    /// it.
    pub(super) fn new(fields: &'static [Field], version: u8, flexible: bool, head: bool) -> Self {
        let mut walk = Self { version, flexible, head: head && flexible, depth: 1, ..Self::NONE };
        walk.frames[0] = Frame { fields, next: 0, left: 1, tagged: true };
        walk.state = State::Going;
        walk
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Goes on with `bytes`, behind which the message has more up to `left` in all.
    pub(super) fn step(&mut self, bytes: &[u8], left: u64, told: &mut Told) -> Step {
        let (mut at, mut idle) = (0u64, 0);
        while self.state == State::Going {
            let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
            match self.item(rest, left - at, told) {
                Ok(Item::Take(n)) => {
                    idle = if n == 0 { idle + 1 } else { 0 };
                    at = at.saturating_add(n);
                    if at > left || idle > IDLE {
                        self.state = State::Broken;
                        break;
                    }
                    if at > bytes.len() as u64 {
                        return Step::Take(at);
                    }
                }
                Ok(Item::Over) => self.state = State::Over,
                Ok(Item::Broken) => self.state = State::Broken,
                Err(Short(needed)) => {
                    self.looked_at += at;
                    if needed as u64 > left - at {
                        self.state = State::Broken;
                    } else if self.looked_at > LOOKED_AT {
                        self.state = State::Over;
                    } else {
                        return if at > 0 { Step::Take(at) } else { Step::Need(needed) };
                    }
                }
            }
        }
        if at > 0 && at <= left { Step::Take(at) } else { Step::Done }
    }

    fn item(&mut self, bytes: &[u8], left: u64, told: &mut Told) -> Result<Item, Short> {
        if self.head {
            let Some((tags, length)) = uvarint(bytes)? else { return Ok(Item::Broken) };
            (self.head, self.tags) = (false, tags);
            return Ok(Item::Take(length as u64));
        }
        if self.tags > 0 {
            return self.tag(bytes);
        }
        if std::mem::take(&mut self.ending) {
            self.end_element();
            return Ok(Item::Take(0));
        }
        if self.records > 0 {
            return self.batch(bytes, told);
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
                let Some((tags, length)) = uvarint(bytes)? else { return Ok(Item::Broken) };
                (self.tags, self.ending) = (tags, true);
                return Ok(Item::Take(length as u64));
            }
            self.end_element();
            return Ok(Item::Take(0));
        };
        let item = match (field.since..=field.until).contains(&self.version) {
            true => self.field(field, bytes, left, told)?,
            false => Item::Take(0),
        };
        self.frames[index].next = next + 1;
        Ok(item)
    }

    fn end_element(&mut self) {
        let Some(frame) = self.depth.checked_sub(1).and_then(|index| self.frames.get_mut(index)) else {
            return;
        };
        frame.left = frame.left.saturating_sub(1);
        frame.next = 0;
        if frame.left == 0 {
            self.depth -= 1;
        }
    }

    fn tag(&mut self, bytes: &[u8]) -> Result<Item, Short> {
        let Some((_, number)) = uvarint(bytes)? else { return Ok(Item::Broken) };
        let behind = bytes.get(number..).unwrap_or_default();
        let Some((size, length)) = uvarint(behind).map_err(|Short(n)| Short(n + number))? else {
            return Ok(Item::Broken);
        };
        self.tags -= 1;
        Ok(Item::Take(u64::from(size) + (number + length) as u64))
    }

    fn field(&mut self, field: &Field, bytes: &[u8], left: u64, told: &mut Told) -> Result<Item, Short> {
        match field.form {
            Form::Fixed(width) => {
                let width = usize::from(width);
                if field.what != What::Nothing {
                    let value = bytes.get(..width).ok_or(Short(width))?;
                    if !told.number(field.what, value) {
                        return Ok(Item::Broken);
                    }
                }
                Ok(Item::Take(width as u64))
            }
            Form::Text => {
                let Some((length, prefix)) = self.length(bytes, 2)? else { return Ok(Item::Broken) };
                let length = length.unwrap_or(0);
                if field.what != What::Nothing {
                    let end = prefix + (length as usize).min(TEXT);
                    told.text(field.what, bytes.get(prefix..end).ok_or(Short(end))?);
                }
                Ok(Item::Take(length + prefix as u64))
            }
            Form::Blob => Ok(match self.length(bytes, 4)? {
                Some((length, prefix)) => Item::Take(length.unwrap_or(0) + prefix as u64),
                None => Item::Broken,
            }),
            Form::Records => {
                let Some((length, prefix)) = self.length(bytes, 4)? else { return Ok(Item::Broken) };
                self.records = length.unwrap_or(0);
                let whole = self.records + prefix as u64 <= left;
                Ok(if whole { Item::Take(prefix as u64) } else { Item::Broken })
            }
            Form::Array(fields) => self.elements(bytes, left, fields, true),
            Form::List(fields) => self.elements(bytes, left, fields, false),
            Form::Stop => Ok(Item::Over),
        }
    }

    fn elements(
        &mut self,
        bytes: &[u8],
        left: u64,
        fields: &'static [Field],
        tagged: bool,
    ) -> Result<Item, Short> {
        let Some((count, prefix)) = self.length(bytes, 4)? else { return Ok(Item::Broken) };
        let count = count.unwrap_or(0);
        if count > left || self.depth >= DEPTH {
            return Ok(Item::Broken);
        }
        if count > 0 {
            self.frames[self.depth] = Frame { fields, next: 0, left: count as u32, tagged };
            self.depth += 1;
        }
        Ok(Item::Take(prefix as u64))
    }

    /// Length of what follows (`None`: there is nothing, not even something empty) and the bytes
    /// that say so, `width` of them where the version is not flexible.
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

    fn batch(&mut self, bytes: &[u8], told: &mut Told) -> Result<Item, Short> {
        let taken = match batch(bytes, self.records, told.wants_headers()) {
            Batch::Need(needed) => return Err(Short(needed)),
            Batch::Nothing => self.records,
            Batch::Whole { length, messages, first } => {
                told.messages(messages);
                if !first.is_empty() {
                    let _ = headers(first, |name, value| told.header(name, value));
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
    use crate::protocols::kafka::layout::What;

    #[test]
    fn elements_of_nothing_are_not_counted_for_ever() {
        const LATER: Field = Field { form: Form::Text, what: What::Nothing, since: 5, until: u8::MAX };
        const ELEMENTS: &[Field] =
            &[Field { form: Form::Array(&[LATER]), what: What::Nothing, since: 0, until: u8::MAX }];
        let mut walk = Walk::new(ELEMENTS, 0, false, false);
        let step = walk.step(&(1i32 << 29).to_be_bytes(), 1 << 30, &mut Told::default());
        assert_eq!((step, walk.is_broken()), (Step::Take(4), true));
    }
}
