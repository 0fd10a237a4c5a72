//! IEEE 802.11, with and without a radiotap header.

use super::llc::llc;
use crate::decode::Undecoded;
use crate::decode::layer::Layer;
use crate::decode::span::Span;

/// The header that radiotap.org describes: version, length, bits of the fields that are present.
/// All numbers are little-endian.
mod radiotap {
    pub(super) const VERSION: usize = 0;
    pub(super) const LEN: [usize; 2] = [2, 3];
    pub(super) const PRESENT: usize = 4;
    pub(super) const FIXED_LEN: usize = 8;
    /// Bits of `present`: a time of 8 bytes, flags of one byte, another word of bits.
    pub(super) const TIME: u32 = 1;
    pub(super) const FLAGS: u32 = 1 << 1;
    pub(super) const MORE: u32 = 1 << 31;
    pub(super) const TIME_LEN: usize = 8;
    /// Flags: the header of the frame is padded to 4 bytes; its check sequence is wrong.
    pub(super) const PADDED: u8 = 0x20;
    pub(super) const BAD_CHECK_SEQUENCE: u8 = 0x40;
}

/// A data frame (IEEE 802.11, section 9.3.2). Numbers are little-endian.
mod field {
    /// Number of the fragment in the low four bits.
    pub(super) const SEQUENCE: usize = 22;
    pub(super) const LEN: usize = 24;
    /// The fourth address, where a frame goes from one access point to another.
    pub(super) const ADDRESS_LEN: usize = 6;
    pub(super) const QOS_LEN: usize = 2;
    /// The HT control field, of QoS frames with the order flag.
    pub(super) const HT_CONTROL_LEN: usize = 4;
    /// The first byte: version (2 bits), type (2), subtype (4).
    pub(super) const VERSION_TYPE: u8 = 0x0f;
    /// Version 0, type 2.
    pub(super) const DATA: u8 = 0x08;
    /// Bits of a data frame's subtype: quality of service, and no data.
    pub(super) const QOS: u8 = 0x80;
    pub(super) const NO_DATA: u8 = 0x40;
    /// The second byte: flags.
    pub(super) const TO_AND_FROM_DISTRIBUTION: u8 = 0x03;
    pub(super) const MORE_FRAGMENTS: u8 = 0x04;
    pub(super) const PROTECTED: u8 = 0x40;
    pub(super) const ORDER: u8 = 0x80;
    pub(super) const FRAGMENT_NUMBER: u8 = 0x0f;
    /// In the QoS field: the body is a row of A-MSDU subframes.
    pub(super) const AGGREGATE: u8 = 0x80;
}

/// A subframe of an A-MSDU: addresses, length, body, padding to 4 bytes (section 9.3.2.2).
mod subframe {
    pub(super) const LENGTH: [usize; 2] = [12, 13];
    pub(super) const LEN: usize = 14;
}

/// A frame behind its radiotap header.
pub(super) fn radiotap(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<{ radiotap::FIXED_LEN }>()?;
    let len = usize::from(u16::from_le_bytes(radiotap::LEN.map(|at| header[at])));
    if header[radiotap::VERSION] != 0 || len < radiotap::FIXED_LEN {
        return Err(Undecoded::Malformed);
    }
    let rest = span.skip(len)?;
    let flags = radiotap_flags(span.bytes.get(..len).unwrap_or_default())?;
    if flags & radiotap::BAD_CHECK_SEQUENCE != 0 {
        return Err(Undecoded::Malformed);
    }
    frame(rest, flags & radiotap::PADDED != 0)
}

/// The field of flags; 0 where there is none. Fields stand behind all words of bits, in the order
/// of the bits, each aligned to its own size.
fn radiotap_flags(header: &[u8]) -> Result<u8, Undecoded> {
    let word = |at: usize| {
        let bytes = header.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
        bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or(Undecoded::Malformed)
    };
    let present = word(radiotap::PRESENT)?;
    if present & radiotap::FLAGS == 0 {
        return Ok(0);
    }
    let mut at = radiotap::PRESENT;
    while word(at)? & radiotap::MORE != 0 {
        at += 4;
    }
    at += 4;
    if present & radiotap::TIME != 0 {
        at = at.next_multiple_of(radiotap::TIME_LEN) + radiotap::TIME_LEN;
    }
    header.get(at).copied().ok_or(Undecoded::Malformed)
}

/// A data frame that can be read: not encrypted, whole, with one packet.
pub(super) fn frame(span: Span<'_>, padded: bool) -> Result<Layer<'_>, Undecoded> {
    let [kind, flags] = *span.head::<2>()?;
    if kind & field::VERSION_TYPE != field::DATA || kind & field::NO_DATA != 0 {
        return Err(Undecoded::NotIp);
    }
    if flags & field::PROTECTED != 0 {
        return Err(Undecoded::EncryptedLink);
    }
    let header = span.head::<{ field::LEN }>()?;
    let is_fragment =
        flags & field::MORE_FRAGMENTS != 0 || header[field::SEQUENCE] & field::FRAGMENT_NUMBER != 0;
    if is_fragment {
        return Err(Undecoded::FragmentRefused);
    }
    let mut len = field::LEN;
    if flags & field::TO_AND_FROM_DISTRIBUTION == field::TO_AND_FROM_DISTRIBUTION {
        len += field::ADDRESS_LEN;
    }
    let mut aggregate = false;
    if kind & field::QOS != 0 {
        aggregate = span.skip(len)?.head::<{ field::QOS_LEN }>()?[0] & field::AGGREGATE != 0;
        len += field::QOS_LEN;
        if flags & field::ORDER != 0 {
            len += field::HT_CONTROL_LEN;
        }
    }
    let body = span.skip(if padded { len.next_multiple_of(4) } else { len })?;
    if aggregate { only_subframe(body) } else { llc(body) }
}

/// The packet of an A-MSDU that holds one. What may be behind it is a check sequence.
fn only_subframe(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<{ subframe::LEN }>()?;
    let len = u32::from(u16::from_be_bytes(subframe::LENGTH.map(|at| header[at])));
    let body = span.skip(subframe::LEN)?;
    let behind = body.len.checked_sub(len).ok_or(Undecoded::Malformed)?;
    if behind >= subframe::LEN as u32 {
        return Err(Undecoded::Aggregate);
    }
    llc(body.limit(len))
}
