//! Properties of MQTT 5.

use crate::kit::reader::Reader;

/// What is recorded of the properties of a packet (MQTT 5, section 2.2.2).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Properties<'a> {
    pub(super) content_type: Option<&'a [u8]>,
    pub(super) response_topic: Option<&'a [u8]>,
    pub(super) topic_alias: Option<u16>,
    pub(super) reason: Option<&'a [u8]>,
    pub(super) assigned_client: Option<&'a [u8]>,
    pub(super) auth_method: Option<&'a [u8]>,
    pub(super) traceparent: Option<&'a [u8]>,
    pub(super) subscription: Option<u32>,
}

impl<'a> Properties<'a> {
    /// Reads as many as there are; what is malformed ends them.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut found = Self::default();
        let mut r = Reader::new(bytes);
        while r.len() > 0 && found.next(&mut r).is_some() {}
        found
    }

    fn next(&mut self, r: &mut Reader<'a>) -> Option<()> {
        match r.u8()? {
            0x03 => self.content_type = Some(r.bytes16()?),
            0x08 => self.response_topic = Some(r.bytes16()?),
            0x0b => self.subscription = Some(varint(r)?),
            0x12 => self.assigned_client = Some(r.bytes16()?),
            0x15 => self.auth_method = Some(r.bytes16()?),
            0x1f => self.reason = Some(r.bytes16()?),
            0x23 => self.topic_alias = Some(r.u16()?),
            0x26 => {
                let (name, value) = (r.bytes16()?, r.bytes16()?);
                if name.eq_ignore_ascii_case(b"traceparent") {
                    self.traceparent = Some(value);
                }
            }
            // Correlation data, authentication data, response information, server reference.
            0x09 | 0x16 | 0x1a | 0x1c => {
                r.bytes16()?;
            }
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => {
                r.u8()?;
            }
            0x13 | 0x21 | 0x22 => {
                r.u16()?;
            }
            0x02 | 0x11 | 0x18 | 0x27 => {
                r.u32()?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// A number of one to four bytes (section 1.5.5).
pub(super) fn varint(r: &mut Reader<'_>) -> Option<u32> {
    let mut value = 0;
    for n in 0..4 {
        let byte = r.u8()?;
        value |= u32::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The properties that come next, as far as they are there. None if their length is not.
pub(super) fn section<'a>(r: &mut Reader<'a>) -> Option<Properties<'a>> {
    let len = varint(r)? as usize;
    let bytes = r.take(len.min(r.len()))?;
    Some(Properties::read(bytes))
}
