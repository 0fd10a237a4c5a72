//! The program that the kernel runs over the frames of every interface (Linux socket filter
//! documentation, "BPF extensions").

use std::collections::HashMap;

use super::taps::TapState;
use crate::filter::{Filter, Instruction, op};

/// Ancillary data stands at negative offsets (`SKF_AD_OFF`).
const ANCILLARY: u32 = 0xffff_f000;
const PACKET_TYPE: u32 = ANCILLARY + 4;
const INTERFACE: u32 = ANCILLARY + 8;
const HARDWARE: u32 = ANCILLARY + 28;
const OUTGOING: u32 = libc::PACKET_OUTGOING as u32;

/// Rejected interfaces that the program names, the newest; more would slow every frame down, and
/// are rejected in the ring.
const MOST_REJECTED: usize = 256;

/// The user's filter, by what frames start with.
#[derive(Debug)]
pub(super) struct UserFilter {
    pub(super) ethernet: Filter,
    pub(super) raw_ip: Filter,
}

/// Lets nothing pass: for the time before the sockets have been joined to a group.
pub(super) const REJECT_ALL: [Instruction; 1] = [Instruction::new(op::RET_K, 0)];

/// Rejects frames of interfaces that are not tapped and loopback's outgoing copies; of the others
/// keeps `snap_len` bytes if the user's filter lets them pass.
pub(super) fn program(
    slots: &HashMap<u32, TapState>,
    user: Option<&UserFilter>,
    snap_len: u32,
) -> Vec<Instruction> {
    let mut program = vec![Instruction::new(op::LD_W_ABS, INTERFACE)];
    let mut rejected: Vec<u32> = slots
        .iter()
        .filter(|(_, slot)| **slot == TapState::Rejected)
        .map(|(index, _)| *index)
        .collect();
    rejected.sort_unstable_by(|a, b| b.cmp(a));
    for index in rejected.into_iter().take(MOST_REJECTED) {
        program.push(Instruction::jeq(index, 0, 1));
        program.push(Instruction::new(op::RET_K, 0));
    }
    for (index, slot) in slots {
        if matches!(slot, TapState::Tapped { loopback: true, .. }) {
            program.push(Instruction::jeq(*index, 0, 3));
            program.push(Instruction::new(op::LD_W_ABS, PACKET_TYPE));
            program.push(Instruction::jeq(OUTGOING, 0, 1));
            program.push(Instruction::new(op::RET_K, 0));
        }
    }
    let Some(user) = user else {
        program.push(Instruction::new(op::RET_K, snap_len));
        return program;
    };
    let raw_ip = keep(&user.raw_ip, snap_len);
    program.push(Instruction::new(op::LD_W_ABS, HARDWARE));
    program.push(Instruction::jeq(libc::ARPHRD_ETHER.into(), 1, 0));
    program.push(Instruction::jeq(libc::ARPHRD_LOOPBACK.into(), 0, 1));
    program.push(Instruction::new(op::JA, raw_ip.len() as u32));
    program.extend(raw_ip);
    program.extend(keep(&user.ethernet, snap_len));
    program
}

/// The filter's program with our snap length in place of the one it was compiled with.
fn keep(filter: &Filter, snap_len: u32) -> Vec<Instruction> {
    let keep = |i: &Instruction| match *i {
        Instruction { code: op::RET_K, k: 1.., .. } => Instruction::new(op::RET_K, snap_len),
        other => other,
    };
    filter.instructions().iter().map(keep).collect()
}
