//! What was counted on one session, for its summary and for what inference may believe.

use wire::Direction;

use super::entry::Entry;
use super::kind::Kind;

/// Counts of the messages of a session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    /// Requests and one-way messages.
    pub(crate) requests: u64,
    pub(crate) responses: u64,
    /// Exchanges that did not end well.
    pub(crate) errors: u64,
    /// A log-in or the like went well: it is not counted above, but the protocol is certain.
    pub(crate) confirmed: bool,
    /// Requests that were emitted unanswered because too many waited; since the last look.
    pub(crate) evicted: u64,
    /// Direction of the first request.
    pub(crate) first_asker: Option<Direction>,
}

impl Counters {
    /// A message begins.
    pub(super) fn on_message(&mut self, kind: Kind, asker: Direction) {
        self.first_asker.get_or_insert(asker);
        match kind {
            Kind::Response => self.responses += 1,
            Kind::Request | Kind::OneWay => self.requests += 1,
        }
    }

    /// An exchange ended well that is not emitted, and therefore not counted either.
    pub(super) fn on_unreported(&mut self, entry: &Entry) {
        let [request, response] =
            [entry.exchange.request.is_some(), entry.exchange.response.is_some()];
        self.confirmed |= request && response;
        self.requests = self.requests.saturating_sub(u64::from(request));
        self.responses = self.responses.saturating_sub(u64::from(response));
    }
}
