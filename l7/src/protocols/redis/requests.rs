//! What the client sends: commands as arrays of bulk strings or as inline lines.

use super::attributes::{self, Command};
use super::commands::{Effect, effect, is_name};
use super::header::{Number, number, oversized_number};
use super::inline::{self, Line};
use super::probe::{LONGEST_NAME, MOST_WORDS};
use super::session::Session;
use crate::contract::{Probe, Progress, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need};

/// Bytes of a command in which arguments are searched, if they are kept.
const INSPECT_LIMIT: usize = 1024;
/// Arguments that are kept, if any are.
const WORDS: usize = 32;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// Inside an array: so many bulk strings follow.
    Words(u64),
    /// The parser looks for a command after a loss.
    Seek,
}

/// Which commands get a reply (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ReplyMode {
    #[default]
    On,
    /// `SKIP`: not the next one.
    SkipNext,
    Off,
}

/// The state of the client's direction.
#[derive(Debug, Default)]
pub(super) struct Requests {
    phase: Phase,
    reply_mode: ReplyMode,
    literals: bool,
    /// Bytes of a line that were already searched for its end.
    searched: usize,
    /// The last command was inline.
    lines: bool,
    /// The client is a replica: what it is sent is no reply.
    replica: bool,
    /// Index of the database. Empty if it is unknown.
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

    /// Bytes are missing: the next command may begin anywhere.
    pub(super) fn on_gap(&mut self) {
        self.phase = Phase::Seek;
        self.searched = 0;
    }

    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        session: &mut Session,
        out: &mut Messages,
    ) -> Progress {
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
                Phase::Words(left) => self.skip_argument(bytes, at, left),
                Phase::Start => self.start(bytes, at, session, out),
                Phase::Seek => self.seek(bytes, at),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn start(
        &mut self,
        bytes: &[u8],
        at: usize,
        session: &mut Session,
        out: &mut Messages,
    ) -> Step {
        let rest = &bytes[at..];
        match rest.first() {
            Some(b'*') => match number(rest) {
                // An empty command: the server ignores it.
                Number::Is(..=0, used) => {
                    self.open_invalid(Kind::OneWay, at, used, out);
                    Step::Go(at + used)
                }
                Number::Is(words @ 1..=MOST_WORDS, used) => {
                    self.read_array(rest, at, used, words.unsigned_abs(), session, out)
                }
                Number::More => need(at, 1),
                _ => match oversized_number(rest) {
                    // The server replies with an error and closes the connection.
                    Some(used) => {
                        self.open_invalid(Kind::Request, at, used, out);
                        Step::Go(at + used)
                    }
                    None => malformed(at),
                },
            },
            Some(b'\r' | b'\n') if self.searched == 0 => {
                Step::Go(at + inline::leading_line_ends(rest))
            }
            _ => self.read_inline(rest, at, session, out),
        }
    }

    /// Opens and closes the message of an array that is no command.
    fn open_invalid(&mut self, kind: Kind, at: usize, used: usize, out: &mut Messages) {
        let command = Command {
            inline: false,
            effect: Effect::None,
            name: "UNKNOWN",
            words: &[],
            arguments: 0,
        };
        attributes::open_request(
            &command,
            kind,
            at,
            self.literals,
            &self.namespace,
            &mut self.text,
            out,
        );
        out.close(kind, 0, at + used);
    }

    /// Reads an inline command.
    fn read_inline(
        &mut self,
        rest: &[u8],
        at: usize,
        session: &mut Session,
        out: &mut Messages,
    ) -> Step {
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
        self.open_request(true, name, words, arguments as u64, at, session, out);
        out.close(Kind::Request, 0, at + used);
        Step::Go(at + used)
    }

    /// Reads an array of `words` words at `at`. Its header is `used` bytes long.
    fn read_array(
        &mut self,
        rest: &[u8],
        at: usize,
        used: usize,
        words: u64,
        session: &mut Session,
        out: &mut Messages,
    ) -> Step {
        let (name, mut next, whole) = match read_word(rest, used, LONGEST_NAME) {
            WordRead::Word { seen, next, whole } => (seen, next, whole),
            WordRead::More(more) => return need(at, more),
            WordRead::Bad => return malformed(at),
        };
        if !whole {
            // No command has such a name: the server replies with an error.
            self.open_request(false, b"UNKNOWN", &[], words - 1, at, session, out);
            self.phase = Phase::Words(words);
            return Step::Go(at + used);
        }
        let mut left = words - 1;
        let mut upper = [0; LONGEST_NAME];
        let wanted = match upper.get_mut(..name.len()) {
            Some(upper) => {
                upper.copy_from_slice(name);
                upper.make_ascii_uppercase();
                effect(upper).words()
            }
            None => 0,
        };
        let wanted = if self.literals { WORDS } else { wanted };
        if wanted == 0 || left == 0 {
            self.open_request(false, name, &[], left, at, session, out);
            self.phase = Phase::Words(left);
            return Step::Go(at + next);
        }
        let mut list: [&[u8]; WORDS] = [&[]; WORDS];
        let mut count = 0;
        while count < wanted && left > 0 && next < INSPECT_LIMIT {
            let most = if self.literals { INSPECT_LIMIT - next } else { LONGEST_NAME };
            match read_word(rest, next, most) {
                WordRead::Word { seen, next: behind, whole } => {
                    list[count] = seen;
                    count += 1;
                    if !whole {
                        break;
                    }
                    (next, left) = (behind, left - 1);
                }
                WordRead::More(more) => return need(at, more),
                WordRead::Bad => return malformed(at),
            }
        }
        self.open_request(false, name, &list[..count], words - 1, at, session, out);
        self.phase = Phase::Words(left);
        Step::Go(at + next)
    }

    /// Passes over one more word of an array.
    fn skip_argument(&mut self, bytes: &[u8], at: usize, left: u64) -> Step {
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
    fn open_request(
        &mut self,
        inline: bool,
        name: &[u8],
        words: &[&[u8]],
        arguments: u64,
        at: usize,
        session: &mut Session,
        out: &mut Messages,
    ) {
        let mut upper = [0; LONGEST_NAME];
        let place = &mut upper[..name.len().min(LONGEST_NAME)];
        place.copy_from_slice(&name[..place.len()]);
        place.iter_mut().for_each(|b| {
            if (b'!'..0x7f).contains(b) { b.make_ascii_uppercase() } else { *b = b'?' }
        });
        let effect = effect(place);
        let name = std::str::from_utf8(place).unwrap_or_default();
        let command = Command { inline, effect, name, words, arguments };
        let kind = self.reply_kind(effect, words);
        self.lines = inline;
        match effect {
            Effect::ReplConf => self.replica = kind == Kind::OneWay,
            Effect::Subscribe(_) | Effect::Unsubscribe(_) => session.subscribed = true,
            Effect::Reset => self.namespace.clear(),
            Effect::Select => {
                let index = words.first().copied().unwrap_or_default();
                let index = index.get(..index.len().min(8)).unwrap_or_default();
                self.namespace.clear();
                if index.iter().all(u8::is_ascii_digit) {
                    self.namespace.push_str(std::str::from_utf8(index).unwrap_or_default());
                }
            }
            _ => {}
        }
        session.responses_lost = false;
        attributes::open_request(
            &command,
            kind,
            at,
            self.literals,
            &self.namespace,
            &mut self.text,
            out,
        );
    }

    /// Whether the command gets a reply. Applies its change to that of the following ones.
    fn reply_kind(&mut self, effect: Effect, words: &[&[u8]]) -> Kind {
        let is = |index: usize, word: &[u8]| {
            words.get(index).is_some_and(|w| w.eq_ignore_ascii_case(word))
        };
        if effect == Effect::Client && is(0, b"REPLY") {
            let (reply_mode, kind) = match self.reply_mode {
                _ if is(1, b"ON") => (ReplyMode::On, Kind::Request),
                _ if is(1, b"OFF") => (ReplyMode::Off, Kind::OneWay),
                ReplyMode::Off => (ReplyMode::Off, Kind::OneWay),
                _ if is(1, b"SKIP") => (ReplyMode::SkipNext, Kind::OneWay),
                _ => (ReplyMode::On, Kind::Request),
            };
            self.reply_mode = reply_mode;
            return kind;
        }
        if effect == Effect::ReplConf && is(0, b"ACK") {
            return Kind::OneWay;
        }
        if effect == Effect::Reset {
            self.reply_mode = ReplyMode::On;
        }
        match self.reply_mode {
            ReplyMode::On => Kind::Request,
            ReplyMode::SkipNext => {
                self.reply_mode = ReplyMode::On;
                Kind::OneWay
            }
            ReplyMode::Off => Kind::OneWay,
        }
    }

    /// Looks for a command after a loss: for an array at the beginning of a line; for an inline
    /// command at the first byte, and behind every other line if the client sent inline commands
    /// before.
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

/// A word of an array, as far as it is there.
enum WordRead<'a> {
    /// Its bytes, the beginning of the next one, and whether it is whole.
    Word {
        seen: &'a [u8],
        next: usize,
        whole: bool,
    },
    More(usize),
    Bad,
}

/// Reads the word at `at`, of which not more than `most` bytes are needed.
fn read_word(bytes: &[u8], at: usize, most: usize) -> WordRead<'_> {
    let rest = &bytes[at.min(bytes.len())..];
    if rest.first().is_some_and(|b| *b != b'$') {
        return WordRead::Bad;
    }
    let (length, used) = match number(rest) {
        Number::Is(length @ 0.., used) => (usize::try_from(length).unwrap_or(usize::MAX), used),
        Number::More => return WordRead::More(1),
        _ => return WordRead::Bad,
    };
    let word = &rest[used..];
    if length > most {
        let Some(seen) = word.get(..most) else { return WordRead::More(most - word.len()) };
        return WordRead::Word { seen, next: at, whole: false };
    }
    match word.get(length..length + 2) {
        Some(b"\r\n") => {
            WordRead::Word { seen: &word[..length], next: at + used + length + 2, whole: true }
        }
        Some(_) => WordRead::Bad,
        None => WordRead::More(length + 2 - word.len()),
    }
}
