//! Finding out which protocol a session speaks.

use wire::{Direction, PerDirection};

use super::registry;
use crate::contract::{Clue, Probe};
use crate::input::Context;

/// Whether it is certain what the server speaks, as a hint for its next sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Proof {
    /// No exchange was complete so far.
    #[default]
    None,
    /// One was, and nobody took the proof.
    New,
    /// It was taken.
    Taken,
}

/// A protocol that recognises the bytes that it was shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recognised {
    /// Index in the registry.
    pub(super) index: usize,
    /// It is recognised only because it is usual here.
    pub(super) weakly: bool,
    /// The flow's client answers in this protocol.
    pub(super) swapped: bool,
}

/// Of which protocol bytes are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inferred {
    /// They are of this protocol.
    Yes(Recognised),
    /// They are too few to tell.
    More,
    /// No protocol recognises them.
    No,
}

/// What was tried to find out the protocol.
#[derive(Debug, Default)]
pub(super) struct Inference {
    /// Index in the registry of what each end spoke before as the server: the end to which the
    /// direction leads.
    pub(super) hints: PerDirection<Option<u8>>,
    /// Bit n: protocol n of the registry was guessed, and wrongly.
    pub(super) excluded: u64,
    /// Parse errors.
    pub(super) failures: u32,
    /// Bytes that no protocol recognised.
    pub(super) unrecognised_bytes: u64,
    /// The connection was seen from its beginning, and no protocol recognised that: what is usual
    /// here is no hint.
    pub(super) unusual_start: bool,
    /// Bytes of the beginning are missing, or another protocol was there.
    pub(super) start_lost: bool,
    /// Stream offset at which each direction begins: behind a preamble.
    pub(super) begins_at: PerDirection<u64>,
    /// This direction waited until the protocol was recognised by the other one: it may begin in
    /// the middle of a message.
    pub(super) joined_late: Option<Direction>,
    /// The parser changed: bytes that wait have to be read again.
    pub(super) reread: bool,
    pub(super) proof: Proof,
}

impl Inference {
    /// Which protocol recognises the first bytes of a direction. Those that the servers spoke
    /// before are asked first, then those of the usual ports, then all others: first with the
    /// flow's idea of who is the client, then, unless the handshake told that, the other way round.
    /// `offset` is where the bytes stand; `asked`: the flow's client sent something before.
    pub(super) fn probe(
        &self,
        cx: &Context,
        literals: bool,
        direction: Direction,
        (offset, bytes): (u64, &[u8]),
        asked: bool,
    ) -> Inferred {
        if bytes.is_empty() {
            return Inferred::More;
        }
        for swapped in [false, true] {
            if swapped && cx.roles_known {
                break;
            }
            let side = if swapped { direction.reverse() } else { direction };
            let to_server = if swapped { Direction::ToClient } else { Direction::ToServer };
            let mut clue = clue(cx, literals, swapped);
            clue.at_start = self.sees_start(cx) && offset == self.begins_at[direction];
            let hinted = self.hints[to_server].map_or(0, |index| 1 << index);
            let possible = registry::of_transport(cx.transport) & !self.excluded;
            let usual = registry::of_port(clue.server_port) & !hinted;
            let unasked = clue.at_start && side == Direction::ToClient && !asked;
            let mut undecided = false;
            for (rank, usual) in [(hinted, true), (usual, true), (!(hinted | usual), false)] {
                clue.usual = usual && !self.unusual_start;
                for (index, entry) in registry::entries(rank & possible) {
                    match (entry.probe)(bytes, side, &clue) {
                        Probe::Yes if unasked && !entry.greets => undecided = true,
                        Probe::Yes => {
                            let unusual = Clue { usual: false, ..clue };
                            let weakly =
                                clue.usual && (entry.probe)(bytes, side, &unusual) != Probe::Yes;
                            return Inferred::Yes(Recognised { index, weakly, swapped });
                        }
                        Probe::More => undecided = true,
                        Probe::No => {}
                    }
                }
            }
            if undecided {
                return Inferred::More;
            }
        }
        Inferred::No
    }

    /// Whether the beginning of the connection was seen, and nothing of it is missing.
    pub(super) fn sees_start(&self, cx: &Context) -> bool {
        cx.roles_known && !self.start_lost
    }
}

/// What the probes of protocols may know of a session. `swapped`: the flow's client answers.
pub(super) fn clue(cx: &Context, literals: bool, swapped: bool) -> Clue {
    let (client, server) = if swapped { (cx.server, cx.client) } else { (cx.client, cx.server) };
    Clue {
        transport: cx.transport,
        client_port: client.port,
        server_port: server.port,
        usual: true,
        at_start: false,
        literals,
    }
}
