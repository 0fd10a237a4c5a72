//! Sessions and links of a connection, by the numbers that both sides use.

use wire::{Direction, PerDirection};

/// A session by the channels that each side gave it.
#[derive(Debug)]
struct Session {
    id: u16,
    channels: PerDirection<Option<u16>>,
}

/// A link by the handles that each side gave it.
#[derive(Debug)]
pub(super) struct Link {
    session: u16,
    handles: PerDirection<Option<u32>>,
    /// Fingerprint of its name.
    pub(super) name: u32,
    /// Address of the node that messages go to or come from.
    pub(super) address: Vec<u8>,
}

/// Sessions and links of a connection; of too many, the oldest are removed.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    sessions: Vec<Session>,
    links: Vec<Link>,
    ids: u16,
}

const SESSIONS: usize = 128;
const LINKS: usize = 256;

impl Sessions {
    /// The session that has the number `channel` on a side. Of one whose beginning was not seen,
    /// both sides' channels are taken to be the same.
    pub(super) fn of(&mut self, direction: Direction, channel: u16) -> u16 {
        let known = self.sessions.iter().find(|s| s.channels[direction] == Some(channel));
        if let Some(session) = known {
            return session.id;
        }
        self.add(PerDirection { to_server: Some(channel), to_client: Some(channel) })
    }

    /// A side begins a session.
    pub(super) fn begin(&mut self, direction: Direction, channel: u16) -> u16 {
        self.end(direction, channel);
        let mut channels = PerDirection::default();
        channels[direction] = Some(channel);
        self.add(channels)
    }

    /// A side takes part in a session that the other began.
    pub(super) fn join(&mut self, direction: Direction, channel: u16, remote: u16) -> u16 {
        let other = direction.reverse();
        let known = self.sessions.iter().rposition(|s| s.channels[other] == Some(remote));
        match known {
            Some(index) => {
                self.sessions[index].channels[direction] = Some(channel);
                self.sessions[index].id
            }
            None => {
                let mut channels = PerDirection::default();
                (channels[direction], channels[other]) = (Some(channel), Some(remote));
                self.add(channels)
            }
        }
    }

    fn add(&mut self, channels: PerDirection<Option<u16>>) -> u16 {
        if self.sessions.len() >= SESSIONS {
            self.sessions.remove(0);
        }
        self.ids = self.ids.wrapping_add(1) & 0xfff;
        self.sessions.push(Session { id: self.ids, channels });
        self.ids
    }

    /// A side ends its channel.
    pub(super) fn end(&mut self, direction: Direction, channel: u16) {
        for session in &mut self.sessions {
            if session.channels[direction] == Some(channel) {
                session.channels[direction] = None;
            }
        }
        self.sessions.retain(|s| Direction::BOTH.iter().any(|&d| s.channels[d].is_some()));
    }

    /// A side attaches to a link.
    pub(super) fn attach(
        &mut self,
        direction: Direction,
        session: u16,
        handle: u32,
        name: u32,
        address: &[u8],
    ) {
        let other = self
            .links
            .iter()
            .position(|l| l.session == session && l.name == name && l.handles[direction].is_none());
        match other {
            Some(index) => {
                let link = &mut self.links[index];
                link.handles[direction] = Some(handle);
                if link.address.is_empty() {
                    link.address.extend_from_slice(address);
                }
            }
            None => {
                if self.links.len() >= LINKS {
                    self.links.remove(0);
                }
                let mut handles = PerDirection::default();
                handles[direction] = Some(handle);
                self.links.push(Link { session, handles, name, address: address.to_vec() });
            }
        }
    }

    pub(super) fn link(&self, direction: Direction, session: u16, handle: u32) -> Option<&Link> {
        self.links
            .iter()
            .rev()
            .find(|l| l.session == session && l.handles[direction] == Some(handle))
    }

    /// A side detaches; the name of the link.
    pub(super) fn detach(
        &mut self,
        direction: Direction,
        session: u16,
        handle: u32,
    ) -> Option<u32> {
        let index = self
            .links
            .iter()
            .rposition(|l| l.session == session && l.handles[direction] == Some(handle))?;
        let link = &mut self.links[index];
        link.handles[direction] = None;
        let name = link.name;
        if Direction::BOTH.iter().all(|&d| link.handles[d].is_none()) {
            self.links.remove(index);
        }
        Some(name)
    }

    /// Bytes allocated on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.sessions.capacity() * size_of::<Session>()
            + self.links.capacity() * size_of::<Link>()
            + self.links.iter().map(|l| l.address.capacity()).sum::<usize>()
    }
}
