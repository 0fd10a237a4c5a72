//! What each thread has received, and whether it has acted on it.

use wire::Timestamp;

use super::aged::Aged;
use super::courses::{CourseId, Courses};

/// A message that a thread received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) cookie: u64,
    /// The course that it belongs to, if that is known.
    pub(super) course: Option<CourseId>,
    /// When it was received; of a message in several parts without an action between, the first.
    pub(super) at: Timestamp,
    /// What the thread did on account of it.
    pub(super) used: Option<Used>,
}

/// The action that a message led to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    /// The socket of the action.
    pub(super) cookie: u64,
    /// The socket was only opened so far.
    pub(super) opens: bool,
}

#[derive(Debug, Default)]
pub(super) struct Thread {
    /// What it received last.
    pub(super) last: Option<Message>,
    /// Messages that it received before that one and did not act on, oldest first.
    unused: Vec<Message>,
    /// Requests that it received and that are not answered, as far as known.
    requests: Vec<CourseId>,
}

/// A message on which a thread did not act for this long does not make its later actions doubtful:
/// most are answers that nothing follows from.
const STALE_NS: u64 = 1_000_000_000;
/// Messages and requests of one thread that are remembered. With more than one at hand it is in
/// doubt already.
const MOST: usize = 256;

impl Thread {
    pub(super) fn receive(&mut self, mut message: Message) {
        if let Some(last) = self.last {
            let continues = (last.cookie, last.course) == (message.cookie, message.course);
            if last.used.is_none() && continues {
                message.at = last.at;
            } else if last.used.is_none() && last.cookie != message.cookie {
                self.unused.push(last);
            }
        }
        // What comes on a socket shows that the message before it there was dealt with.
        self.unused.retain(|unused| unused.cookie != message.cookie);
        if self.unused.len() > MOST {
            self.unused.remove(0);
        }
        self.last = Some(message);
    }

    /// Adds a request that it received; returns whether it has others in hand.
    pub(super) fn take_request(&mut self, course: CourseId, courses: &Courses) -> bool {
        self.requests.retain(|id| courses.is_open(*id));
        if self.requests.len() >= MOST {
            self.requests.remove(0);
        }
        self.requests.push(course);
        self.requests.len() > 1
    }

    /// Whether `course` is the only one that it has in hand.
    pub(super) fn has_only(&mut self, course: CourseId, courses: &Courses) -> bool {
        self.requests.retain(|id| courses.is_open(*id));
        self.requests == [course]
    }

    /// Courses of messages that it may still act on besides the last; none where that is not known.
    pub(super) fn rivals(
        &mut self,
        now: Timestamp,
        courses: &Courses,
    ) -> impl Iterator<Item = Option<CourseId>> + '_ {
        let course = self.last.and_then(|last| last.course);
        self.unused.retain(|message| {
            now.nanos_since(message.at) < STALE_NS
                && message.course.is_none_or(|id| courses.is_open(id))
        });
        let all = self.unused.iter().map(|message| message.course);
        all.filter(move |other| other.is_none() || *other != course)
    }

    fn bytes(&self) -> usize {
        self.unused.capacity() * size_of::<Message>() + self.requests.capacity() * 8
    }
}

/// All threads, by their ids.
#[derive(Debug, Default)]
pub(super) struct Threads(Aged<Thread>);

impl Threads {
    pub(super) fn touch(&mut self, tid: u32, now: Timestamp) -> &mut Thread {
        self.0.touch(tid, now)
    }

    pub(super) fn get_mut(&mut self, tid: u32) -> Option<&mut Thread> {
        self.0.get_mut(tid)
    }

    pub(super) fn limit(&mut self, limit: usize) -> bool {
        self.0.limit(limit)
    }

    /// Forgets what a thread received: a record came too late to be put in its place.
    pub(super) fn forget(&mut self, tid: u32) {
        if let Some(thread) = self.0.get_mut(tid) {
            *thread = Thread::default();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.bytes() + self.0.values().map(Thread::bytes).sum::<usize>()
    }
}
