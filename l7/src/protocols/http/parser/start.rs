//! Start lines and heads: opens messages and decides how their bodies are delimited.

use wire::Direction;

use super::{Call, HttpParser, Phase};
use crate::contract::{Probe, Progress, Reason};
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::step::{Step, malformed, skip};
use crate::protocols::grpc;
use crate::protocols::http::body::Framing;
use crate::protocols::http::lines::{Lines, has_control, head_end, leading_ends, line};
use crate::protocols::http::message_head::{CONNECT, HEAD, Head, HeadInfo, open_response};
use crate::protocols::http::probe;
use crate::protocols::http::start_line::StartLine;
use fact::Protocol;

/// What an Upgrade leads to.
const HTTP2: Protocol = Protocol::new("http2");
const WEBSOCKET: Protocol = Protocol::new("websocket");

/// So many bytes of a start line are enough for its method, or for its version and status code.
pub(super) const BEGINNING: usize = 64;

impl HttpParser {
    pub(super) fn start(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        let first = side.looked_at == 0;
        let blank = if first { leading_ends(rest) } else { 0 };
        if blank > 0 {
            return Step::Go(at + blank);
        }
        let cache = self.head_caches[direction].as_mut().filter(|_| first);
        if let Some((end, info)) = cache.and_then(|cache| cache.get(rest)) {
            return self.on_repeated_head(direction, info, rest.len() + at, [at, at + end], out);
        }
        let mut lines = Lines::new();
        let looked_at = side.looked_at.min(rest.len());
        let end = match whole_head(&mut lines, rest, side.searched.min(rest.len()), looked_at) {
            Ok(end) => end,
            Err(searched) => {
                if searched == 0 && !is_plausible(direction, rest, looked_at) {
                    return malformed(at);
                }
                (side.searched, side.looked_at) = (searched, rest.len());
                return Step::Stop(Progress::Need { consumed: at, more: 1 });
            }
        };
        side.looked_at = 0;
        side.searched = 0;
        let Some((first, _)) = line(rest) else {
            wire::invariant!("a whole head has a first line");
            return malformed(at);
        };
        let head = Head { at, bytes: &rest[..end], lines: &lines };
        let len = rest.len() + at;
        match direction {
            Direction::ToServer => self.on_request_line(first, &head, len, out),
            Direction::ToClient => self.on_status_line(first, &head, len, out),
        }
    }

    /// A request's head is whole. Of the bytes shown there are `len`.
    fn on_request_line(
        &mut self,
        line: &[u8],
        head: &Head<'_>,
        len: usize,
        out: &mut Messages,
    ) -> Step {
        let direction = Direction::ToServer;
        let Some(StartLine::Request { method, target, minor }) = StartLine::request(line) else {
            return malformed(head.at);
        };
        let (info, entry) = head.open_request(method, target, minor, out);
        self.sides[direction].call = Call::of(info, entry);
        if info.tag != CONNECT && self.is_cacheable(direction, entry) {
            let cache = self.head_caches[direction].get_or_insert_default();
            cache.insert(head.bytes, info, entry, 0);
        }
        self.on_request_head(info, len, head.at + head.bytes.len(), out)
    }

    /// A response's head is whole. Of the bytes shown there are `len`.
    fn on_status_line(
        &mut self,
        line: &[u8],
        head: &Head<'_>,
        len: usize,
        out: &mut Messages,
    ) -> Step {
        let direction = Direction::ToClient;
        let end = head.at + head.bytes.len();
        match StartLine::status(line) {
            Some(StartLine::Status { code: 100 | 102..200, .. }) => Step::Go(end),
            // The response follows on stream 1 of HTTP/2 (RFC 7540 section 3.2): the request waits.
            Some(StartLine::Status { code: 101, .. }) if head.upgrades_to(b"h2c") => {
                let reason = Reason::Became(HTTP2);
                Step::Stop(Progress::GiveUp { consumed: end, reason })
            }
            Some(StartLine::Status { code, minor }) => {
                let tag = out.next_tag();
                let entry = open_response(code, minor, head.at, out);
                let from = entry.exchange.attributes.len();
                let (info, upgrade) = head.read_response_fields(code, minor, entry);
                self.sides[direction].call = Call::of(info, entry);
                if code != 101 && self.is_cacheable(direction, entry) {
                    let cache = self.head_caches[direction].get_or_insert_default();
                    cache.insert(head.bytes, info, entry, from);
                }
                self.on_response_head(info, tag, upgrade, len, end, out)
            }
            _ => malformed(head.at),
        }
    }

    /// Whether a head is kept: it is not the first of its direction, and belongs to no call.
    fn is_cacheable(&self, direction: Direction, entry: &Entry) -> bool {
        self.sides[direction].any_message && !grpc::is_call(&entry.exchange)
    }

    /// A message's head equals the kept one. It is between the two of `bounds`.
    fn on_repeated_head(
        &mut self,
        direction: Direction,
        info: HeadInfo,
        len: usize,
        bounds: [usize; 2],
        out: &mut Messages,
    ) -> Step {
        let [at, end] = bounds;
        let cache = self.head_caches[direction].as_deref();
        match direction {
            Direction::ToServer => {
                let entry = out.open(Kind::Request, 0, at);
                entry.notes.tag = info.tag;
                cache.inspect(|cache| cache.fill(entry));
                self.on_request_head(info, len, end, out)
            }
            Direction::ToClient => {
                let tag = out.next_tag();
                let entry = open_response(info.code, info.minor, at, out);
                cache.inspect(|cache| cache.fill(entry));
                self.sides[direction].call = Call::of(info, entry);
                self.on_response_head(info, tag, None, len, end, out)
            }
        }
    }

    /// A request was opened. Its head ends at `end`.
    fn on_request_head(
        &mut self,
        info: HeadInfo,
        len: usize,
        end: usize,
        out: &mut Messages,
    ) -> Step {
        let direction = Direction::ToServer;
        if info.tag == CONNECT {
            self.close(direction, end, out);
            self.sides[direction].phase = Phase::Wait;
            return Step::Go(end);
        }
        let framing = match info.framing {
            Framing::Unspecified | Framing::OtherCoding => Framing::Length(0),
            framing => framing,
        };
        self.begin_body(direction, framing, len, end, out)
    }

    /// A response was opened, to a request with `tag`. Its head ends at `end`.
    fn on_response_head(
        &mut self,
        info: HeadInfo,
        tag: Option<u16>,
        upgrade: Option<&[u8]>,
        len: usize,
        end: usize,
        out: &mut Messages,
    ) -> Step {
        let direction = Direction::ToClient;
        let HeadInfo { framing, code, .. } = info;
        if code == 101 || (tag == Some(CONNECT) && (200..300).contains(&code)) {
            let websocket = upgrade.is_some_and(|u| u.eq_ignore_ascii_case(b"websocket"));
            let reason = match code {
                101 if websocket => {
                    out.carry_over(
                        Kind::Response,
                        0,
                        &["url.path", "server.address", "server.port"],
                    );
                    Reason::Became(WEBSOCKET)
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
        self.begin_body(direction, framing, len, end, out)
    }

    /// The body of the open message begins at `at` of the `len` bytes shown.
    fn begin_body(
        &mut self,
        direction: Direction,
        framing: Framing,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        side.body = 0;
        side.any_message = true;
        match framing {
            Framing::Length(0) => {
                self.close(direction, at, out);
                Step::Go(at)
            }
            Framing::Length(size) => {
                side.body = size;
                if side.reads_body() {
                    side.phase = Phase::Content { left: size, chunked: false };
                    return Step::Go(at);
                }
                side.phase = Phase::BodyEnd;
                skip(at, size, len)
            }
            Framing::Chunked => self.next_chunk(direction, at),
            Framing::Unspecified | Framing::OtherCoding => {
                side.phase = Phase::UntilClose;
                Step::Go(at)
            }
        }
    }
}

/// Finds the lines and the length of the head that `bytes` begin with. Otherwise returns how far it
/// was searched.
///
/// The first `searched` bytes do not hold the end of the head, and the first `looked_at` bytes hold
/// no end of a line behind them. These are not searched again for each segment of a slow sender.
fn whole_head(
    lines: &mut Lines,
    bytes: &[u8],
    searched: usize,
    looked_at: usize,
) -> Result<usize, usize> {
    if looked_at > 0 {
        memchr::memchr(b'\n', bytes.get(looked_at..).unwrap_or_default()).ok_or(searched)?;
        head_end(bytes, searched)?;
    }
    lines.find(bytes)
}

/// Whether bytes without the end of a line can be the beginning of a start line. Its first
/// `BEGINNING` bytes decide; `looked_at` bytes passed before.
fn is_plausible(direction: Direction, bytes: &[u8], looked_at: usize) -> bool {
    if looked_at >= BEGINNING {
        return !has_control(bytes.get(looked_at..).unwrap_or_default());
    }
    let probe = match direction {
        Direction::ToServer => probe::request(bytes),
        Direction::ToClient => probe::response(bytes),
    };
    probe != Probe::No
}
