//! Courses: what a process does from the receive of a request to its response, and whether what
//! its calls were attributed to is to be believed.

use std::collections::VecDeque;

use wire::{SeqRange, Timestamp};

use super::aged::Aged;
use crate::hash::Map;

/// Names the course of a request; later ones have larger numbers.
pub(crate) type CourseId = u64;

/// The request of a course: its bytes on the socket of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) cookie: u64,
    pub(crate) seq: SeqRange,
}

/// What the response of a course followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CourseEnd {
    /// The last message of the course.
    Closed,
    /// Nothing, while a call of the course had no response: its time was over.
    Waited,
    /// A message of another course.
    Strayed,
    /// None of these.
    Loose,
}

#[derive(Debug)]
struct Course {
    request: Request,
    pid: u32,
    /// When the first byte of the response was sent.
    answered: Option<Timestamp>,
    /// Its request is over, as far as the socket shows.
    over: bool,
    end: CourseEnd,
    /// Reasons why an action of it, or one that was attributed to it, may belong to another.
    doubts: u32,
    /// Several actions followed one message.
    branches: bool,
    calls: u32,
    /// Calls whose response was not received.
    unanswered: u32,
    /// A socket whose opening followed a message that another action followed too.
    overtaken: Option<u64>,
}

/// What the responses of a process have shown.
#[derive(Debug, Default)]
struct Process {
    /// Requests that it has in hand.
    open: u32,
    /// A thread of it had several requests in hand at once.
    interleaves: bool,
    responses: u32,
    /// Courses with calls whose response followed their last message.
    closed: u32,
    /// Courses whose response did not.
    unclosed: u32,
    /// Responses that followed a message of another course.
    strayed: u32,
}

impl Process {
    /// Responses after which the older ones count half.
    const WINDOW: u32 = 1024;
    /// Courses that must have closed before one without a response is believed.
    const PROOF: u32 = 20;

    fn on_response(&mut self, course: &Course) {
        if self.responses >= Self::WINDOW {
            for count in
                [&mut self.responses, &mut self.closed, &mut self.unclosed, &mut self.strayed]
            {
                *count /= 2;
            }
        }
        self.responses += 1;
        match course.end {
            CourseEnd::Closed => self.closed += u32::from(course.calls > 0),
            CourseEnd::Waited => {}
            CourseEnd::Strayed => {
                self.strayed += 1;
                self.unclosed += 1;
            }
            CourseEnd::Loose => self.unclosed += 1,
        }
    }

    /// Whether its threads act on what they received last: at most 15 % of its courses do not
    /// close, and at most 1 % of its responses follow a message of another course. A few may fail
    /// for records that were lost.
    const fn is_trusted(&self) -> bool {
        let courses = self.closed + self.unclosed;
        self.unclosed.saturating_sub(2) * 100 <= courses * 15
            && self.strayed.saturating_sub(1) * 100 <= self.responses
    }

    const fn is_proven(&self) -> bool {
        self.closed >= Self::PROOF && self.unclosed * 100 <= self.closed && self.strayed == 0
    }
}

/// The courses of all processes.
#[derive(Debug, Default)]
pub(super) struct Courses {
    courses: Map<CourseId, Course>,
    order: VecDeque<CourseId>,
    next: CourseId,
    processes: Aged<Process>,
}

/// Open courses that are passed over in search of one to remove.
const PASSED_OVER: usize = 64;

impl Courses {
    pub(super) fn open(&mut self, request: Request, pid: u32, now: Timestamp) -> CourseId {
        self.processes.touch(pid, now).open += 1;
        let id = self.next;
        self.next += 1;
        self.order.push_back(id);
        self.courses.insert(
            id,
            Course {
                request,
                pid,
                answered: None,
                over: false,
                end: CourseEnd::Loose,
                doubts: 0,
                branches: false,
                calls: 0,
                unanswered: 0,
                overtaken: None,
            },
        );
        id
    }

    /// Removes the oldest courses beyond `limit`, those that are over first, and processes beyond
    /// `processes`; returns how many courses were still open.
    pub(super) fn limit(&mut self, limit: usize, processes: usize) -> u64 {
        self.processes.limit(processes);
        let mut evicted = 0;
        let mut passed_over = 0;
        while self.courses.len() > limit {
            let Some(id) = self.order.pop_front() else { break };
            if self.is_open(id) && passed_over < PASSED_OVER {
                passed_over += 1;
                self.order.push_back(id);
                continue;
            }
            evicted += u64::from(self.is_open(id));
            self.end(id);
            self.courses.remove(&id);
        }
        evicted
    }

    /// Adds bytes to the request of a course.
    pub(super) fn extend(&mut self, id: CourseId, seq: SeqRange) {
        /// What is sent without a response has no end.
        const LONGEST: u32 = 1 << 29;
        let Some(course) = self.courses.get_mut(&id) else { return };
        let whole = SeqRange { start: course.request.seq.start, end: seq.end };
        course.request.seq = if whole.len() < LONGEST { whole } else { seq };
    }

    /// Whether its response has not begun.
    pub(super) fn is_open(&self, id: CourseId) -> bool {
        self.courses.get(&id).is_some_and(|course| !course.over)
    }

    /// Ends a course; nothing is known of its response.
    pub(super) fn end(&mut self, id: CourseId) {
        if let Some(course) = self.courses.get_mut(&id).filter(|course| !course.over) {
            course.over = true;
            if let Some(process) = self.processes.get_mut(course.pid) {
                process.open = process.open.saturating_sub(1);
            }
        }
    }

    /// Ends a course by its response.
    pub(super) fn answer(&mut self, id: CourseId, at: Timestamp, end: CourseEnd) {
        self.end(id);
        if let Some(course) = self.courses.get_mut(&id) {
            course.answered = Some(at);
            course.end = end;
            if let Some(process) = self.processes.get_mut(course.pid) {
                process.on_response(course);
            }
        }
    }

    pub(super) fn doubt(&mut self, id: CourseId) {
        if let Some(course) = self.courses.get_mut(&id) {
            course.doubts = course.doubts.saturating_add(1);
        }
    }

    /// Takes one doubt back.
    pub(super) fn remove_doubt(&mut self, id: CourseId) {
        if let Some(course) = self.courses.get_mut(&id) {
            course.doubts = course.doubts.saturating_sub(1);
        }
    }

    pub(super) fn add_call(&mut self, id: CourseId) {
        if let Some(course) = self.courses.get_mut(&id) {
            course.calls += 1;
            course.unanswered += 1;
        }
    }

    pub(super) fn add_answer(&mut self, id: CourseId) {
        if let Some(course) = self.courses.get_mut(&id) {
            course.unanswered = course.unanswered.saturating_sub(1);
        }
    }

    pub(super) fn has_unanswered_call(&self, id: CourseId) -> bool {
        self.courses.get(&id).is_some_and(|course| course.unanswered > 0)
    }

    /// Notes that a further action followed one message.
    pub(super) fn branch(&mut self, id: CourseId) {
        if let Some(course) = self.courses.get_mut(&id) {
            course.branches = true;
        }
    }

    /// Notes that another action followed the message that the opening of `socket` followed.
    pub(super) fn overtake(&mut self, id: CourseId, socket: u64) {
        if let Some(course) = self.courses.get_mut(&id) {
            course.overtaken = Some(socket);
        }
    }

    pub(super) fn is_overtaken(&self, id: CourseId, socket: u64) -> bool {
        self.courses.get(&id).is_some_and(|course| course.overtaken == Some(socket))
    }

    /// Notes that a thread of the process has several requests in hand.
    pub(super) fn interleave(&mut self, pid: u32) {
        if let Some(process) = self.processes.get_mut(pid) {
            process.interleaves = true;
        }
    }

    pub(super) fn open_requests(&self, pid: u32) -> u32 {
        self.processes.get(pid).map_or(0, |process| process.open)
    }

    pub(super) fn request(&self, id: CourseId) -> Option<Request> {
        self.courses.get(&id).map(|course| course.request)
    }

    /// Whether the calls that were attributed to a course belong to it. `sent` is when the first
    /// byte of the response to its request was sent.
    pub(super) fn is_believed(&self, id: CourseId, sent: Option<Timestamp>) -> bool {
        let Some(course) = self.courses.get(&id) else { return false };
        let Some(process) = self.processes.get(course.pid) else { return false };
        if course.doubts > 0 || (course.branches && process.interleaves) || !process.is_trusted() {
            return false;
        }
        sent == course.answered
            && match course.end {
                CourseEnd::Closed => true,
                CourseEnd::Waited => process.is_proven(),
                CourseEnd::Loose => course.answered.is_none() && process.is_proven(),
                CourseEnd::Strayed => false,
            }
    }

    pub(super) fn bytes(&self) -> usize {
        self.courses.capacity() * (size_of::<Course>() + 8)
            + self.order.capacity() * 8
            + self.processes.bytes()
    }
}
