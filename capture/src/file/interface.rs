//! Interfaces of a pcapng file: link type, name, snap length, time resolution.

use wire::{LinkType, TapId, Timestamp};

use super::cooked::CookedTaps;
use super::losses::Losses;
use super::options::Options;
use super::step::Endian;

/// Offsets in the body of an interface description block (draft-ietf-opsawg-pcapng, section 4.2).
mod field {
    pub(super) const LINK_TYPE: usize = 0;
    pub(super) const SNAP_LEN: usize = 4;
    pub(super) const OPTIONS: usize = 8;
}

/// Option codes (section 4.2).
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// An interface of the current section.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) link_type: LinkType,
    /// 0 for no limit.
    pub(super) snap_len: u32,
    pub(super) name: Option<String>,
    /// Known from its first frame on.
    pub(super) tap: Option<TapId>,
    /// Instead of `tap`, where frames name the interfaces that they were seen at.
    pub(super) cooked: CookedTaps,
    /// What stands between the file's name and the index in the names of these, once one is named.
    pub(super) device: Option<String>,
    /// What was lost there.
    pub(super) losses: Losses,
    resolution: u8,
    offset_seconds: i64,
}

impl Interface {
    /// Interface from the body of its description block; malformed options are ignored.
    pub(super) fn parse(endian: Endian, body: &[u8]) -> Option<Self> {
        if body.len() < field::OPTIONS {
            return None;
        }
        let mut interface = Self {
            link_type: LinkType::from_number(endian.u16(body, field::LINK_TYPE)),
            snap_len: endian.u32(body, field::SNAP_LEN),
            name: None,
            tap: None,
            cooked: CookedTaps::default(),
            device: None,
            losses: Losses::default(),
            resolution: 6,
            offset_seconds: 0,
        };
        for (code, value) in Options::new(endian, body.get(field::OPTIONS..).unwrap_or_default()) {
            match (code, value.len()) {
                (IF_NAME, 1..) => {
                    let text = value.split(|&b| b == 0).next().unwrap_or_default();
                    interface.name =
                        Some(String::from_utf8_lossy(text).replace(char::is_control, " "));
                }
                (IF_TSRESOL, 1) => interface.resolution = value.first().copied().unwrap_or(6),
                (IF_TSOFFSET, 8) => interface.offset_seconds = endian.u64(value, 0).cast_signed(),
                _ => {}
            }
        }
        Some(interface)
    }

    /// Its name, or its number where it is nameless and not the first.
    pub(super) fn own_name(&self, index: usize) -> Option<String> {
        self.name.clone().or_else(|| (index > 0).then(|| index.to_string()))
    }

    /// Time of a frame from the file's units. Times outside of what 64 bits of nanoseconds hold
    /// (1970 to 2554) wrap, so that the distance between two of them stays right.
    pub(super) fn time(&self, units: u64) -> Timestamp {
        let nanos = match self.resolution {
            9 => units,
            6 => units.wrapping_mul(1_000),
            3 => units.wrapping_mul(1_000_000),
            0 => units.wrapping_mul(1_000_000_000),
            other => scale(units, other),
        };
        let offset = self.offset_seconds.wrapping_mul(1_000_000_000).cast_unsigned();
        Timestamp::from_nanos(nanos.wrapping_add(offset))
    }
}

/// Nanoseconds from units of `if_tsresol`: the top bit distinguishes powers of 2 from powers of 10.
fn scale(units: u64, resolution: u8) -> u64 {
    let units = u128::from(units);
    let exponent = u32::from(resolution & 0x7f);
    let nanos = if resolution & 0x80 == 0 {
        match exponent {
            0..=9 => units * 10u128.pow(9 - exponent),
            // 64 bits of units are less than one nanosecond beyond 10^-29.
            10..=29 => units / 10u128.pow(exponent - 9),
            _ => 0,
        }
    } else {
        (units * 1_000_000_000) >> exponent.min(127)
    };
    nanos as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_of_both_kinds() {
        assert_eq!(scale(5, 1), 500_000_000);
        assert_eq!(scale(1_234, 12), 1);
        assert_eq!(scale(u64::MAX, 127), 0);
        assert_eq!(scale(3, 0x80 | 1), 1_500_000_000);
        assert_eq!(scale(256, 0x80 | 8), 1_000_000_000);
        assert_eq!(scale(1, 0x80), 1_000_000_000);
        assert_eq!(scale(u64::MAX, 0xff), 0);
    }

    #[test]
    fn name_resolution_and_offset_come_from_options() {
        let mut body = vec![1, 0, 0, 0, 96, 0, 0, 0];
        body.extend([2, 0, 3, 0, b'l', b'a', b'n', 0]);
        body.extend([9, 0, 1, 0, 9, 0, 0, 0]);
        body.extend([14, 0, 8, 0]);
        body.extend((-2i64).to_le_bytes());
        let interface = Interface::parse(Endian::Little, &body).unwrap();
        assert_eq!(interface.name.as_deref(), Some("lan"));
        assert_eq!(interface.snap_len, 96);
        assert_eq!(interface.time(3_000_000_001), Timestamp::from_nanos(1_000_000_001));
    }

    #[test]
    fn an_option_that_runs_out_of_the_block_ends_the_options() {
        let interface =
            Interface::parse(Endian::Big, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff, b'x'])
                .unwrap();
        assert_eq!(interface.name, None);
    }
}
