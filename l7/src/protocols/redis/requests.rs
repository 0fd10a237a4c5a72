use super::commands::{Special, is_name, special};
use super::header::{Number, absurd, number};
use super::inline::{self, Line};
use super::probe::{LONGEST_NAME, MOST_WORDS};
use super::shared::Shared;
use super::tell::{self, Command};
use crate::contract::{Probe, Progress, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need};
use fact::Protocol;

/// Bytes of a command in which its arguments are looked for, where they are kept.
const LOOKED_AT: usize = 1024;
/// Arguments that are looked at, where they are kept.
const WORDS: usize = 32;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// Inside an array: so many words follow.
    Words(u64),
    /// Out of step: looking for a command.
    Seek,
}

/// Which commands are answered (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mute {
    #[default]
    No,
    /// Not the next one.
    Next,
    Always,
}

/// What the client says.
#[derive(Debug, Default)]
pub(super) struct Requests {
    phase: Phase,
    mute: Mute,
    literals: bool,
    /// Bytes of a line that were searched for its end already.
    searched: usize,
    /// The last command was a line.
    lines: bool,
    /// A replica: what it is sent is no answer.
    replica: bool,
    /// Index of the database; empty where it is not known.
    namespace: String,
    /// Reused text.
    text: String,
}

impl Requests {
    pub(super) fn new(literals: bool) -> Self {
        Self { literals, ..Self::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.namespace.capacity() + self.text.capacity()
    }

    /// Bytes are missing.
    pub(super) fn lost(&mut self) {
        self.phase = Phase::Seek;
        self.searched = 0;
    }

    pub(super) fn read(&mut self, bytes: &[u8], shared: &mut Shared, out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let step = match self.phase {
                Phase::Words(0) => {
                    out.close(Kind::Request, 0, at);
                    self.phase = Phase::Start;
                    if self.replica {
                        return Progress::GiveUp { consumed: at, reason: Reason::Opaque };
                    }
                    Step::Go(at)
                }
                _ if at >= bytes.len() => return Progress::Consumed(at),
                Phase::Words(left) => self.word(bytes, at, left),
                Phase::Start => self.start(bytes, at, shared, out),
                Phase::Seek => self.seek(bytes, at),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn start(&mut self, bytes: &[u8], at: usize, shared: &mut Shared, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        match rest.first() {
            Some(b'*') => match number(rest) {
                // Asks for nothing, and is not answered.
                Number::Is(..=0, used) => {
                    self.wrong(Kind::OneWay, at, used, out);
                    Step::Go(at + used)
                }
                Number::Is(words @ 1..=MOST_WORDS, used) => {
                    self.array(rest, at, used, words.unsigned_abs(), shared, out)
                }
                Number::More => need(at, 1),
                _ => match absurd(rest) {
                    // The server says so, and closes the connection.
                    Some(used) => {
                        self.wrong(Kind::Request, at, used, out);
                        Step::Go(at + used)
                    }
                    None => malformed(at),
                },
            },
            Some(b'\r' | b'\n') if self.searched == 0 => Step::Go(at + inline::blank(rest)),
            _ => self.line(rest, at, shared, out),
        }
    }

    /// An array that is no command: only its number was there.
    fn wrong(&mut self, kind: Kind, at: usize, used: usize, out: &mut Messages) {
        let command = Command {
            protocol: Protocol::Redis,
            special: Special::None,
            name: "UNKNOWN",
            words: &[],
            arguments: 0,
        };
        tell::open(&command, kind, at, self.literals, &self.namespace, &mut self.text, out);
        out.close(kind, 0, at + used);
    }

    fn line(&mut self, rest: &[u8], at: usize, shared: &mut Shared, out: &mut Messages) -> Step {
        let (text, used) = match inline::line(rest, self.searched) {
            Line::Whole { text, used } => (text, used),
            Line::More if self.searched > 0 || is_name(inline::name(rest)) => {
                self.searched = rest.len();
                return need(at, 1);
            }
            Line::More | Line::TooLong => return malformed(at),
        };
        self.searched = 0;
        let mut words = inline::words(text);
        let name = words.next().unwrap_or_default();
        if name.is_empty() {
            return Step::Go(at + used);
        }
        if !is_name(name) || name.len() > LONGEST_NAME {
            return malformed(at);
        }
        let mut list: [&[u8]; WORDS] = [&[]; WORDS];
        let mut arguments = 0;
        for word in words {
            if let Some(place) = list.get_mut(arguments) {
                *place = word;
            }
            arguments += 1;
        }
        let words = &list[..arguments.min(WORDS)];
        self.open(Protocol::RedisInline, name, words, arguments as u64, at, shared, out);
        out.close(Kind::Request, 0, at + used);
        Step::Go(at + used)
    }

    /// An array of `words` words at `at`, of which the line of the number is `used` bytes long.
    fn array(
        &mut self,
        rest: &[u8],
        at: usize,
        used: usize,
        words: u64,
        shared: &mut Shared,
        out: &mut Messages,
    ) -> Step {
        let (name, mut next, whole) = match seen(rest, used, LONGEST_NAME) {
            Seen::Word { seen, next, whole } => (seen, next, whole),
            Seen::More(more) => return need(at, more),
            Seen::Bad => return malformed(at),
        };
        if !whole {
            // No command has such a name; the server will say so.
            self.open(Protocol::Redis, b"UNKNOWN", &[], words - 1, at, shared, out);
            self.phase = Phase::Words(words);
            return Step::Go(at + used);
        }
        let mut left = words - 1;
        let mut upper = [0; LONGEST_NAME];
        let wanted = match upper.get_mut(..name.len()) {
            Some(upper) => {
                upper.copy_from_slice(name);
                upper.make_ascii_uppercase();
                special(upper).words()
            }
            None => 0,
        };
        let wanted = if self.literals { WORDS } else { wanted };
        if wanted == 0 || left == 0 {
            self.open(Protocol::Redis, name, &[], left, at, shared, out);
            self.phase = Phase::Words(left);
            return Step::Go(at + next);
        }
        let mut list: [&[u8]; WORDS] = [&[]; WORDS];
        let mut count = 0;
        while count < wanted && left > 0 && next < LOOKED_AT {
            let most = if self.literals { LOOKED_AT - next } else { LONGEST_NAME };
            match seen(rest, next, most) {
                Seen::Word { seen, next: behind, whole } => {
                    list[count] = seen;
                    count += 1;
                    if !whole {
                        break;
                    }
                    (next, left) = (behind, left - 1);
                }
                Seen::More(more) => return need(at, more),
                Seen::Bad => return malformed(at),
            }
        }
        self.open(Protocol::Redis, name, &list[..count], words - 1, at, shared, out);
        self.phase = Phase::Words(left);
        Step::Go(at + next)
    }

    /// One more word of an array.
    fn word(&mut self, bytes: &[u8], at: usize, left: u64) -> Step {
        let rest = &bytes[at..];
        if rest.first() != Some(&b'$') {
            return malformed(at);
        }
        let (length, used) = match number(rest) {
            Number::Is(length @ 0.., used) => (length.unsigned_abs(), used),
            Number::More => return need(at, 1),
            _ => return malformed(at),
        };
        self.phase = Phase::Words(left - 1);
        let behind = length + (used + 2) as u64;
        if behind > rest.len() as u64 {
            return Step::Stop(Progress::Skip { consumed: at + used, body: length + 2 });
        }
        let behind = behind as usize;
        if !rest[..behind].ends_with(b"\r\n") {
            return malformed(at);
        }
        Step::Go(at + behind)
    }

    #[expect(clippy::too_many_arguments, reason = "what is known of a command, and where it goes")]
    fn open(
        &mut self,
        protocol: Protocol,
        name: &[u8],
        words: &[&[u8]],
        arguments: u64,
        at: usize,
        shared: &mut Shared,
        out: &mut Messages,
    ) {
        let mut upper = [0; LONGEST_NAME];
        let place = &mut upper[..name.len().min(LONGEST_NAME)];
        place.copy_from_slice(&name[..place.len()]);
        place
            .iter_mut()
            .for_each(|b| if (b'!'..0x7f).contains(b) { b.make_ascii_uppercase() } else { *b = b'?' });
        let special = special(place);
        let name = std::str::from_utf8(place).unwrap_or_default();
        let command = Command { protocol, special, name, words, arguments };
        let kind = self.kind(special, words);
        self.lines = protocol == Protocol::RedisInline;
        match special {
            Special::Terms => self.replica = kind == Kind::OneWay,
            Special::Subscribe(_) | Special::Unsubscribe(_) => shared.subscribed = true,
            Special::Reset => self.namespace.clear(),
            Special::Select => {
                let index = words.first().copied().unwrap_or_default();
                let index = index.get(..index.len().min(8)).unwrap_or_default();
                self.namespace.clear();
                if index.iter().all(u8::is_ascii_digit) {
                    self.namespace.push_str(std::str::from_utf8(index).unwrap_or_default());
                }
            }
            _ => {}
        }
        shared.deaf = false;
        tell::open(&command, kind, at, self.literals, &self.namespace, &mut self.text, out);
    }

    /// Whether the command will be answered, and what it changes about that.
    fn kind(&mut self, special: Special, words: &[&[u8]]) -> Kind {
        let is = |index: usize, word: &[u8]| words.get(index).is_some_and(|w| w.eq_ignore_ascii_case(word));
        if special == Special::Client && is(0, b"REPLY") {
            let (mute, kind) = match self.mute {
                _ if is(1, b"ON") => (Mute::No, Kind::Request),
                _ if is(1, b"OFF") => (Mute::Always, Kind::OneWay),
                Mute::Always => (Mute::Always, Kind::OneWay),
                _ if is(1, b"SKIP") => (Mute::Next, Kind::OneWay),
                _ => (Mute::No, Kind::Request),
            };
            self.mute = mute;
            return kind;
        }
        if special == Special::Terms && is(0, b"ACK") {
            return Kind::OneWay;
        }
        if special == Special::Reset {
            self.mute = Mute::No;
        }
        match self.mute {
            Mute::No => Kind::Request,
            Mute::Next => {
                self.mute = Mute::No;
                Kind::OneWay
            }
            Mute::Always => Kind::OneWay,
        }
    }

    /// Looks for an array that is a command, at the beginning of a line; or for a line that is one, where bytes begin that were not
    /// looked at yet, and behind every other line where lines were sent before.
    fn seek(&mut self, bytes: &[u8], at: usize) -> Step {
        let mut from = at;
        let mut line = Some(at);
        while let Some(begin) = line.filter(|begin| *begin < bytes.len() && bytes[*begin] != b'*') {
            if super::probe::command(&bytes[begin..], true) == Probe::Yes {
                self.phase = Phase::Start;
                return Step::Go(begin);
            }
            let end = memchr::memchr(b'\n', &bytes[begin..]).filter(|_| self.lines);
            line = end.map(|end| begin + end + 1);
        }
        while let Some(star) = memchr::memchr(b'*', &bytes[from..]).map(|found| found + from) {
            if star == at || bytes[..star].ends_with(b"\r\n") {
                match super::probe::command(&bytes[star..], true) {
                    Probe::Yes => {
                        self.phase = Phase::Start;
                        return Step::Go(star);
                    }
                    Probe::More => return need(star, 1),
                    Probe::No => {}
                }
            }
            from = star + 1;
        }
        Step::Go(bytes.len())
    }
}

/// A word of an array.
enum Seen<'a> {
    /// What there is of it, where the next begins, and whether it is seen whole.
    Word {
        seen: &'a [u8],
        next: usize,
        whole: bool,
    },
    More(usize),
    Bad,
}

/// The word at `at`, of which not more than `most` bytes are needed.
fn seen(bytes: &[u8], at: usize, most: usize) -> Seen<'_> {
    let rest = &bytes[at.min(bytes.len())..];
    if rest.first().is_some_and(|b| *b != b'$') {
        return Seen::Bad;
    }
    let (length, used) = match number(rest) {
        Number::Is(length @ 0.., used) => (usize::try_from(length).unwrap_or(usize::MAX), used),
        Number::More => return Seen::More(1),
        _ => return Seen::Bad,
    };
    let word = &rest[used..];
    if length > most {
        let Some(seen) = word.get(..most) else { return Seen::More(most - word.len()) };
        return Seen::Word { seen, next: at, whole: false };
    }
    match word.get(length..length + 2) {
        Some(b"\r\n") => Seen::Word { seen: &word[..length], next: at + used + length + 2, whole: true },
        Some(_) => Seen::Bad,
        None => Seen::More(length + 2 - word.len()),
    }
}
