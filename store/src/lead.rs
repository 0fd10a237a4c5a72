//! The parent of a call, by the course in which it was made and by the trace headers it carries.

use wire::invariant;

use crate::call_id::CallId;
use crate::calls::{Calls, OpenCall, State};
use crate::cause::{Lead, Requests, may_contain};
use crate::headers::ByHeader;
use crate::kernel::Kernel;
use crate::model::Cause;

/// What shows which call caused another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) requests: &'a Requests,
    pub(crate) kernel: &'a Kernel,
    pub(crate) by_header: &'a ByHeader,
}

impl Evidence<'_> {
    /// Where the course and the headers of a call lead. Headers go first where the parent that the
    /// course leads to does not carry one of them.
    pub(crate) fn lead(&self, id: CallId) -> (Lead, Cause) {
        let Some(call) = self.calls.get(id) else {
            invariant!("a call whose parent is looked for is open");
            return (Lead::Nowhere, Cause::None);
        };
        let lead = self.by_course(call);
        match (lead, self.by_header(id)) {
            (Lead::Parent { id: parent, .. }, Some((other, _))) if parent != other => {
                if self.by_header.with(&call.headers).contains(&parent) {
                    (lead, Cause::Thread)
                } else {
                    (Lead::Parent { id: other, guess: false }, Cause::Header)
                }
            }
            (Lead::Parent { .. }, _) => (lead, Cause::Thread),
            (_, Some((id, guess))) => (Lead::Parent { id, guess }, Cause::Header),
            (_, None) => (lead, Cause::None),
        }
    }

    /// Where the course leads to which the send of the request was attributed, if it is believed.
    fn by_course(&self, call: &OpenCall) -> Lead {
        let begun = call.client.as_ref().and_then(|side| side.begun);
        let Some((course, sent)) = begun.and_then(|begun| begun.course.zip(begun.sent)) else {
            return Lead::Nowhere;
        };
        let Some(request) = self.kernel.request(course) else { return Lead::Nowhere };
        let lead = self.requests.call(self.calls, request, sent);
        if let Lead::Parent { id, .. } = lead {
            let parent = self.calls.get(id).and_then(|parent| parent.server.as_ref());
            if !parent.is_some_and(|side| self.kernel.is_believed(course, side.sent)) {
                return Lead::Nowhere;
            }
        }
        lead
    }

    /// The innermost settled call with the same trace header that may have caused `id`, and whether
    /// there are several.
    pub(crate) fn by_header(&self, id: CallId) -> Option<(CallId, bool)> {
        let Some(child) = self.calls.get(id) else {
            invariant!("a call whose parent is looked for is open");
            return None;
        };
        let mut best: Option<(CallId, &OpenCall)> = None;
        let mut several = false;
        for other in self.by_header.with(&child.headers) {
            let Some(call) = self.calls.get(other) else {
                invariant!("a call that is listed by its headers is open");
                continue;
            };
            if other == id || call.state == State::Observed || !may_contain(call, child) {
                continue;
            }
            several |= best.is_some();
            if best.is_none_or(|(_, known)| call.start > known.start) {
                best = Some((other, call));
            }
        }
        best.map(|(id, _)| (id, several))
    }
}
