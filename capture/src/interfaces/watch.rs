//! Lists interfaces and follows their changes by netlink.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::interface::Interface;
use super::message::{Message, get_links, messages};
use crate::Error;
use crate::sys::wait_readable;

/// How long the kernel may take for an answer, which it gives at once.
const ANSWER: Duration = Duration::from_secs(5);

/// More than the kernel puts into one datagram (32 KiB).
const DATAGRAM: usize = 64 << 10;

/// Something that happened to an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Appeared(Interface),
    /// It is known, and something about it is different now: its name, whether it is up, its
    /// bridge…
    Changed(Interface),
    /// It was removed, or moved to another network namespace.
    Gone(Interface),
}

/// The interfaces of the network namespace that the calling thread is in.
///
/// # Errors
/// [`Error::Socket`] when the kernel refuses.
pub fn list() -> Result<Vec<Interface>, Error> {
    let mut known: Vec<_> = dump().map_err(refused)?.into_values().collect();
    known.sort_by_key(|interface| interface.index);
    Ok(known)
}

/// The interface with that index, none if there is none (any more).
pub(crate) fn find(index: u32) -> Result<Option<Interface>, Error> {
    find_link(index).map_err(refused)
}

/// Tells about interfaces as they come, change and go (rtnetlink(7), `RTNLGRP_LINK`).
///
/// It never blocks: wait for the file descriptor to become readable, then ask for
/// [`changes`](Self::changes).
pub struct Watch {
    socket: Socket,
    known: BTreeMap<u32, Interface>,
}

impl Watch {
    /// Begins to watch the network namespace that the calling thread is in, and lists it.
    ///
    /// # Errors
    /// [`Error::Socket`] when the kernel refuses.
    pub fn open() -> Result<Self, Error> {
        // The subscription comes first: what changes during the listing is reported twice, not
        // never.
        let socket = subscribe().map_err(refused)?;
        let known = dump().map_err(refused)?;
        Ok(Self { socket, known })
    }

    /// What is known, by index.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.known.values()
    }

    /// What happened since the last call, in order. When the kernel had to drop notices, the
    /// differences to a new listing.
    ///
    /// # Errors
    /// [`Error::Socket`] when the kernel refuses.
    pub fn changes(&mut self) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        // The kernel reports lost notices before those that are still queued, which are older than
        // a new listing.
        let mut overrun = false;
        loop {
            match receive(&self.socket) {
                Ok(_) if overrun => {}
                Ok(datagram) => {
                    for message in messages(&datagram) {
                        match message {
                            Message::Link(interface) => self.note(interface, &mut changes),
                            Message::Gone(index) => {
                                changes.extend(self.known.remove(&index).map(Change::Gone))
                            }
                            Message::Done | Message::Error(_) | Message::Other => {}
                        }
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && overrun => {
                    self.list_again(&mut changes)?;
                    overrun = false;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(changes),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => overrun = true,
                Err(e) => return Err(refused(e)),
            }
        }
    }

    /// Waits until something happened, at most `wait`.
    ///
    /// # Errors
    /// [`Error::Socket`] when the kernel refuses.
    pub fn wait(&self, wait: Duration) -> Result<bool, Error> {
        wait_readable(self.as_fd(), wait).map_err(refused)
    }

    fn note(&mut self, interface: Interface, changes: &mut Vec<Change>) {
        match self.known.insert(interface.index, interface.clone()) {
            None => changes.push(Change::Appeared(interface)),
            Some(before) if before != interface => changes.push(Change::Changed(interface)),
            Some(_) => {}
        }
    }

    fn list_again(&mut self, changes: &mut Vec<Change>) -> Result<(), Error> {
        let now = dump().map_err(refused)?;
        let gone: Vec<u32> =
            self.known.keys().filter(|index| !now.contains_key(index)).copied().collect();
        for index in gone {
            changes.extend(self.known.remove(&index).map(Change::Gone));
        }
        for interface in now.into_values() {
            self.note(interface, changes);
        }
        Ok(())
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn refused(source: io::Error) -> Error {
    Error::Socket { what: "listing the network interfaces (rtnetlink)", source }
}

fn subscribe() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind(&SocketAddr::new(0, 1 << (libc::RTNLGRP_LINK - 1)))?;
    socket.set_non_blocking(true)?;
    Ok(socket)
}

fn receive(socket: &Socket) -> io::Result<Vec<u8>> {
    let mut datagram = Vec::with_capacity(DATAGRAM);
    socket.recv(&mut datagram, 0)?;
    Ok(datagram)
}

fn dump() -> io::Result<BTreeMap<u32, Interface>> {
    let mut known = BTreeMap::new();
    ask(None, &mut |message| {
        if let Message::Link(interface) = message {
            known.insert(interface.index, interface);
        }
    })?;
    Ok(known)
}

fn find_link(index: u32) -> io::Result<Option<Interface>> {
    let mut found = None;
    let asked = ask(Some(index), &mut |message| {
        if let Message::Link(interface) = message {
            found = Some(interface);
        }
    });
    match asked {
        Err(e) if e.raw_os_error() == Some(libc::ENODEV) => Ok(None),
        other => other.map(|()| found),
    }
}

/// Asks for one link or all, and hands over the answers up to their end.
fn ask(index: Option<u32>, answers: &mut dyn FnMut(Message)) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    socket.send_to(&get_links(index), &SocketAddr::new(0, 0), 0)?;
    loop {
        if !wait_readable(socket.as_fd(), ANSWER)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let datagram = receive(&socket)?;
        for message in messages(&datagram) {
            match message {
                Message::Done | Message::Error(0) => return Ok(()),
                Message::Error(code) => return Err(io::Error::from_raw_os_error(code)),
                link @ Message::Link(_) => {
                    answers(link);
                    if index.is_some() {
                        return Ok(());
                    }
                }
                Message::Gone(_) | Message::Other => {}
            }
        }
    }
}
