//! The parent of a call, by what its thread had received last and by the trace headers it carries.

use wire::invariant;

use crate::call_id::CallId;
use crate::calls::{Calls, OpenCall, State};
use crate::cause::{Lead, Messages, follow, may_contain};
use crate::headers::ByHeader;
use crate::model::Cause;

/// What shows which call caused another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) messages: &'a Messages,
    pub(crate) by_header: &'a ByHeader,
}

impl Evidence<'_> {
    /// Where the thread's history and the headers of a call lead. Headers go before the history
    /// where the parent that the history leads to does not carry one of them.
    pub(crate) fn lead(&self, id: CallId) -> (Lead, Cause) {
        let Some(call) = self.calls.get(id) else {
            invariant!("a call whose parent is looked for is open");
            return (Lead::Nowhere, Cause::None);
        };
        let lead = self.by_thread(id, call);
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

    /// Where the history of the client's thread leads.
    fn by_thread(&self, id: CallId, call: &OpenCall) -> Lead {
        for begin in call.client.iter().flat_map(|side| side.begins).flatten() {
            let Some(cause) = begin.cause else { continue };
            let mut lead = follow(self.messages, self.calls, id, cause, begin.at);
            if matches!(lead, Lead::Unknown(_)) && call.impatient && cause.client {
                // A response in a protocol that is not understood: go by what led to its request.
                lead = cause.origin.map_or(Lead::Nowhere, |origin| {
                    follow(self.messages, self.calls, id, origin.into(), begin.at)
                });
            }
            match lead {
                Lead::Nowhere => {}
                Lead::Parent { id: parent, guess } => {
                    if self.calls.get(parent).is_some_and(|p| p.is_open_at(begin.sent)) {
                        return Lead::Parent { id: parent, guess: guess || begin.guess };
                    }
                }
                other => return other,
            }
        }
        Lead::Nowhere
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
