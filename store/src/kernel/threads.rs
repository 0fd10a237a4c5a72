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
    unused: Vec<Unused>,
    /// Requests that it received and that are not answered, as far as known.
    requests: Vec<CourseId>,
}

#[derive(Debug)]
struct Unused {
    message: Message,
    /// Courses that are in doubt because of it.
    doubted: Vec<CourseId>,
}

/// A message on which a thread did not act for this long does not make its later actions doubtful:
/// most are answers that nothing follows from.
const STALE_NS: u64 = 1_000_000_000;
/// Messages and requests of one thread that are remembered. With more than one at hand it is in
/// doubt already.
const MOST: usize = 256;
/// Doubts of one message that can be taken back.
const MOST_DOUBTS: usize = 64;

impl Thread {
    /// Adds a message, or more of the one that was received on its socket before (`continues`).
    pub(super) fn receive(&mut self, mut message: Message, continues: bool, courses: &mut Courses) {
        if let Some(last) = self.last.filter(|last| last.used.is_none()) {
            if (last.cookie, last.course) == (message.cookie, message.course) {
                message.at = last.at;
            } else if last.cookie != message.cookie {
                self.unused.push(Unused { message: last, doubted: Vec::new() });
            }
        }
        // What comes on a socket shows that the message before it there was dealt with, or that it
        // was not whole, so that nothing can have followed from it yet.
        self.unused.retain(|unused| {
            let same = unused.message.cookie == message.cookie;
            if same && continues {
                unused.doubted.iter().for_each(|course| courses.remove_doubt(*course));
            }
            !same
        });
        if self.unused.len() > MOST {
            self.unused.remove(0);
        }
        self.last = Some(message);
    }

    /// Makes an action in `course` doubtful where the thread has other messages that it did not act
    /// on, and with it their courses.
    pub(super) fn doubt_rivals(
        &mut self,
        course: Option<CourseId>,
        now: Timestamp,
        courses: &mut Courses,
    ) {
        self.unused.retain(|Unused { message, .. }| {
            now.nanos_since(message.at) < STALE_NS
                && message.course.is_none_or(|id| courses.is_open(id))
        });
        for Unused { message, doubted } in &mut self.unused {
            if message.course.is_some() && message.course == course {
                continue;
            }
            for doubtful in [course, message.course].into_iter().flatten() {
                if !doubted.contains(&doubtful) {
                    courses.doubt(doubtful);
                    if doubted.len() < MOST_DOUBTS {
                        doubted.push(doubtful);
                    }
                }
            }
        }
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

    fn bytes(&self) -> usize {
        self.unused.capacity() * (size_of::<Unused>() + 32) + self.requests.capacity() * 8
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
