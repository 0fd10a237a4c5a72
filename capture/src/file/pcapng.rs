//! The block format (draft-ietf-opsawg-pcapng).

use std::fmt::Display;

use wire::{Drops, LinkType, TapId, Timestamp};

use super::frame_block::{FrameBlock, FrameEntry, PackedVlan};
use super::input::TapNames;
use super::interface::Interface;
use super::losses;
use super::step::{Endian, MAX_CAPTURED, Rest};

/// Block types (section 11.1).
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Offsets in a block (section 3.1).
mod block_field {
    pub(super) const TYPE: usize = 0;
    pub(super) const TOTAL_LENGTH: usize = 4;
    pub(super) const BODY: usize = 8;
    /// The total length stands once more at the end.
    pub(super) const TRAILER_LEN: usize = 4;
}

/// Offsets in the body of an enhanced packet block (section 4.3) or packet block (appendix A).
mod packet_field {
    /// 32 bits; in a packet block 16, then the drop count.
    pub(super) const INTERFACE_ID: usize = 0;
    pub(super) const DROP_COUNT: usize = 2;
    /// The drop count is not known.
    pub(super) const NO_DROP_COUNT: u16 = 0xffff;
    pub(super) const TIMESTAMP_HIGH: usize = 4;
    pub(super) const TIMESTAMP_LOW: usize = 8;
    pub(super) const CAPTURED_LENGTH: usize = 12;
    pub(super) const ORIGINAL_LENGTH: usize = 16;
    pub(super) const DATA: usize = 20;
}

/// Offsets in the body of a simple packet block (section 4.4).
mod simple_packet_field {
    pub(super) const ORIGINAL_LENGTH: usize = 0;
    pub(super) const DATA: usize = 4;
}

/// Everything of a block that is not its body.
const FRAMING: usize = block_field::BODY + block_field::TRAILER_LEN;
/// More than a packet block needs around [`MAX_CAPTURED`] bytes, for its options.
const MAX_BLOCK: usize = MAX_CAPTURED + (1 << 20);
/// Interfaces of one section. Each costs memory, and no more can be told apart by name.
const MAX_INTERFACES: usize = 65_536;

/// State of a pcapng file.
pub(super) struct PcapNg {
    endian: Endian,
    interfaces: Vec<Interface>,
    name: String,
    names: TapNames,
    /// Taps named so far, by the interface's own name: the interface of a later section may be one
    /// of them.
    taps: Vec<(Option<String>, TapId)>,
    /// What was lost at interfaces of earlier sections.
    drops: Vec<(TapId, Drops)>,
    /// Bytes of a block without frames that were passed over, and how many are to come.
    passing: Option<(u64, u64)>,
}

/// What the block at the reading position is.
enum Step {
    /// A packet; `start` is counted from the beginning of the block.
    Frame(FrameEntry, usize),
    /// That many bytes without a frame, which need not be in memory.
    Skip(usize),
    Rest(Rest),
}

fn malformed(problem: impl Into<String>) -> Step {
    Step::Rest(Rest::Malformed(problem.into()))
}

impl PcapNg {
    /// Whether a file that starts with `head` (12 bytes) has this format.
    pub(super) fn recognises(head: &[u8]) -> bool {
        Endian::Big.u32(head, 0) == SECTION && section_endian(head).is_some()
    }

    pub(super) fn new(name: String, names: TapNames) -> Self {
        Self {
            endian: Endian::Little,
            interfaces: Vec::new(),
            name,
            names,
            taps: Vec::new(),
            drops: Vec::new(),
            passing: None,
        }
    }

    /// Bytes passed over of a block that does not end in memory.
    pub(super) fn inside(&self) -> u64 {
        self.passing.map_or(0, |(passed, _)| passed)
    }

    /// Finds the packets in `bytes`. Returns how many bytes the whole blocks take, and what comes
    /// behind them.
    pub(super) fn parse(&mut self, bytes: &[u8], block: &mut FrameBlock) -> (usize, Rest) {
        let mut at = 0;
        loop {
            let data = bytes.get(at..).unwrap_or_default();
            if let Some((passed, left)) = self.passing {
                let here = left.min(data.len() as u64);
                at += here as usize;
                self.passing = (here < left).then_some((passed + here, left - here));
                if self.passing.is_some() {
                    return (at, Rest::Need(1));
                }
                continue;
            }
            match self.step(data) {
                Step::Frame(frame, total) => {
                    block.push_entry(FrameEntry { start: frame.start + at as u32, ..frame });
                    at += total;
                }
                Step::Skip(total) => self.passing = Some((0, total as u64)),
                Step::Rest(rest) => return (at, rest),
            }
        }
    }

    fn step(&mut self, data: &[u8]) -> Step {
        if data.len() < FRAMING {
            return Step::Rest(Rest::Need(FRAMING));
        }
        let kind = self.endian.u32(data, block_field::TYPE);
        if kind == SECTION {
            // The length is in the byte order of the section's magic number.
            match section_endian(data) {
                Some(endian) => self.endian = endian,
                None => return malformed("a section has no byte order magic"),
            }
        }
        let claimed = self.endian.u32(data, block_field::TOTAL_LENGTH) as usize;
        if claimed < FRAMING {
            return malformed(format!(
                "a block of type {kind:#x} claims a length of {claimed} bytes"
            ));
        }
        let total = claimed.next_multiple_of(4);
        if !matches!(
            kind,
            SECTION | INTERFACE | PACKET | SIMPLE_PACKET | STATISTICS | ENHANCED_PACKET
        ) {
            return Step::Skip(total);
        }
        if total > MAX_BLOCK {
            return malformed(format!(
                "a block of type {kind:#x} claims a length of {claimed} bytes"
            ));
        }
        if data.len() < total {
            return Step::Rest(Rest::Need(total));
        }
        let again = self.endian.u32(data, total - block_field::TRAILER_LEN) as usize;
        if again != claimed {
            return malformed(format!(
                "a block's lengths differ: {claimed} before, {again} behind it"
            ));
        }
        let body =
            data.get(block_field::BODY..total - block_field::TRAILER_LEN).unwrap_or_default();
        match kind {
            SECTION => self.section(total),
            INTERFACE => self.interface(body, total),
            SIMPLE_PACKET => self.simple_packet(body, total),
            STATISTICS => self.statistics(body, total),
            _ => self.packet(kind, body, total),
        }
    }

    fn section(&mut self, total: usize) -> Step {
        self.drops = self.drops_by_tap();
        self.interfaces.clear();
        Step::Skip(total)
    }

    /// What was lost at each tap so far.
    pub(super) fn drops_by_tap(&self) -> Vec<(TapId, Drops)> {
        let mut all = self.drops.clone();
        for interface in &self.interfaces {
            let drops = interface.losses.drops();
            let Some(tap) = interface.tap.filter(|_| drops != Drops::default()) else { continue };
            match all.iter_mut().find(|(known, _)| *known == tap) {
                Some((_, sum)) => sum.add(drops),
                None => all.push((tap, drops)),
            }
        }
        all
    }

    /// Interface statistics block. An interface may have lost all of its packets, so that none has
    /// named its tap.
    fn statistics(&mut self, body: &[u8], total: usize) -> Step {
        let Self { endian, interfaces, .. } = self;
        let index = losses::on_statistics(*endian, body, |index| {
            interfaces.get_mut(index).map(|interface| &mut interface.losses)
        });
        if let Some(index) = index
            && let Some(interface) = self.interfaces.get(index)
            && interface.tap.is_none()
            && interface.losses.drops() != Drops::default()
        {
            self.name_tap(index);
        }
        Step::Skip(total)
    }

    fn interface(&mut self, body: &[u8], total: usize) -> Step {
        if self.interfaces.len() >= MAX_INTERFACES {
            return malformed(format!("a section has more than {MAX_INTERFACES} interfaces"));
        }
        match Interface::parse(self.endian, body) {
            Some(interface) => {
                self.interfaces.push(interface);
                Step::Skip(total)
            }
            None => malformed("an interface description is too short"),
        }
    }

    /// Enhanced packet block, and the obsolete packet block.
    fn packet(&mut self, kind: u32, body: &[u8], total: usize) -> Step {
        use packet_field as field;

        if body.len() < field::DATA {
            return malformed("a packet block is too short");
        }
        let word = |at: usize| self.endian.u32(body, at);
        let index = match kind {
            PACKET => u32::from(self.endian.u16(body, field::INTERFACE_ID)),
            _ => word(field::INTERFACE_ID),
        };
        let units =
            u64::from(word(field::TIMESTAMP_HIGH)) << 32 | u64::from(word(field::TIMESTAMP_LOW));
        let captured = word(field::CAPTURED_LENGTH);
        if captured as usize > body.len() - field::DATA {
            return malformed(format!(
                "a packet block of {total} bytes claims {captured} captured bytes"
            ));
        }
        let original = word(field::ORIGINAL_LENGTH);
        let end = field::DATA + (captured as usize).next_multiple_of(4);
        let lost = match kind {
            PACKET => match self.endian.u16(body, field::DROP_COUNT) {
                field::NO_DROP_COUNT => 0,
                lost => u64::from(lost),
            },
            _ => body.get(end..).map_or(0, |options| losses::before_packet(self.endian, options)),
        };
        let Some(interface) = self.interfaces.get_mut(index as usize) else {
            return malformed(format!(
                "a packet of interface {index}, which the section does not describe"
            ));
        };
        if lost > 0 {
            interface.losses.add_before_packet(lost);
        }
        let time = interface.time(units);
        let link_type = interface.link_type;
        let known = interface.tap.filter(|_| link_type != LinkType::LinuxSll2);
        let bytes = body.get(field::DATA..field::DATA + captured as usize).unwrap_or_default();
        let Some(tap) = known.or_else(|| self.find_tap(index as usize, bytes)) else {
            return Step::Skip(total);
        };
        let (wire_len, vlan) = (original.max(captured), PackedVlan::NONE);
        let start = (block_field::BODY + field::DATA) as u32;
        let entry = FrameEntry { time, start, len: captured, wire_len, tap, link_type, vlan };
        Step::Frame(entry, total)
    }

    /// A simple packet block has no time and belongs to the section's first interface.
    fn simple_packet(&mut self, body: &[u8], total: usize) -> Step {
        let Some(interface) = self.interfaces.first() else {
            return malformed("a simple packet in a section that describes no interface");
        };
        if body.len() < simple_packet_field::DATA {
            return malformed("a simple packet block is too short");
        }
        let original = self.endian.u32(body, simple_packet_field::ORIGINAL_LENGTH);
        let snap_len = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
        let captured = original.min(snap_len);
        if captured as usize > body.len() - simple_packet_field::DATA {
            return malformed(format!(
                "a simple packet block of {total} bytes claims {captured} bytes"
            ));
        }
        let link_type = interface.link_type;
        let bytes = body.get(simple_packet_field::DATA..).unwrap_or_default();
        let Some(tap) = self.find_tap(0, bytes) else {
            return Step::Skip(total);
        };
        let (time, vlan) = (Timestamp::ZERO, PackedVlan::NONE);
        let start = (block_field::BODY + simple_packet_field::DATA) as u32;
        let entry =
            FrameEntry { time, start, len: captured, wire_len: original, tap, link_type, vlan };
        Step::Frame(entry, total)
    }

    /// The tap of a frame with these bytes.
    fn find_tap(&mut self, index: usize, bytes: &[u8]) -> Option<TapId> {
        let alone = self.alone();
        let interface = self.interfaces.get_mut(index)?;
        if interface.link_type != LinkType::LinuxSll2 {
            return interface.tap.or_else(|| self.name_tap(index));
        }
        let Self { name, names, taps, .. } = self;
        let own = interface.own_name(index).filter(|_| !alone);
        let device = interface.device.get_or_insert_with(|| own.map_or(String::new(), tagged));
        Some(interface.cooked.tap(bytes, |number| {
            let full = format!("{device}{}", number.map_or(String::new(), tagged));
            name_once(taps, Some(full.clone()), || names(&format!("{name}{full}")))
        }))
    }

    /// Whether there is one interface in the file, as far as was read: it goes by the file's name
    /// alone.
    fn alone(&self) -> bool {
        self.interfaces.len() == 1 && self.taps.is_empty()
    }

    /// Names the tap of an interface at its first frame.
    #[cold]
    fn name_tap(&mut self, index: usize) -> Option<TapId> {
        let alone = self.alone();
        let interface = self.interfaces.get_mut(index)?;
        let own = interface.own_name(index);
        let Self { name, names, taps, .. } = self;
        let tap = name_once(taps, own.clone(), || {
            if alone {
                names(name)
            } else {
                names(&format!("{name}#{}", own.as_deref().unwrap_or("0")))
            }
        });
        interface.tap = Some(tap);
        Some(tap)
    }
}

fn tagged(name: impl Display) -> String {
    format!("#{name}")
}

/// The tap of an interface by its own name, which an earlier section may have had.
fn name_once(
    taps: &mut Vec<(Option<String>, TapId)>,
    own: Option<String>,
    name: impl FnOnce() -> TapId,
) -> TapId {
    if let Some((_, tap)) = taps.iter().find(|(known, _)| *known == own) {
        return *tap;
    }
    let tap = name();
    taps.push((own, tap));
    tap
}

fn section_endian(head: &[u8]) -> Option<Endian> {
    match head.get(8..12)? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Endian::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Endian::Little),
        _ => None,
    }
}
