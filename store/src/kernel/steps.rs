//! Follows each thread from what it received to what it did next.
//!
//! An action is the begin of a call, or of a response. It is attributed to the message that its
//! thread received last, and each message is used up by the action that follows it. What a program
//! does with several messages in hand follows no rule that holds for all programs, so:
//!
//! * an action while the thread has other messages that it did not act on makes all their courses
//!   doubtful, unless such a message turns out not to have been whole;
//! * a course is believed only if it closes: its response follows its own last message;
//! * a process is trusted only while nearly all of its courses close.

use wire::SockIo;

use super::courses::{CourseEnd, CourseId, Courses, Request};
use super::threads::{Message, Threads, Used};
use super::turn::Turn;
use crate::config::StoreConfig;
use crate::counters::Counters;

/// A connection that was opened longer than this before its first request was opened in advance.
const IN_ADVANCE_NS: u64 = 1_000_000_000;

#[derive(Debug, Default)]
pub(super) struct Steps {
    threads: Threads,
    courses: Courses,
}

impl Steps {
    pub(super) const fn courses(&self) -> &Courses {
        &self.courses
    }

    pub(super) fn on_receive(&mut self, turn: &mut Turn, io: &SockIo) {
        let SockIo { cookie, seq, exit, .. } = *io;
        let is_server = !*turn.client.get_or_insert(false);
        let thread = self.threads.touch(io.process.tid, exit);
        let begins = std::mem::replace(&mut turn.sending, false);
        let mut continues = !begins && turn.received;
        if is_server {
            match turn.course {
                Some(course) if !begins && self.courses.is_open(course) => {
                    self.courses.extend(course, seq);
                }
                before => {
                    continues = false;
                    before.into_iter().for_each(|course| self.courses.end(course));
                    let pid = io.process.pid;
                    let course = self.courses.open(Request { cookie, seq }, pid, exit);
                    turn.course = Some(course);
                    if thread.take_request(course, &self.courses) {
                        self.courses.interleave(pid);
                    }
                }
            }
        }
        turn.received = true;
        let course = if turn.shared { None } else { turn.course };
        if let Some(course) = course.filter(|_| begins && !is_server) {
            self.courses.add_answer(course);
        }
        let message = Message { cookie, course, at: exit, used: None };
        thread.receive(message, continues, &mut self.courses);
    }

    pub(super) fn on_connect(&mut self, turn: &mut Turn, io: &SockIo) {
        let course = self.act(io, true);
        *turn = Turn { client: Some(true), opened: Some((io.enter, course)), ..Turn::default() };
    }

    /// Returns the course in which something was sent on a client's socket.
    pub(super) fn on_send(&mut self, turn: &mut Turn, io: &SockIo) -> Option<CourseId> {
        let begins = !std::mem::replace(&mut turn.sending, true);
        if *turn.client.get_or_insert(true) {
            if turn.is_one_way() {
                return None;
            }
            return if begins { self.on_request(turn, io) } else { self.on_more(turn, io) };
        }
        match turn.course {
            Some(course) if begins && self.courses.is_open(course) => self.on_response(course, io),
            course => self.use_up(course, io),
        }
        None
    }

    pub(super) fn set_role(&mut self, turn: &mut Turn, client: bool) {
        if turn.client.is_some_and(|known| known != client) {
            turn.course.into_iter().for_each(|course| self.courses.doubt(course));
            *turn = Turn { client: Some(client), sending: turn.sending, ..Turn::default() };
        }
    }

    pub(super) fn on_close(&mut self, turn: &Turn) {
        if turn.client == Some(false) {
            turn.course.into_iter().for_each(|course| self.courses.end(course));
        }
    }

    /// Takes a record that came too late: nothing is known any more of what its thread has in hand,
    /// and of what its socket is used for.
    pub(super) fn on_late(&mut self, turn: &mut Turn, io: &SockIo) {
        self.threads.forget(io.process.tid);
        turn.course.take().into_iter().for_each(|course| self.courses.doubt(course));
    }

    pub(super) fn limit(&mut self, config: &StoreConfig, counters: &mut Counters) {
        counters.evictions.threads += u64::from(self.threads.limit(config.max_threads));
        let limit = config.max_calls.saturating_mul(2);
        counters.evictions.requests += self.courses.limit(limit, config.max_threads);
    }

    /// The first send of a request.
    fn on_request(&mut self, turn: &mut Turn, io: &SockIo) -> Option<CourseId> {
        turn.sends += 1;
        let opened = turn.opened.take().filter(|(at, course)| {
            course.is_some_and(|course| self.courses.is_open(course))
                && io.enter.nanos_since(*at) <= IN_ADVANCE_NS
        });
        turn.course = match opened {
            Some((_, Some(course))) => {
                self.on_opened(course, io);
                Some(course)
            }
            _ => self.act(io, false),
        };
        if let Some(course) = turn.course {
            self.courses.add_call(course);
            if turn.shared {
                self.courses.doubt(course);
            }
        }
        turn.course
    }

    /// A call whose connection was opened in its course sends its request.
    fn on_opened(&mut self, course: CourseId, io: &SockIo) {
        if self.courses.is_overtaken(course, io.cookie) {
            self.courses.doubt(course);
        }
        if let Some(last) = self.threads.get_mut(io.process.tid).and_then(|t| t.last.as_mut())
            && let Some(used) = last.used.as_mut().filter(|used| used.cookie == io.cookie)
        {
            used.opens = false;
        }
    }

    /// A send that follows another on a client's socket: more of the request, or a further one.
    fn on_more(&mut self, turn: &mut Turn, io: &SockIo) -> Option<CourseId> {
        let last = self.threads.get_mut(io.process.tid).and_then(|thread| thread.last);
        match last.filter(|last| last.used.is_none() && last.cookie != io.cookie) {
            Some(last) if last.course != turn.course => {
                turn.shared = true;
                let courses = [last.course, turn.course];
                courses.into_iter().flatten().for_each(|course| self.courses.doubt(course));
                self.use_up(last.course, io);
                last.course
            }
            _ => {
                self.use_up(turn.course, io);
                turn.course
            }
        }
    }

    /// Marks what the thread received last as used if it is of `course`.
    fn use_up(&mut self, course: Option<CourseId>, io: &SockIo) {
        if let Some(last) = self.threads.get_mut(io.process.tid).and_then(|t| t.last.as_mut())
            && last.course == course
        {
            last.used.get_or_insert(Used { cookie: io.cookie, opens: false });
        }
    }

    /// A call is begun by opening its connection (`opens`) or by sending its request; returns the
    /// course of the message that it follows.
    fn act(&mut self, io: &SockIo, opens: bool) -> Option<CourseId> {
        let thread = self.threads.get_mut(io.process.tid)?;
        let last = thread.last.as_mut()?;
        let used = last.used;
        let course = last.course.filter(|course| self.courses.is_open(*course));
        match used {
            None => last.used = Some(Used { cookie: io.cookie, opens }),
            Some(used) if used.opens => {
                last.used = Some(Used { cookie: io.cookie, opens });
                // The connection may never be used, as where a name has several addresses.
                if used.cookie != io.cookie {
                    self.courses.overtake(course?, used.cookie);
                }
            }
            Some(_) => {
                if !thread.has_only(course?, &self.courses) {
                    return None;
                }
                self.courses.branch(course?);
            }
        }
        thread.doubt_rivals(course, io.enter, &mut self.courses);
        course
    }

    /// The first send of the response to the request of `course`.
    fn on_response(&mut self, course: CourseId, io: &SockIo) {
        let mut end = CourseEnd::Loose;
        if let Some(thread) = self.threads.get_mut(io.process.tid) {
            thread.doubt_rivals(Some(course), io.enter, &mut self.courses);
            let only = thread.has_only(course, &self.courses);
            if let Some(last) = thread.last.as_mut() {
                let is_fresh = last.used.is_none_or(|used| used.opens);
                let is_other = |id: &CourseId| *id != course && self.courses.is_open(*id);
                end = match last.course {
                    Some(own) if own == course && is_fresh => CourseEnd::Closed,
                    Some(own) if own == course && only => {
                        self.courses.branch(course);
                        CourseEnd::Closed
                    }
                    Some(other) if is_fresh && is_other(&other) => {
                        self.courses.doubt(other);
                        self.courses.doubt(course);
                        CourseEnd::Strayed
                    }
                    _ if !is_fresh && self.courses.has_unanswered_call(course) => CourseEnd::Waited,
                    _ => CourseEnd::Loose,
                };
                last.used.get_or_insert(Used { cookie: io.cookie, opens: false });
            }
        }
        self.courses.answer(course, io.enter, end);
    }

    pub(super) fn bytes(&self) -> usize {
        self.threads.bytes() + self.courses.bytes()
    }
}
