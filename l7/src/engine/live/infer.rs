use wire::{Direction, PerDirection};

use super::Live;
use crate::contract::{Clue, Probe, Reason};
use crate::engine::registry::{self, REGISTRY};
use crate::input::Context;
use fact::{Protocol, Unanswered};

impl Live {
    pub(super) fn infer(&mut self, cx: &Context, direction: Direction, bytes: &[u8]) -> Probe {
        if bytes.is_empty() {
            return Probe::More;
        }
        for flipped in [false, true] {
            let side = if flipped { direction.reverse() } else { direction };
            let to_server = if flipped { Direction::ToClient } else { Direction::ToServer };
            let mut clue = self.clue(cx, flipped);
            let hinted = self.hints[to_server].map_or(0, |index| 1 << index);
            let possible = registry::on(cx.transport) & !self.excluded;
            let usual = registry::usual(clue.server_port) & !hinted;
            let mut answer = Probe::No;
            for (rank, usual) in [(hinted, true), (usual, true), (!(hinted | usual), false)] {
                clue.usual = usual;
                for (index, entry) in registry::among(rank & possible) {
                    match (entry.probe)(bytes, side, &clue) {
                        Probe::Yes => {
                            self.choose(index, &clue, flipped);
                            return Probe::Yes;
                        }
                        Probe::More => answer = Probe::More,
                        Probe::No => {}
                    }
                }
            }
            if answer == Probe::More {
                return answer;
            }
        }
        Probe::No
    }

    fn clue(&self, cx: &Context, flipped: bool) -> Clue {
        let (client, server) = if flipped { (cx.server, cx.client) } else { (cx.client, cx.server) };
        Clue {
            transport: cx.transport,
            client_port: client.port,
            server_port: server.port,
            usual: true,
            literals: self.limits.literals,
        }
    }

    fn choose(&mut self, index: usize, clue: &Clue, flipped: bool) {
        let entry = &REGISTRY[index];
        self.parser = Some((entry.parser)(clue));
        self.protocol = Some(entry.name);
        self.chosen = index;
        self.untold = None;
        self.flipped = flipped;
        self.either_asks = entry.either_asks;
        self.messages.protocol = entry.name;
        self.messages.order = entry.order;
        self.look_again = true;
        self.news.guesses += 1;
    }

    /// The conversation goes on in another protocol of the registry, with the same roles.
    fn go_on_as(&mut self, cx: &Context, protocol: Protocol) {
        let Some(index) = REGISTRY.iter().position(|entry| entry.name == protocol) else {
            return self.close_eyes();
        };
        let clue = self.clue(cx, self.flipped);
        self.choose(index, &clue, self.flipped);
    }

    pub(super) fn not_recognised(&mut self, bytes: usize) {
        self.undecided += bytes as u64;
        if self.undecided > u64::from(self.limits.undecided_bytes) {
            self.give_in();
        }
    }

    pub(super) fn give_up(&mut self, cx: &Context, direction: Direction, reason: Reason, len: u64) {
        match reason {
            Reason::Opaque => {
                self.sealed = true;
                self.close_eyes();
            }
            Reason::Became(protocol) => self.go_on_as(cx, protocol),
            Reason::Switched => {
                self.messages.finish(Unanswered::Unreadable);
                self.parser = None;
                self.excluded = 0;
                self.look_again = true;
            }
            Reason::Malformed => {
                self.failures += 1;
                if self.failures > self.limits.failures {
                    self.give_in();
                } else if self.messages.counts.requests + self.messages.counts.responses == 0
                    && self.untold != Some(direction)
                {
                    self.excluded |= 1 << self.chosen;
                    self.parser = None;
                    self.protocol = None;
                    self.look_again = true;
                    self.news.revisions += 1;
                } else {
                    self.resynchronise(cx, direction, len);
                }
            }
        }
    }

    /// What is spoken will not be found out any more.
    pub(super) fn give_in(&mut self) {
        self.news.gave_up += 1;
        self.close_eyes();
    }

    /// Nothing is looked at any more.
    fn close_eyes(&mut self) {
        self.opaque = true;
        self.messages.finish(Unanswered::Unreadable);
        self.parser = None;
        self.streams = PerDirection::default();
    }
}
