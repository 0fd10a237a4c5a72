use wire::Direction;

use super::{Call, HttpParser, Phase, Step, malformed, skip};
use crate::contract::{Probe, Progress, Reason};
use crate::correlate::{Entry, Kind, Messages};
use crate::protocols::http::body::Framing;
use crate::protocols::http::head::StartLine;
use crate::protocols::http::lines::{Lines, has_control, head_end, leading_ends, line};
use crate::protocols::http::probe;
use crate::protocols::http::tell::{CONNECT, HEAD, Head, Said, status};
use fact::Protocol;

/// With so many bytes of a start line everything but its end is known: the method, or the version and the code.
pub(super) const BEGINNING: usize = 64;

impl HttpParser {
    pub(super) fn start(&mut self, direction: Direction, rest: &[u8], at: usize, out: &mut Messages) -> Step {
        let side = &mut self.sides[direction];
        let first = side.looked_at == 0;
        let blank = if first { leading_ends(rest) } else { 0 };
        if blank > 0 {
            return Step::Go(at + blank);
        }
        if first && let Some((end, said)) = self.memos[direction].as_mut().and_then(|memo| memo.recall(rest))
        {
            return self.again(direction, said, rest.len() + at, [at, at + end], out);
        }
        let mut lines = Lines::new();
        let looked_at = side.looked_at.min(rest.len());
        let end = match whole_head(&mut lines, rest, side.searched.min(rest.len()), looked_at) {
            Ok(end) => end,
            Err(searched) => {
                if searched == 0 && !goes_on(direction, rest, looked_at) {
                    return malformed(at);
                }
                (side.searched, side.looked_at) = (searched, rest.len());
                return Step::Stop(Progress::Need { consumed: at, more: 1 });
            }
        };
        side.looked_at = 0;
        side.searched = 0;
        let Some((first, _)) = line(rest) else { return malformed(at) };
        let head = Head { at, bytes: &rest[..end], lines: &lines };
        match direction {
            Direction::ToServer => match StartLine::request(first) {
                Some(StartLine::Request { method, target, minor }) => {
                    let (said, entry) = head.request(method, target, minor, out);
                    self.sides[direction].call = Call::of(said, entry);
                    if said.tag != CONNECT && self.is_remembered(direction, entry) {
                        self.memos[direction].get_or_insert_default().learn(head.bytes, said, entry, 0);
                    }
                    self.asked(said, rest.len() + at, at + end, out)
                }
                _ => malformed(at),
            },
            Direction::ToClient => match StartLine::status(first) {
                Some(StartLine::Status { code: 100 | 102..200, .. }) => Step::Go(at + end),
                // The answer follows in HTTP/2, on its first stream: the request goes on waiting (RFC 7540 section 3.2).
                Some(StartLine::Status { code: 101, .. }) if head.upgrades_to(b"h2c") => {
                    Step::Stop(Progress::GiveUp {
                        consumed: at + end,
                        reason: Reason::Became(Protocol::Http2),
                    })
                }
                Some(StartLine::Status { code, minor }) => {
                    let tag = out.next_tag();
                    let entry = status(code, minor, at, out);
                    let from = entry.exchange.attributes.len();
                    let (said, upgrade) = head.response(code, minor, entry);
                    self.sides[direction].call = Call::of(said, entry);
                    if code != 101 && self.is_remembered(direction, entry) {
                        self.memos[direction].get_or_insert_default().learn(head.bytes, said, entry, from);
                    }
                    self.answered(said, tag, upgrade, rest.len() + at, at + end, out)
                }
                _ => malformed(at),
            },
        }
    }

    /// Whether a head is worth being remembered: it is not the first of its direction, and says nothing of a call.
    fn is_remembered(&self, direction: Direction, entry: &Entry) -> bool {
        self.sides[direction].begun && entry.exchange.protocol == Protocol::Http
    }

    /// A message whose head is that of the one before, from the first of `bounds` to the second.
    fn again(
        &mut self,
        direction: Direction,
        said: Said,
        len: usize,
        bounds: [usize; 2],
        out: &mut Messages,
    ) -> Step {
        let [at, end] = bounds;
        let memo = self.memos[direction].as_deref();
        match direction {
            Direction::ToServer => {
                let entry = out.open(Protocol::Http, Kind::Request, 0, at);
                entry.notes.tag = said.tag;
                memo.inspect(|memo| memo.tell(entry));
                self.asked(said, len, end, out)
            }
            Direction::ToClient => {
                let tag = out.next_tag();
                let entry = status(said.code, said.minor, at, out);
                memo.inspect(|memo| memo.tell(entry));
                self.sides[direction].call = Call::of(said, entry);
                self.answered(said, tag, None, len, end, out)
            }
        }
    }

    fn asked(&mut self, said: Said, len: usize, end: usize, out: &mut Messages) -> Step {
        let direction = Direction::ToServer;
        if said.tag == CONNECT {
            self.close(direction, end, out);
            self.sides[direction].phase = Phase::Wait;
            return Step::Go(end);
        }
        let framing = match said.framing {
            Framing::Unsaid | Framing::Coded => Framing::Length(0),
            framing => framing,
        };
        self.body(direction, framing, len, end, out)
    }

    fn answered(
        &mut self,
        said: Said,
        tag: Option<u16>,
        upgrade: Option<&[u8]>,
        len: usize,
        end: usize,
        out: &mut Messages,
    ) -> Step {
        let direction = Direction::ToClient;
        let Said { framing, code, .. } = said;
        if code == 101 || (tag == Some(CONNECT) && (200..300).contains(&code)) {
            let websocket = upgrade.is_some_and(|u| u.eq_ignore_ascii_case(b"websocket"));
            let reason = match code {
                101 if websocket => {
                    out.carry_over(Kind::Response, 0, &["url.path", "server.address", "server.port"]);
                    Reason::Became(Protocol::WebSocket)
                }
                101 => Reason::Opaque,
                _ => Reason::Switched,
            };
            self.close(direction, end, out);
            return Step::Stop(Progress::GiveUp { consumed: end, reason });
        }
        if tag == Some(CONNECT) {
            self.sides[Direction::ToServer].phase = Phase::Start;
        }
        let bodiless = matches!(code, 204 | 304) || tag == Some(HEAD);
        let framing = if bodiless { Framing::Length(0) } else { framing };
        self.body(direction, framing, len, end, out)
    }

    fn body(
        &mut self,
        direction: Direction,
        framing: Framing,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        side.body = 0;
        side.begun = true;
        match framing {
            Framing::Length(0) => {
                self.close(direction, at, out);
                Step::Go(at)
            }
            Framing::Length(size) => {
                side.body = size;
                if side.is_read() {
                    side.phase = Phase::Content { left: size, chunked: false };
                    return Step::Go(at);
                }
                side.phase = Phase::BodyEnd;
                skip(at, size, len)
            }
            Framing::Chunked => self.next_chunk(direction, at),
            Framing::Unsaid | Framing::Coded => {
                side.phase = Phase::UntilClose;
                Step::Go(at)
            }
        }
    }
}

/// Finds the lines and the length of the head that `bytes` begin with; else how far it was searched. The first `searched` bytes hold no end
/// of it, nor the first `looked_at` an end of a line behind them: they are not looked at again for each segment of a slow sender.
fn whole_head(lines: &mut Lines, bytes: &[u8], searched: usize, looked_at: usize) -> Result<usize, usize> {
    if looked_at > 0 {
        memchr::memchr(b'\n', bytes.get(looked_at..).unwrap_or_default()).ok_or(searched)?;
        head_end(bytes, searched)?;
    }
    lines.find(bytes)
}

/// Whether a start line that is not whole can be one. How it begins decides; of its first `looked_at` bytes that is known.
fn goes_on(direction: Direction, bytes: &[u8], looked_at: usize) -> bool {
    if looked_at >= BEGINNING {
        return !has_control(bytes.get(looked_at..).unwrap_or_default());
    }
    let probe = match direction {
        Direction::ToServer => probe::request(bytes),
        Direction::ToClient => probe::response(bytes),
    };
    probe != Probe::No
}
