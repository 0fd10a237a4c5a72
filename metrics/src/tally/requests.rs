//! What a shard counted of requests.

use fact::{Exchange, Outcome};

use crate::histogram::DurationTally;

/// Requests by operation.
#[derive(Debug, Default)]
pub(crate) struct RequestTally {
    pub(crate) operations: Vec<OperationTally>,
}

#[derive(Debug)]
pub(crate) struct OperationTally {
    pub(crate) operation: String,
    /// By [`Outcome`], in the order of its `ALL`.
    pub(crate) outcomes: [u64; Outcome::ALL.len()],
    pub(crate) unanswered: u64,
    pub(crate) duration: DurationTally,
}

/// What is counted of one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    outcome: Outcome,
    duration_ns: Option<u64>,
    unanswered: bool,
}

impl Sample {
    pub(crate) fn of(exchange: &Exchange) -> Self {
        let both = exchange.request.zip(exchange.response);
        Self {
            outcome: exchange.outcome,
            duration_ns: both.map(|(request, response)| response.last.nanos_since(request.first)),
            unanswered: exchange.response.is_none()
                && matches!(exchange.outcome, Outcome::NoResponse | Outcome::Reset),
        }
    }
}

impl RequestTally {
    /// Most operations, whose names come from the wire; one more writes all to the families first.
    const MAX: usize = 1_024;

    /// Whether `operation` can be counted without writing to the families first.
    pub(crate) fn has_room(&self, operation: &str) -> bool {
        self.operations.len() < Self::MAX
            || self.operations.iter().any(|known| known.operation == operation)
    }

    /// Counts a sample. Returns the operation's index, the hint for the next sample of the same
    /// flow.
    pub(crate) fn add(&mut self, operation: &str, hint: usize, sample: Sample) -> usize {
        let known = self.operations.get(hint).is_some_and(|known| known.operation == operation);
        let index = if known { hint } else { self.find(operation) };
        let Some(tally) = self.operations.get_mut(index) else { return index };
        tally.outcomes[sample.outcome as usize] += 1;
        tally.unanswered += u64::from(sample.unanswered);
        if let Some(nanos) = sample.duration_ns {
            tally.duration.observe(nanos);
        }
        index
    }

    fn find(&mut self, operation: &str) -> usize {
        if let Some(found) = self.operations.iter().position(|known| known.operation == operation) {
            return found;
        }
        self.operations.push(OperationTally {
            operation: operation.to_owned(),
            outcomes: [0; Outcome::ALL.len()],
            unanswered: 0,
            duration: DurationTally::default(),
        });
        self.operations.len() - 1
    }
}
