//! The handshakes of SOCKS 4, 4a and 5 (RFC 1928, RFC 1929). Names and passwords are passed over.
//!
//! A client's first bytes could be of other protocols as well. They are only believed when the
//! server's first bytes answer them.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::Direction;

use super::step::{PreambleStep, key};
use fact::Attributes;

const VERSION_4: u8 = 4;
const VERSION_5: u8 = 5;
/// The command that connects to a server.
const CONNECT: u8 = 1;
/// Version of the log-in with a name and a password.
const LOGIN_VERSION: u8 = 1;
/// Method without a log-in.
const NO_LOGIN: u8 = 0;
/// Method with a name and a password.
const NAME_AND_PASSWORD: u8 = 2;
/// Longest user id or host name of SOCKS 4.
const LONGEST_TEXT: usize = 255;
/// Longest request of SOCKS 4a.
const LONGEST_REQUEST_4: usize = 8 + 2 * (LONGEST_TEXT + 1);
/// Length of the answer of SOCKS 4.
const ANSWER_4: usize = 8;

/// What comes next of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SocksState {
    /// The server answers the request of SOCKS 4 of so many bytes.
    Answer4(usize),
    /// The server chooses one of the methods that the client offered in so many bytes.
    Method(usize),
    /// The client passes the server's choice: it is at its greeting yet.
    Chosen { greeting: usize, method: u8 },
    /// The client logs in.
    Login,
    /// The server answers the log-in.
    LoginAnswer,
    /// The client names the server that it wants.
    Request,
    /// The server answers the request.
    Answer,
    /// The connection is made, and the client is at its request of so many bytes yet.
    Made(usize),
    /// The handshake is over, or failed.
    Over,
}

/// A handshake of SOCKS.
#[derive(Debug)]
pub(super) struct Socks {
    state: SocksState,
}

/// Something of a variable length at the beginning of bytes.
pub(super) enum Part<T> {
    /// It takes so many bytes.
    Whole(T, usize),
    /// It is not whole.
    Short,
    /// It is something else.
    No,
}

/// A server that a client asks for.
enum Target<'a> {
    Address(IpAddr),
    Name(&'a [u8]),
}

impl Socks {
    /// A handshake that these first bytes of the client may begin.
    pub(super) fn begin(bytes: &[u8]) -> Part<Self> {
        let length = bytes.len();
        let state = match *bytes {
            [VERSION_5, methods @ 1..=255, ref rest @ ..] => {
                match rest.len().cmp(&usize::from(methods)) {
                    Ordering::Less => return Part::Short,
                    Ordering::Equal => SocksState::Method(length),
                    Ordering::Greater => return Part::No,
                }
            }
            [VERSION_4, CONNECT, ..] => match request_4(bytes) {
                Part::Whole(_, whole) if whole == length => SocksState::Answer4(length),
                Part::Short if length < LONGEST_REQUEST_4 => return Part::Short,
                _ => return Part::No,
            },
            [VERSION_4 | VERSION_5] => return Part::Short,
            _ => return Part::No,
        };
        Part::Whole(Self { state }, length)
    }

    /// Whether nothing more of it comes.
    pub(super) fn is_over(&self) -> bool {
        self.state == SocksState::Over
    }

    pub(super) fn read(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        told: &mut Attributes,
    ) -> PreambleStep {
        match direction {
            Direction::ToServer => self.read_client(bytes, told),
            Direction::ToClient => self.read_server(bytes),
        }
    }

    fn read_client(&mut self, bytes: &[u8], told: &mut Attributes) -> PreambleStep {
        match self.state {
            // More than the first bytes: nobody sends these before the answer.
            SocksState::Method(seen) | SocksState::Answer4(seen) if bytes.len() > seen => {
                self.fail()
            }
            SocksState::Method(_)
            | SocksState::Answer4(_)
            | SocksState::LoginAnswer
            | SocksState::Answer => PreambleStep::Wait,
            SocksState::Chosen { greeting, method } => {
                self.state = match method {
                    NO_LOGIN => SocksState::Request,
                    NAME_AND_PASSWORD => SocksState::Login,
                    _ => SocksState::Over,
                };
                PreambleStep::Consumed(greeting)
            }
            SocksState::Login => match login(bytes) {
                Part::Whole((), length) => {
                    self.state = SocksState::LoginAnswer;
                    PreambleStep::Consumed(length)
                }
                Part::Short => PreambleStep::Wait,
                Part::No => self.fail(),
            },
            SocksState::Request => match request_5(bytes) {
                Part::Whole((target, port), length) => {
                    push("socks5", &target, port, told);
                    self.state = SocksState::Answer;
                    PreambleStep::Consumed(length)
                }
                Part::Short => PreambleStep::Wait,
                Part::No => self.fail(),
            },
            SocksState::Made(length) => {
                if let Part::Whole((target, port), _) = request_4(bytes) {
                    push("socks4", &target, port, told);
                }
                self.state = SocksState::Over;
                PreambleStep::Consumed(length)
            }
            SocksState::Over => PreambleStep::None,
        }
    }

    fn read_server(&mut self, bytes: &[u8]) -> PreambleStep {
        match self.state {
            SocksState::Answer4(request) => match *bytes {
                [0, 0x5a, ..] if bytes.len() >= ANSWER_4 => {
                    self.state = SocksState::Made(request);
                    PreambleStep::Release(ANSWER_4)
                }
                [0] | [0, 0x5a, ..] => PreambleStep::Wait,
                _ => self.fail(),
            },
            SocksState::Method(greeting) => match *bytes {
                [VERSION_5, method, ..] => {
                    self.state = SocksState::Chosen { greeting, method };
                    PreambleStep::Release(2)
                }
                [VERSION_5] => PreambleStep::Wait,
                _ => self.fail(),
            },
            SocksState::LoginAnswer => match *bytes {
                [LOGIN_VERSION, 0, ..] => {
                    self.state = SocksState::Request;
                    PreambleStep::Release(2)
                }
                [LOGIN_VERSION] => PreambleStep::Wait,
                _ => self.fail(),
            },
            SocksState::Answer => match addressed(bytes) {
                Part::Whole(_, length) if bytes.get(1) == Some(&0) => {
                    self.state = SocksState::Over;
                    PreambleStep::Release(length)
                }
                Part::Short => PreambleStep::Wait,
                Part::Whole(..) | Part::No => self.fail(),
            },
            SocksState::Chosen { .. }
            | SocksState::Login
            | SocksState::Request
            | SocksState::Made(_) => PreambleStep::Wait,
            SocksState::Over => PreambleStep::None,
        }
    }

    /// This is no handshake, or one that failed.
    fn fail(&mut self) -> PreambleStep {
        self.state = SocksState::Over;
        PreambleStep::Release(0)
    }
}

fn push(kind: &str, target: &Target<'_>, port: u16, told: &mut Attributes) {
    told.push_text(key::KIND, kind);
    match target {
        Target::Address(address) => told.push_text(key::SERVER_ADDRESS, &address.to_string()),
        Target::Name(name) => told.push_bytes(key::SERVER_ADDRESS, name),
    }
    told.push_int(key::SERVER_PORT, i64::from(port));
}

/// A request of SOCKS 4: port, address, user id; of 4a: an address 0.0.0.x and a host name behind.
fn request_4(bytes: &[u8]) -> Part<(Target<'_>, u16)> {
    let Some(&[version, command, high, low, a, b, c, d]) = bytes.first_chunk() else {
        return Part::Short;
    };
    if version != VERSION_4 || command != CONNECT {
        return Part::No;
    }
    let port = u16::from_be_bytes([high, low]);
    let text = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        memchr::memchr(0, &rest[..rest.len().min(LONGEST_TEXT)])
            .map(|end| (&rest[..end], at + end + 1))
    };
    let Some((_, behind)) = text(8) else { return Part::Short };
    if [a, b, c] != [0; 3] || d == 0 {
        return Part::Whole((Target::Address(IpAddr::V4(Ipv4Addr::new(a, b, c, d))), port), behind);
    }
    match text(behind) {
        Some((name, behind)) => Part::Whole((Target::Name(name), port), behind),
        None => Part::Short,
    }
}

/// The request of SOCKS 5: to connect to a server.
fn request_5(bytes: &[u8]) -> Part<(Target<'_>, u16)> {
    match bytes.get(1) {
        Some(&CONNECT) | None => addressed(bytes),
        Some(_) => Part::No,
    }
}

/// A message of SOCKS 5 with an address: version, command or result, 0, type of the address,
/// address, port.
fn addressed(bytes: &[u8]) -> Part<(Target<'_>, u16)> {
    let (target, end) = match *bytes {
        [VERSION_5, _, 0, 1, a, b, c, d, ..] => {
            (Target::Address(IpAddr::V4(Ipv4Addr::new(a, b, c, d))), 8)
        }
        [VERSION_5, _, 0, 4, ref rest @ ..] => match rest.first_chunk::<16>() {
            Some(address) => (Target::Address(IpAddr::V6(Ipv6Addr::from(*address))), 20),
            None => return Part::Short,
        },
        [VERSION_5, _, 0, 3, length, ref rest @ ..] => match rest.get(..usize::from(length)) {
            Some(name) => (Target::Name(name), 5 + usize::from(length)),
            None => return Part::Short,
        },
        [] | [VERSION_5] | [VERSION_5, _] | [VERSION_5, _, 0] | [VERSION_5, _, 0, 1 | 3, ..] => {
            return Part::Short;
        }
        _ => return Part::No,
    };
    match bytes.get(end..).and_then(|rest| rest.first_chunk()) {
        Some(port) => Part::Whole((target, u16::from_be_bytes(*port)), end + 2),
        None => Part::Short,
    }
}

/// A log-in with a name and a password (RFC 1929 section 2), which nobody looks at.
fn login(bytes: &[u8]) -> Part<()> {
    match *bytes {
        [LOGIN_VERSION, name, ref rest @ ..] => match rest.get(usize::from(name)) {
            Some(&password) => {
                let length = 3 + usize::from(name) + usize::from(password);
                if bytes.len() < length { Part::Short } else { Part::Whole((), length) }
            }
            None => Part::Short,
        },
        [] | [LOGIN_VERSION] => Part::Short,
        _ => Part::No,
    }
}
