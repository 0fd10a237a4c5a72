//! Runs compiled filters: an interpreter of classic BPF.

/// Opcodes of classic BPF that libpcap emits (linux/filter.h, linux/bpf_common.h).
pub(crate) mod op {
    pub(crate) const LD_W_ABS: u16 = 0x20;
    pub(crate) const LD_H_ABS: u16 = 0x28;
    pub(crate) const LD_B_ABS: u16 = 0x30;
    pub(crate) const LD_W_IND: u16 = 0x40;
    pub(crate) const LD_H_IND: u16 = 0x48;
    pub(crate) const LD_B_IND: u16 = 0x50;
    pub(crate) const LD_IMM: u16 = 0x00;
    pub(crate) const LD_MEM: u16 = 0x60;
    pub(crate) const LD_LEN: u16 = 0x80;
    pub(crate) const LDX_IMM: u16 = 0x01;
    pub(crate) const LDX_MEM: u16 = 0x61;
    pub(crate) const LDX_LEN: u16 = 0x81;
    pub(crate) const LDX_MSH: u16 = 0xb1;
    pub(crate) const ST: u16 = 0x02;
    pub(crate) const STX: u16 = 0x03;
    pub(crate) const JA: u16 = 0x05;
    pub(crate) const JEQ_K: u16 = 0x15;
    pub(crate) const RET_K: u16 = 0x06;
    pub(crate) const RET_A: u16 = 0x16;
    pub(crate) const TAX: u16 = 0x07;
    pub(crate) const TXA: u16 = 0x87;
}

/// Cells of scratch memory (`BPF_MEMWORDS`).
const MEMORY: usize = 16;

/// One instruction of classic BPF, as `struct sock_filter` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

impl Instruction {
    pub(crate) const fn new(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }

    /// `jeq #k`, with the instructions to pass over in either case.
    pub(crate) const fn jeq(k: u32, jt: u8, jf: u8) -> Self {
        Self { code: op::JEQ_K, jt, jf, k }
    }
}

/// A classic BPF program. Every jump goes forward, so that it ends.
#[derive(Clone, Debug)]
pub(crate) struct Program(Vec<Instruction>);

impl Program {
    pub(crate) const fn new(instructions: Vec<Instruction>) -> Self {
        Self(instructions)
    }

    pub(crate) fn instructions(&self) -> &[Instruction] {
        &self.0
    }

    /// How many bytes of the frame to keep, 0 to reject it. A load beyond the captured bytes
    /// rejects, as in the kernel, and so does anything that is no valid program.
    pub(crate) fn run(&self, frame: &[u8], wire_len: u32) -> u32 {
        self.execute(frame, wire_len).unwrap_or(0)
    }

    fn execute(&self, frame: &[u8], wire_len: u32) -> Option<u32> {
        let (mut a, mut x) = (0u32, 0u32);
        let mut memory = [0u32; MEMORY];
        let mut at = 0usize;
        loop {
            let Instruction { code, jt, jf, k } = *self.0.get(at)?;
            at += 1;
            match code {
                op::LD_W_ABS => a = word(frame, k)?,
                op::LD_H_ABS => a = half(frame, k)?,
                op::LD_B_ABS => a = byte(frame, k)?,
                op::LD_W_IND => a = word(frame, x.checked_add(k)?)?,
                op::LD_H_IND => a = half(frame, x.checked_add(k)?)?,
                op::LD_B_IND => a = byte(frame, x.checked_add(k)?)?,
                op::LD_IMM => a = k,
                op::LD_LEN => a = wire_len,
                op::LD_MEM => a = *memory.get(k as usize)?,
                op::LDX_IMM => x = k,
                op::LDX_LEN => x = wire_len,
                op::LDX_MEM => x = *memory.get(k as usize)?,
                op::LDX_MSH => x = (byte(frame, k)? & 0x0f) << 2,
                op::ST => *memory.get_mut(k as usize)? = a,
                op::STX => *memory.get_mut(k as usize)? = x,
                op::TAX => x = a,
                op::TXA => a = x,
                op::RET_K => return Some(k),
                op::RET_A => return Some(a),
                op::JA => at = at.checked_add(k as usize)?,
                _ => {
                    let operand = if code & 0x08 == 0 { k } else { x };
                    match code & 0x07 {
                        0x04 => a = alu(code & 0xf0, a, operand)?,
                        0x05 => {
                            at += usize::from(if test(code & 0xf0, a, operand)? { jt } else { jf })
                        }
                        _ => return None,
                    }
                }
            }
        }
    }
}

fn word(frame: &[u8], at: u32) -> Option<u32> {
    Some(u32::from_be_bytes(*frame.get(at as usize..)?.first_chunk()?))
}

fn half(frame: &[u8], at: u32) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(*frame.get(at as usize..)?.first_chunk()?)))
}

fn byte(frame: &[u8], at: u32) -> Option<u32> {
    Some(u32::from(*frame.get(at as usize)?))
}

fn alu(operation: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match operation {
        0x00 => a.wrapping_add(operand),
        0x10 => a.wrapping_sub(operand),
        0x20 => a.wrapping_mul(operand),
        0x30 => a.checked_div(operand)?,
        0x40 => a | operand,
        0x50 => a & operand,
        0x60 => a.checked_shl(operand).unwrap_or(0),
        0x70 => a.checked_shr(operand).unwrap_or(0),
        0x80 => a.wrapping_neg(),
        0x90 => a.checked_rem(operand)?,
        0xa0 => a ^ operand,
        _ => return None,
    })
}

fn test(operation: u16, a: u32, operand: u32) -> Option<bool> {
    Some(match operation {
        0x10 => a == operand,
        0x20 => a > operand,
        0x30 => a >= operand,
        0x40 => a & operand != 0,
        _ => return None,
    })
}
