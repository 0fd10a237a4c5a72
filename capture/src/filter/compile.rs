//! Compiles filter expressions with libpcap.

use pcap::{Capture, Linktype};
use wire::LinkType;

use super::program::{Instruction, Program, op};
use crate::Error;

/// A tcpdump expression (pcap-filter(7)), compiled by libpcap for frames of one link type.
#[derive(Clone, Debug)]
pub struct Filter {
    program: Program,
}

impl Filter {
    /// Compiles `expression`; the empty one matches everything.
    ///
    /// # Errors
    /// [`Error::Filter`] with libpcap's words, also for a link type that libpcap does not know.
    pub fn compile(expression: &str, link_type: LinkType) -> Result<Self, Error> {
        let fail = |problem: String| Error::Filter { expression: expression.to_owned(), problem };
        if expression.contains('\0') {
            return Err(fail("holds a NUL character".into()));
        }
        let compiled = Capture::dead(Linktype(data_link(link_type)))
            .and_then(|handle| handle.compile(expression, true))
            .map_err(|e| match e {
                pcap::Error::PcapError(words) => fail(words),
                other => fail(other.to_string()),
            })?;
        // The instructions' fields are public through their `Display` only: `code jt jf k`.
        let instructions: Option<Vec<_>> =
            compiled.get_instructions().iter().map(|i| instruction(&i.to_string())).collect();
        let instructions =
            instructions.ok_or_else(|| fail("libpcap's program cannot be read".into()))?;
        Ok(Self { program: Program::new(instructions) })
    }

    /// Whether the filter lets a frame pass: its captured bytes, and its length on the wire, which
    /// `len`, `less` and `greater` speak of.
    pub fn matches(&self, bytes: &[u8], wire_len: u32) -> bool {
        self.program.run(bytes, wire_len) != 0
    }

    /// A filter that matches no frame.
    pub(crate) fn nothing() -> Self {
        Self { program: Program::new(vec![Instruction::new(op::RET_K, 0)]) }
    }

    /// Whether it looks for VLAN tags. Where the kernel took a frame's tag out, it must be put back
    /// for such a filter.
    pub(crate) fn looks_for_vlans(&self) -> bool {
        self.program
            .instructions()
            .iter()
            .any(|i| i.code == op::JEQ_K && matches!(i.k, 0x8100 | 0x88a8 | 0x9100))
    }

    pub(crate) fn instructions(&self) -> &[Instruction] {
        self.program.instructions()
    }
}

/// libpcap's number for it here, which is that of files but for these two.
fn data_link(link_type: LinkType) -> i32 {
    const DLT_ATM_RFC1483: i32 = 11;
    const DLT_RAW: i32 = 12;
    match link_type {
        LinkType::Llc => DLT_ATM_RFC1483,
        LinkType::RawIp => DLT_RAW,
        other => i32::from(other.number()),
    }
}

fn instruction(shown: &str) -> Option<Instruction> {
    let mut fields = shown.split(' ');
    let instruction = Instruction {
        code: fields.next()?.parse().ok()?,
        jt: fields.next()?.parse().ok()?,
        jf: fields.next()?.parse().ok()?,
        k: fields.next()?.parse().ok()?,
    };
    fields.next().is_none().then_some(instruction)
}
