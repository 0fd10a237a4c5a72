//! What switches and service chains put between the Ethernet header and IP, each announced by an
//! EtherType. It leaves no trace: the flow inside is what counts.

use super::layer::{Layer, Step};
use super::span::Span;
use super::{Undecoded, ether_type};

/// Bytes of tags of fixed length, counted from behind their EtherType.
mod tag_len {
    /// Direction, pointer, interfaces.
    pub(super) const VN_TAG: usize = 4;
    /// Priority and the channel ids (IEEE 802.1BR, section 7.5).
    pub(super) const E_TAG: usize = 6;
    /// Path, size and sequence number (IEC 62439-3, section 5.5).
    pub(super) const HSR: usize = 4;
    /// Tree and time to live, then the whole Ethernet frame.
    pub(super) const FABRIC_PATH: usize = 2;
    /// Priority, flags and service id, then the customer's Ethernet frame (IEEE 802.1Q, section
    /// 9.7).
    pub(super) const I_TAG: usize = 4;
}

/// The security tag of MACsec (IEEE 802.1AE, section 9.3), from behind its EtherType.
mod macsec {
    /// Version, flags, association number.
    pub(super) const CONTROL: usize = 0;
    /// Length of the data if it is below 48 bytes, else 0.
    pub(super) const SHORT_LENGTH: usize = 1;
    /// Without the channel identifier.
    pub(super) const LEN: usize = 6;
    pub(super) const CHANNEL_LEN: usize = 8;
    /// The integrity check value behind the data, of all cipher suites of the standard.
    pub(super) const CHECK_VALUE_LEN: u32 = 16;
    pub(super) const VERSION: u8 = 0x80;
    pub(super) const HAS_CHANNEL: u8 = 0x20;
    /// E, encrypted, and C, changed: either means that the data is not as it was.
    pub(super) const ENCRYPTED_OR_CHANGED: u8 = 0x0c;
    pub(super) const SHORT_LENGTH_MASK: u8 = 0x3f;
}

/// The service header (RFC 8300, sections 2.2 and 2.3).
mod nsh {
    pub(super) const VERSION: usize = 0;
    /// In the low six bits, in units of 4 bytes.
    pub(super) const LENGTH: usize = 1;
    pub(super) const NEXT_PROTOCOL: usize = 3;
    pub(super) const LEN: usize = 8;
    pub(super) const LENGTH_MASK: u8 = 0x3f;
    pub(super) const VERSION_SHIFT: u8 = 6;
    pub(super) const IPV4: u8 = 1;
    pub(super) const IPV6: u8 = 2;
    pub(super) const ETHERNET: u8 = 3;
    pub(super) const NSH: u8 = 4;
    pub(super) const MPLS: u8 = 5;
}

/// The header of TRILL (RFC 6325, section 3.1).
mod trill {
    /// Version (2 bits), reserved, multi-destination, length of the options in units of 4 bytes
    /// (5), hop count (6).
    pub(super) const FLAGS: usize = 0;
    pub(super) const LEN: usize = 6;
    pub(super) const OPTIONS_SHIFT: u16 = 6;
    pub(super) const OPTIONS_MASK: u16 = 0x1f;
}

/// What an EtherType that is rare before IP announces.
#[cold]
pub(super) fn by_ether_type(number: u16, span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    let next = match number {
        ether_type::VN_TAG => tagged(span.skip(tag_len::VN_TAG)?)?,
        ether_type::E_TAG => tagged(span.skip(tag_len::E_TAG)?)?,
        ether_type::HSR => tagged(span.skip(tag_len::HSR)?)?,
        ether_type::CISCO_METADATA => cisco_metadata(span)?,
        ether_type::FABRIC_PATH => Layer::Ethernet(span.skip(tag_len::FABRIC_PATH)?),
        ether_type::I_TAG => Layer::Ethernet(span.skip(tag_len::I_TAG)?),
        ether_type::MACSEC => macsec(span)?,
        ether_type::NSH => nsh(span)?,
        ether_type::TRILL => trill(span)?,
        _ => return Err(Undecoded::NotIp),
    };
    Ok(Step::Next(next))
}

/// The EtherType behind a tag.
fn tagged(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let number = u16::from_be_bytes(*span.head::<2>()?);
    if number <= ether_type::MAX_LENGTH {
        return Err(Undecoded::NotIp);
    }
    Ok(Layer::EtherType(number, span.skip(2)?))
}

/// Version, number of options, options of 4 bytes (draft-smith-kandula-sxp, section 9).
fn cisco_metadata(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [_version, options] = *span.head::<2>()?;
    tagged(span.skip(2 + 4 * usize::from(options))?)
}

/// MACsec that protects its data without hiding them.
fn macsec(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<{ macsec::LEN }>()?;
    let control = header[macsec::CONTROL];
    if control & macsec::VERSION != 0 {
        return Err(Undecoded::Malformed);
    }
    if control & macsec::ENCRYPTED_OR_CHANGED != 0 {
        return Err(Undecoded::EncryptedLink);
    }
    let has_channel = control & macsec::HAS_CHANNEL != 0;
    let data = span.skip(macsec::LEN + if has_channel { macsec::CHANNEL_LEN } else { 0 })?;
    let len = match header[macsec::SHORT_LENGTH] & macsec::SHORT_LENGTH_MASK {
        0 => data.len.checked_sub(macsec::CHECK_VALUE_LEN).ok_or(Undecoded::Malformed)?,
        len => u32::from(len),
    };
    tagged(data.limit(len))
}

fn nsh(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<{ nsh::LEN }>()?;
    let len = usize::from(header[nsh::LENGTH] & nsh::LENGTH_MASK) * 4;
    if header[nsh::VERSION] >> nsh::VERSION_SHIFT != 0 || len < nsh::LEN {
        return Err(Undecoded::Malformed);
    }
    let inner = span.skip(len)?;
    match header[nsh::NEXT_PROTOCOL] {
        nsh::IPV4 => Ok(Layer::EtherType(ether_type::IPV4, inner)),
        nsh::IPV6 => Ok(Layer::EtherType(ether_type::IPV6, inner)),
        nsh::ETHERNET => Ok(Layer::Ethernet(inner)),
        nsh::NSH => Ok(Layer::EtherType(ether_type::NSH, inner)),
        nsh::MPLS => Ok(Layer::Mpls(inner)),
        _ => Err(Undecoded::NotIp),
    }
}

fn trill(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<{ trill::LEN }>()?;
    let flags = u16::from_be_bytes([header[trill::FLAGS], header[trill::FLAGS + 1]]);
    let options = usize::from(flags >> trill::OPTIONS_SHIFT & trill::OPTIONS_MASK) * 4;
    Ok(Layer::Ethernet(span.skip(trill::LEN + options)?))
}
