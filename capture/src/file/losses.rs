//! Packets that the program which wrote a pcapng file says were lost.

use wire::Drops;

use super::options::Options;
use super::step::Endian;

/// The body of an interface statistics block (draft-ietf-opsawg-pcapng, section 4.6).
mod field {
    pub(super) const INTERFACE_ID: usize = 0;
    pub(super) const OPTIONS: usize = 12;
}

/// Option codes of an interface statistics block (section 4.6) and an enhanced packet block
/// (section 4.3).
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;
const EPB_DROPCOUNT: u16 = 4;

/// What is said of one interface of a section.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    /// By the last statistics: lost by the device, and by the operating system, since the start.
    interface: u64,
    kernel: u64,
    /// Sum of what its packets say was lost before each of them, by whichever of the two.
    between_packets: u64,
}

impl Losses {
    /// Adds what an interface statistics block says. A later one replaces an earlier one.
    fn set(&mut self, endian: Endian, options: &[u8]) {
        for (code, value) in Options::new(endian, options) {
            match (code, value.len()) {
                (ISB_IFDROP, 8) => self.interface = endian.u64(value, 0),
                (ISB_OSDROP, 8) => self.kernel = endian.u64(value, 0),
                _ => {}
            }
        }
    }

    /// Adds packets that were lost before another one.
    pub(super) fn add_before_packet(&mut self, lost: u64) {
        self.between_packets = self.between_packets.saturating_add(lost);
    }

    /// The same losses may be told in both ways: what packets say counts as far as it is more.
    pub(super) fn drops(&self) -> Drops {
        let Self { interface, kernel, between_packets } = *self;
        let unattributed = between_packets.saturating_sub(interface.saturating_add(kernel));
        Drops { kernel, interface, unattributed, ..Drops::default() }
    }
}

/// Applies the body of an interface statistics block. Returns the index of the interface, or none
/// where there is no such interface.
pub(super) fn on_statistics<'l>(
    endian: Endian,
    body: &[u8],
    find: impl FnOnce(usize) -> Option<&'l mut Losses>,
) -> Option<usize> {
    let options = body.get(field::OPTIONS..)?;
    let index = endian.u32(body, field::INTERFACE_ID) as usize;
    find(index)?.set(endian, options);
    Some(index)
}

/// Packets that were lost before a packet, by the options of its block.
pub(super) fn before_packet(endian: Endian, options: &[u8]) -> u64 {
    let mut options = Options::new(endian, options);
    let lost = options.find(|(code, value)| *code == EPB_DROPCOUNT && value.len() == 8);
    lost.map_or(0, |(_, value)| endian.u64(value, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_told_in_two_ways_count_once() {
        let mut losses = Losses::default();
        losses.add_before_packet(3);
        losses.add_before_packet(4);
        assert_eq!(losses.drops(), Drops { unattributed: 7, ..Drops::default() });
        let options = [5, 0, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        losses.set(Endian::Little, &options);
        let expected = Drops { interface: 5, kernel: 1, unattributed: 1, ..Drops::default() };
        assert_eq!(losses.drops(), expected);
    }
}
